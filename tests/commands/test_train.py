"""``quanhe train``: a complete model folder, on our schema and on foreign ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_corpus import TINY_PAIRS, marked, tiny_article, write_corpus, write_negatives

from pipeline.commands.evaluate import evaluate
from pipeline.commands.train import train
from pipeline.config import Config, load_config
from pipeline.document import Document
from pipeline.errors import ProblemsError, QuanheError
from pipeline.manifest import read_manifest
from pipeline.model import load_model, load_pipeline


def test_the_folder_is_complete_and_holds_no_pickles(tiny_model):
    files = {path.relative_to(tiny_model).as_posix() for path in tiny_model.rglob("*") if path.is_file()}
    stage = {"model.safetensors", "config.json", "vocab.txt", "bpe.codes", "tokenizer_config.json", "added_tokens.json"}
    assert files == {
        "quanhe.json",
        "config.yaml",
        "schema.yaml",
        "scores.json",
        "README.md",
        "baseline/crf.crfsuite",
        "relations/linear.safetensors",
        "relations/pair_head.safetensors",
        *(f"{folder}/{name}" for folder in ("entities", "relations") for name in stage),
    }
    for path in (tiny_model / name for name in files):
        assert path.read_bytes()[:2] not in (b"PK", b"\x80\x02", b"\x80\x04"), path  # torch.save and pickle


def test_the_manifest_says_what_was_trained_on(tiny_model, tiny_config):
    manifest = read_manifest(tiny_model)
    articles = [tiny_article(number) for number in range(10)]
    assert sorted(manifest.training.articles) == [article.id for article in articles]
    assert sorted(manifest.dev_articles) == ["tin10", "tin11", "tin12"]
    assert manifest.training.mentions["PERSON"] == sum(m.type == "PERSON" for a in articles for m in a.mentions)
    assert manifest.training.relations["MEETS"] == 10
    assert manifest.training.relations["HELD_AT"] == 0
    assert (manifest.config_hash, manifest.training.unaligned) == (tiny_config.hash, 0)
    for stage in manifest.stages.values():
        assert stage.epochs == len(stage.dev)
        assert stage.dev[stage.best_epoch - 1] == max(stage.dev) > 0.5


def test_config_and_scores_are_stored(tiny_model, tiny_config):
    assert load_config(tiny_model / "config.yaml") == tiny_config
    scores = json.loads((tiny_model / "scores.json").read_text(encoding="utf-8"))
    assert scores["articles"] == ["tin13", "tin14", "tin15"]
    assert list(scores["systems"]) == ["quanhe", "PhoBERT + rules", "CRF + rules", "features alone"]
    assert scores["systems"]["quanhe"]["entities"]["strict"]["micro"]["f1"] > 0.6


def test_the_card_names_data_scores_and_limits(tiny_model):
    card = (tiny_model / "README.md").read_text(encoding="utf-8")
    scores = json.loads((tiny_model / "scores.json").read_text(encoding="utf-8"))
    assert card.startswith("# tiny\n")
    for text in (
        "10 articles: tin00",
        "3 articles: tin13, tin14, tin15",
        "| PERSON | 30 |",
        "underthesea-crf/",
        "## Limits",
    ):
        assert text in card
    assert f"| {scores['systems']['quanhe']['entities']['strict']['micro']['f1']:.3f} [" in card


def test_a_model_is_replaced_as_a_whole_but_nothing_else_is(tiny_settings, tiny_data, tmp_path):
    stage = {"epochs": 1}
    config = Config.model_validate(
        {**tiny_settings, "entities": stage, "relations": {"enabled": False}, "data": {"train": tiny_data["train"]}}
    )
    folder = tmp_path / "m"
    assert train(config, folder) is None
    (folder / "left-over").write_text("x")
    train(config, folder)
    assert not (folder / "left-over").exists()
    assert not (folder / "relations").exists()
    assert "None: the config names no test articles." in (folder / "README.md").read_text(encoding="utf-8")
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter").write_text("x")
    for path in (other, other / "chapter"):
        with pytest.raises(QuanheError, match="is no quanhe model; name another folder"):
            train(config, path)
    assert (other / "chapter").read_text() == "x"


def test_a_place_that_cannot_be_written_is_told_before_training(tiny_config, tmp_path):
    (tmp_path / "file").write_text("x")
    said: list[str] = []
    with pytest.raises(QuanheError, match="file"):
        train(tiny_config, tmp_path / "file" / "model", say=said.append)
    assert said == []


def broken(tiny_settings, **changes) -> Config:
    return Config.model_validate({**tiny_settings, **changes})


def test_what_is_wrong_is_said_before_anything_is_trained(tiny_settings, tiny_data, tmp_path):
    seen = str(write_negatives([tiny_article(3)], tmp_path / "seen"))
    cases = [
        ({"data": {}}, "no labelled training articles; set data.train"),
        ({"data": {"train": str(tmp_path / "none")}}, "no such folder"),
        ({"data": {"train": tiny_data["train"], "dev": tiny_data["train"]}}, "held out means by article"),
        ({"data": {"train": tiny_data["train"], "negatives": seen}}, "tin03 in negatives has the text of tin03"),
        ({"data": {"train": tiny_data["train"], "negatives": str(tmp_path / "none")}}, "no such folder"),
        ({"data": tiny_data, "encoder": str(tmp_path / "none")}, "no such folder; give a folder, or a hub name"),
        ({"data": tiny_data, "schema": str(tmp_path / "none.yaml")}, r"none\.yaml: cannot be read"),
        ({"data": tiny_data, "windows": {"pieces": 300}}, "windows.pieces is 300, but the encoder takes 256"),
    ]
    for changes, message in cases:
        with pytest.raises(QuanheError, match=message):
            train(broken(tiny_settings, **changes), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_hard_negatives_are_scored_stored_and_read_again(tiny_settings, tiny_data, tmp_path):
    negatives = write_negatives([tiny_article(number) for number in (17, 19)], tmp_path / "negatives")
    data = {"train": tiny_data["train"], "test": tiny_data["test"], "negatives": str(negatives)}
    quick = {"entities": {"epochs": 1}, "relations": {"epochs": 1}}
    report = train(Config.model_validate({**tiny_settings, **quick, "data": data}), tmp_path / "m")
    assert report.articles == ["tin13", "tin14", "tin15"]
    assert report.systems["CRF + rules"].negatives.given.micro.false == 4
    assert report.systems["quanhe"].negatives.raw.micro.pairs == 2 * len(TINY_PAIRS)
    scores = json.loads((tmp_path / "m" / "scores.json").read_text(encoding="utf-8"))
    assert scores["systems"]["CRF + rules"]["negatives"]["given"]["micro"]["false"] == 4
    assert "### False relations on hard negatives" in (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    again = evaluate(tmp_path / "m", None, tmp_path / "report")
    assert again.systems["CRF + rules"].negatives == report.systems["CRF + rules"].negatives
    shutil.rmtree(negatives)
    said: list[str] = []
    later = evaluate(tmp_path / "m", None, tmp_path / "report", say=said.append)
    assert later.systems["quanhe"].negatives is None
    assert len(said) == 1


def test_hard_negatives_without_test_articles_are_not_passed_over_in_silence(tiny_settings, tiny_data, tmp_path):
    negatives = write_negatives([tiny_article(17)], tmp_path / "negatives")
    data = {"train": tiny_data["train"], "negatives": str(negatives)}
    quick = {"entities": {"epochs": 1}, "relations": {"enabled": False}}
    said: list[str] = []
    train(Config.model_validate({**tiny_settings, **quick, "data": data}), tmp_path / "m", say=said.append)
    assert "false relations are counted beside the scores on data.test, which names no articles" in said


def test_types_that_the_schema_has_not_are_named(tiny_settings, tmp_path):
    document = marked("[Mẫu|PERSON] dẫn [Bộ|ORGG]", ["T1 LEADS T2"], "lạ")
    data = {"train": str(write_corpus([document, tiny_article(0)], tmp_path / "corpus"))}
    with pytest.raises(ProblemsError) as raised:
        train(broken(tiny_settings, data=data), tmp_path / "m")
    first, second = map(str, raised.value.problems)
    assert first == "lạ: entity type ORGG is not in schema 'defence-diplomacy'; did you mean ORG?"
    assert second.startswith("lạ: relation type LEADS is not in schema 'defence-diplomacy'; there are HAS_RANK, HOLDS_")


def test_the_same_config_makes_the_same_model(tiny_settings, tiny_data, tmp_path):
    config = Config.model_validate(
        {
            **tiny_settings,
            "data": {"train": tiny_data["train"]},
            "entities": {**tiny_settings["entities"], "epochs": 2, "dropout": 0.1, "word_dropout": 0.2},
            "relations": {**tiny_settings["relations"], "epochs": 2, "dropout": 0.1},
        }
    )
    for name in ("one", "two"):
        train(config, tmp_path / name)
    for weights in ("entities/model.safetensors", "relations/model.safetensors", "relations/pair_head.safetensors"):
        assert (tmp_path / "one" / weights).read_bytes() == (tmp_path / "two" / weights).read_bytes()


def test_a_word_that_holds_a_gold_edge_is_cut_for_training_and_counted(tiny_settings, tmp_path):
    document = marked("Ông [Trần Mẫu|PERSON]Giả đến. Ông [Thử|PERSON] về.", id="cắt")
    data = {"train": str(write_corpus([document], tmp_path / "corpus"))}
    said: list[str] = []
    settings = {**tiny_settings, "entities": {"epochs": 1}, "relations": {"enabled": False}}
    train(Config.model_validate({**settings, "data": data}), tmp_path / "m", say=said.append)
    assert "1 gold spans have an edge inside a word; those words are cut for training" in said
    assert read_manifest(tmp_path / "m").training.unaligned == 0


FOREIGN_SCHEMA = """name: hospital
entities: {NAME: a patient, JOB: what the patient does, DISEASE: an illness}
"""
PATIENTS = [("Mẫu", "nông_dân"), ("Thử", "công_nhân"), ("Ví", "giáo_viên"), ("Dụ", "học_sinh"), ("Nháp", "bác_sĩ")]
FLUS = ["cúm", "sốt_xuất_huyết", "lao", "viêm_phổi"]


def conll(numbers: range, joined: bool) -> str:
    lines: list[str] = []
    for number in numbers:
        (name, job), flu = PATIENTS[number % 5], FLUS[number % 4]
        tokens = [
            ("Bệnh_nhân", "O"), (f"Trần_{name}", "B-NAME"), ("là", "O"), (job, "B-JOB"), ("mắc", "O"),
            (flu, "B-DISEASE"), ("từ", "O"), (f"hôm_{number}", "O"), (".", "O"),
        ]  # fmt: skip
        for token, tag in tokens:
            parts = [token] if joined else token.split("_")
            tags = [tag, *[tag.replace("B-", "I-")] * (len(parts) - 1)]
            lines += [f"{part}\tX\t{part_tag}" for part, part_tag in zip(parts, tags, strict=True)]
        lines.append("")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("joined", [True, False], ids=["word-segmented", "syllables"])
def test_a_foreign_corpus_in_columns(tiny_settings, tmp_path, joined):
    (tmp_path / "schema.yaml").write_text(FOREIGN_SCHEMA, encoding="utf-8")
    data = {"format": "conll", "columns": {"word": 0, "tag": 2}}
    for split, numbers in (("train", range(24)), ("dev", range(24, 32)), ("test", range(32, 40))):
        (tmp_path / f"{split}.conll").write_text(conll(numbers, joined), encoding="utf-8")
        data[split] = str(tmp_path / f"{split}.conll")
    config = Config.model_validate({**tiny_settings, "schema": str(tmp_path / "schema.yaml"), "data": data})
    report = train(config, tmp_path / "m")
    assert list(report.systems) == ["quanhe", "CRF"]
    for scores in report.systems.values():
        assert list(scores.entities.strict.types) == ["NAME", "JOB", "DISEASE"]
        assert scores.entities.strict.micro.gold == 24
        assert scores.entities.strict.micro.f1 > 0.8
        assert (scores.relations, scores.facts) == (None, None)
    again = evaluate(tmp_path / "m", tmp_path / "test.conll", tmp_path / "report")
    assert again.systems["quanhe"].entities.strict.micro == report.systems["quanhe"].entities.strict.micro
    text = "Bệnh nhân Trần Thử là công nhân mắc lao từ hôm 99."
    (found,) = load_pipeline(tmp_path / "m").extract([Document("a", text)])
    assert {m.type for m in found.mentions} <= {"NAME", "JOB", "DISEASE"}
    assert all(text[m.start : m.end] == m.text for m in found.mentions)


SONG_SCHEMA = """name: songs
entities: {Singer: '', Song: '', Year: ''}
relations:
  sings: {head: [Singer], tail: [Song]}
  duet: {head: [Singer], tail: [Singer], symmetric: true}
