"""``quanhe evaluate``: a saved model on articles that it has not seen."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from tiny_corpus import TINY_PAIRS, marked, tiny_article, write_corpus, write_negatives

from pipeline.commands.evaluate import evaluate
from pipeline.config import Config
from pipeline.errors import ProblemsError, QuanheError
from pipeline.manifest import read_manifest, write_manifest


@pytest.fixture
def articles(tmp_path):
    return write_corpus([tiny_article(number) for number in (20, 21, 22)], tmp_path / "articles")


def test_a_folder_of_labelled_articles(tiny_model, articles, tmp_path):
    report = evaluate(tiny_model, articles, tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.json", "report.md", "report.html"}
    assert report.articles == ["tin20", "tin21", "tin22"]
    assert list(report.systems) == ["quanhe", "PhoBERT + rules", "CRF + rules", "features alone"]
    scores = report.systems["quanhe"]
    assert scores.entities.strict.micro.gold == sum(len(tiny_article(n).mentions) for n in (20, 21, 22))
    assert scores.entities.strict.micro.f1 > 0.6
    assert scores.facts.micro.gold == sum(len(tiny_article(n).relations) for n in (20, 21, 22))
    assert scores.relations_on_gold.strict.micro.gold == scores.facts.micro.gold
    assert scores.relations_on_gold.unseen is not None
    stored = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert stored["systems"]["quanhe"]["entities"]["strict"]["micro"]["f1"] == scores.entities.strict.micro.f1
    assert "gold relations out of reach" in report.about
    assert report.about["gold relations excluded by others"].startswith("0 of ")
    assert report.about["gold spans that are whole words"].startswith(f"{scores.entities.strict.micro.gold} of ")


def test_without_data_the_test_articles_of_the_model(tiny_model, tiny_data, tmp_path):
    report = evaluate(tiny_model, None, tmp_path / "report")
    assert report.articles == ["tin13", "tin14", "tin15"]
    stored = json.loads((tiny_model / "scores.json").read_text(encoding="utf-8"))
    assert report.systems["quanhe"].model_dump(mode="json") == stored["systems"]["quanhe"]


@pytest.mark.parametrize(("split", "shown"), [("train", r"tin00 \(training\)"), ("dev", r"tin10 \(early stopping\)")])
def test_articles_that_the_model_has_seen_are_refused(tiny_model, tiny_data, tmp_path, split, shown):
    with pytest.raises(QuanheError, match=f"the model has seen {shown}.*held out"):
        evaluate(tiny_model, Path(tiny_data[split]), tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_seen_text_under_another_name_is_refused(tiny_model, tmp_path):
    article = tiny_article(3)
    article.id = "renamed"
    with pytest.raises(QuanheError, match=r"the model has seen renamed \(training\)"):
        evaluate(tiny_model, write_corpus([article, tiny_article(20)], tmp_path / "a"), tmp_path / "report")


def test_texts_may_lie_in_a_folder_of_their_own(tiny_model, articles, tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    for path in list(articles.glob("*.txt")):
        shutil.move(path, texts / path.name)
    assert len(evaluate(tiny_model, articles, tmp_path / "report", texts=texts).articles) == 3


def test_settings_of_a_config_count(tiny_model, tiny_settings, tiny_data, articles, tmp_path):
    settings = {**tiny_settings, "evaluation": {"resamples": 20, "confidence": 0.5}, "relations": {"threshold": 1.0}}
    report = evaluate(tiny_model, articles, tmp_path / "report", config=Config.model_validate(settings))
    assert (report.resamples, report.confidence) == (20, 0.5)
    assert report.systems["quanhe"].facts.micro.predicted == 0


def test_labels_of_another_schema_are_named(tiny_model, tmp_path):
    foreign = marked("[Mẫu|PERSON] hát [Mưa|SONG]", ["T1 SINGS T2"], "lạ")
    with pytest.raises(ProblemsError) as raised:
        evaluate(tiny_model, write_corpus([foreign], tmp_path / "a"), tmp_path / "report")
    text = str(raised.value)
    assert "SONG" in text
    assert "SINGS" in text
    assert "lạ" in text


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no .ann files in this folder"),
        ({"a.ann": "T1\tPERSON 0 3\tMẫu\n"}, "no text"),
        ({"a.ann": "T1\tPERSON 0 3\tMẫ\n", "a.txt": "Mẫu"}, "a.ann:1: "),
    ],
)
def test_data_that_cannot_be_read(tiny_model, tmp_path, files, message):
    (tmp_path / "a").mkdir()
    for name, content in files.items():
        (tmp_path / "a" / name).write_text(content, encoding="utf-8")
    with pytest.raises(ProblemsError, match=message):
        evaluate(tiny_model, tmp_path / "a", tmp_path / "report")


def test_a_folder_that_is_not_there(tiny_model, tmp_path):
    with pytest.raises(QuanheError, match="no such folder"):
        evaluate(tiny_model, tmp_path / "none", tmp_path / "report")


def with_negatives(tiny_settings, folder: Path) -> Config:
    return Config.model_validate({**tiny_settings, "data": {"negatives": str(folder)}})


def test_false_relations_on_hard_negatives(tiny_model, tiny_settings, articles, tmp_path):
    folder = write_negatives([tiny_article(number) for number in (23, 25)], tmp_path / "negatives")
    config = with_negatives(tiny_settings, folder)
    report = evaluate(tiny_model, articles, tmp_path / "report", config=config)
    assert report.articles == ["tin20", "tin21", "tin22"]
    assert report.about["hard negatives"] == f"{2 * len(TINY_PAIRS)} pairs in 2 held-back articles"
    for scores in report.systems.values():
        for table in scores.negatives.by_reading.values():
            assert table.micro.pairs == 6
            assert [table.types[kind].pairs for kind in ("ACTS_ON", "PARTY_TO", "HAS_RANK", "MEETS")] == [2, 2, 2, 0]
    for name in ("PhoBERT + rules", "CRF + rules"):  # between gold mentions both are the same rules
        rules = report.systems[name].negatives.given
        assert [rules.types[kind].false for kind in ("ACTS_ON", "PARTY_TO", "HAS_RANK")] == [2, 2, 0]
        assert {(link.article, link.reason) for link in rules.linked if link.type == "ACTS_ON"} == {
            ("tin23", TINY_PAIRS[0][3]),
            ("tin25", TINY_PAIRS[0][3]),
        }
    # Nothing of the sort was ever labelled, so the classifier has not learnt it.
    assert report.systems["quanhe"].negatives.given.micro.false == 0
    assert "False relations on hard negatives" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")


def test_hard_negatives_that_the_model_has_seen_are_refused(tiny_model, tiny_settings, articles, tmp_path):
    config = with_negatives(tiny_settings, write_negatives([tiny_article(3)], tmp_path / "negatives"))
    with pytest.raises(QuanheError, match=r"the model has seen tin03 \(training\)"):
        evaluate(tiny_model, articles, tmp_path / "report", config=config)


def test_hard_negatives_with_a_mistake_are_refused(tiny_model, tiny_settings, articles, tmp_path):
    folder = write_negatives([tiny_article(23)], tmp_path / "negatives")
    (folder / "tin23.neg").write_text("MEETS\tT5\tT6\tthey did\n", encoding="utf-8")
    with pytest.raises(ProblemsError, match=r"tin23\.neg:1: .* is a gold fact"):
        evaluate(tiny_model, articles, tmp_path / "report", config=with_negatives(tiny_settings, folder))


def test_hard_negatives_that_are_not_there_are_told_in_one_line(tiny_model, tiny_settings, articles, tmp_path):
    said: list[str] = []
    config = with_negatives(tiny_settings, tmp_path / "none")
    report = evaluate(tiny_model, articles, tmp_path / "report", config=config, say=said.append)
    (line,) = said
    assert line.startswith(f"no folder {tmp_path / 'none'}: false relations are not counted")
    assert report.about["hard negatives"] == line
    assert report.systems["quanhe"].negatives is None


def test_a_model_folder_from_before_there_were_hard_negatives(tiny_model, articles, tmp_path):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "m"))
    stored = (folder / "config.yaml").read_text(encoding="utf-8")
    old = re.sub(r"^  negatives: \[\]\n", "", stored, flags=re.MULTILINE)
    assert old != stored
    manifest = read_manifest(folder)
    (folder / "config.yaml").write_text(old, encoding="utf-8")
    write_manifest(manifest, folder)
    said: list[str] = []
    report = evaluate(folder, articles, tmp_path / "report", say=said.append)
    assert said == []
    assert report.systems["quanhe"].negatives is None
    assert report.systems["quanhe"].entities.strict.micro.f1 > 0.6
