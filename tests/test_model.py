"""Model folders: what is saved is what is loaded, and never half of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_corpus import tiny_article

import pipeline.manifest as manifest_module
import pipeline.saving as saving_module
from pipeline.config import Config
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.manifest import default_model, read_manifest
from pipeline.model import load_model, load_pipeline
from pipeline.saving import save_model


@pytest.fixture
def copy(tiny_model, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def documents() -> list[Document]:
    return [tiny_article(number).bare() for number in (13, 14, 15)]


def read(folder: Path) -> list[dict]:
    return [document.to_dict() for document in load_pipeline(folder).extract(documents())]


def test_a_model_that_is_loaded_and_saved_again_says_the_same(tiny_model, tmp_path):
    model, manifest = load_model(tiny_model)
    first = [document.to_dict() for document in model.extractor().extract(documents())]
    assert all(found["mentions"] and found["facts"] for found in first)
    save_model(model, manifest, tmp_path / "again", {"README.md": "x"})
    assert read(tmp_path / "again") == first
    again = read_manifest(tmp_path / "again")
    assert again == manifest
    assert load_model(tmp_path / "again")[0].config == model.config


def test_a_model_may_be_saved_where_it_was_loaded_from(copy):
    before = read(copy)
    model, manifest = load_model(copy)
    save_model(model, manifest, copy, {"README.md": "new"})
    assert read(copy) == before
    assert (copy / "README.md").read_text() == "new"
    assert [path.name for path in copy.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("failing", ["_write_yaml", "save_fp16", "save_relation_model", "write_manifest"])
def test_a_save_that_fails_leaves_the_old_folder(copy, monkeypatch, failing):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    model, manifest = load_model(copy)

    def fail(*arguments):
        raise OSError(28, "No space left on device", "model.safetensors")

    monkeypatch.setattr(saving_module, failing, fail)
    with pytest.raises(QuanheError, match=r"cannot be written \(No space left on device\)"):
        save_model(model, manifest, copy, {})
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
    assert [path.name for path in copy.parent.iterdir()] == ["model"]


def test_a_move_that_fails_puts_the_old_folder_back(copy, monkeypatch):
    model, manifest = load_model(copy)
    rename = Path.rename

    def fail_second(self: Path, target: Path) -> Path:
        if self.name == "model" and self.parent.name.startswith(".model-"):
            raise OSError(13, "Permission denied", str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_second)
    with pytest.raises(QuanheError, match="Permission denied"):
        save_model(model, manifest, copy, {})
    assert read_manifest(copy) == manifest


def test_the_stages_of_a_report(tiny_model):
    model, _ = load_model(tiny_model)
    assert list(model.systems()) == ["quanhe", "PhoBERT + rules", "CRF + rules", "features alone"]
    for extractor in model.systems().values():
        (found,) = extractor.extract([tiny_article(14).bare()])
        assert found.mentions
        assert all(found.text[m.start : m.end] == m.text for m in found.mentions)


def test_settings_that_a_trained_model_can_follow_go_before_its_own(tiny_model):
    stored = load_model(tiny_model)[0].config
    given = Config.model_validate(
        {"evaluation": {"resamples": 77}, "relations": {"threshold": 0.9, "max_words": 3}, "windows": {"pieces": 64}}
    )
    config = load_model(tiny_model, given)[0].config
    assert config.evaluation.resamples == 77
    assert config.relations == stored.relations.model_copy(update={"threshold": 0.9})
    assert (config.windows, config.precision, config.name) == (stored.windows, "fp32", "tiny")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("entities/model.safetensors", "entities/model.safetensors is missing"),
        ("relations/pair_head.safetensors", "relations/pair_head.safetensors is missing"),
        ("entities/vocab.txt", "entities/vocab.txt is missing"),
        ("schema.yaml", "schema.yaml is missing"),
        ("config.yaml", "config.yaml is missing"),
        ("quanhe.json", "quanhe.json is missing"),
    ],
)
def test_a_folder_that_is_not_whole(copy, name, message):
    (copy / name).unlink()
    with pytest.raises(QuanheError, match=message):
        load_model(copy)


@pytest.mark.parametrize("part", ["entities/model.safetensors", "relations/model.safetensors", "baseline/crf.crfsuite"])
def test_weights_that_are_cut_off(copy, part):
    data = (copy / part).read_bytes()
    (copy / part).write_bytes(data[: len(data) // 2])
    with pytest.raises(QuanheError, match=f"{part} has {len(data) // 2} bytes instead of {len(data)}") as raised:
        load_model(copy)
    assert "\n" not in str(raised.value)


def test_weights_that_are_damaged_without_changing_size(copy):
    weights = copy / "entities" / "model.safetensors"
    weights.write_bytes(bytes(weights.stat().st_size))
    with pytest.raises(QuanheError, match="weights cannot be read"):
        load_model(copy)


def test_words_of_another_segmenter(copy, capsys):
    manifest = (copy / "quanhe.json").read_text(encoding="utf-8")
    stored = read_manifest(copy).segmenter
    (copy / "quanhe.json").write_text(manifest.replace(stored, stored + ".1"), encoding="utf-8")
    load_model(copy)
    assert f"trained with {stored}.1, {stored} is installed" in capsys.readouterr().err
    (copy / "quanhe.json").write_text(manifest.replace(stored, "vncorenlp/1"), encoding="utf-8")
    with pytest.raises(QuanheError, match="trained on words of vncorenlp/1"):
        load_model(copy)


def test_relations_and_baseline_may_be_left_out(tiny_model, tmp_path):
    model, manifest = load_model(tiny_model)
    model.relations, model.crf_path = None, None
    save_model(model, manifest, tmp_path / "m", {})
    loaded, _ = load_model(tmp_path / "m")
    assert (loaded.relations, loaded.crf_path) == (None, None)
    assert list(loaded.systems()) == ["quanhe", "PhoBERT + rules"]
    (found,) = loaded.extractor().extract([tiny_article(14).bare()])
    assert found.mentions
    assert (found.relations, found.facts) == ([], [])


def test_given_mentions_make_facts(tiny_model):
    gold = tiny_article(12)
    given = gold.bare()
    given.mentions = [replace(mention, entity="") for mention in gold.mentions]
    (found,) = load_pipeline(tiny_model).on_given_mentions().extract([given])
    assert [m.span for m in found.mentions] == [m.span for m in gold.mentions]
    assert {(r.type, r.head, r.tail) for r in found.relations} & {(r.type, r.head, r.tail) for r in gold.relations}
    assert len({(fact.type, fact.head, fact.tail) for fact in found.facts}) == len(found.facts) == len(found.relations)


def test_the_shipped_model_is_looked_for_here_and_beside_the_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "defence-diplomacy").mkdir(parents=True)
    assert default_model() == Path("models/defence-diplomacy")
    (tmp_path / "models" / "defence-diplomacy").rmdir()
    monkeypatch.setattr(manifest_module, "__file__", str(tmp_path / "pipeline" / "manifest.py"))
    with pytest.raises(QuanheError, match="run `make train`"):
        default_model()