"""
SONGS = ["Mưa Thử", "Nắng Ví", "Gió Mẫu", "Biển Dụ", "Sông Nháp", "Trăng Tập"]


def song_article(number: int) -> Document:
    singer, partner = f"Ca{number % 6}", f"Sĩ{number % 5}"
    return marked(
        f"Ca sĩ [{singer}|Singer] vừa hát [{SONGS[number % 6]}|Song] năm [{1990 + number}|Year].\n"
        f"Ca sĩ [{singer}|Singer] song ca cùng [{partner}|Singer] tối nay.",
        ["T1 sings T2", "T4 duet T5"],
        f"bài{number:02}",
    )


def test_a_foreign_brat_folder_with_relations_of_its_own(tiny_settings, tmp_path):
    (tmp_path / "schema.yaml").write_text(SONG_SCHEMA, encoding="utf-8")
    folders = {
        split: str(write_corpus(map(song_article, numbers), tmp_path / split))
        for split, numbers in (("train", range(12)), ("dev", range(12, 15)), ("test", range(15, 19)))
    }
    config = Config.model_validate({**tiny_settings, "schema": str(tmp_path / "schema.yaml"), "data": folders})
    report = train(config, tmp_path / "m")
    scores = report.systems["quanhe"]
    assert list(scores.entities.strict.types) == ["Singer", "Song", "Year"]
    assert scores.entities.strict.micro.f1 > 0.6
    assert list(scores.relations_on_gold.strict.types) == ["sings", "duet"]
    assert scores.relations_on_gold.strict.micro.f1 > 0.6
    assert scores.facts.micro.gold == 8
    model, manifest = load_model(tmp_path / "m")
    assert model.schema.name == "songs"
    assert manifest.training.relations == {"sings": 12, "duet": 12}
    (found,) = model.extractor().extract([Document("a", song_article(3).text)])
    assert {fact.type for fact in found.facts} <= {"sings", "duet"}
    assert found.facts
    assert Path(tmp_path / "m" / "relations").is_dir()
