"""The choice of the engine, and what every engine must say alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_corpus import tiny_article

import pipeline.engines as engines
from pipeline.config import Config
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.model import Model, load_model, load_pipeline


def flip(path: Path) -> None:
    """Change the last byte of a file."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.fixture(autouse=True)
def modern_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests."""
    monkeypatch.setattr(engines, "exact_in_8_bits", lambda: True)


def load(folder: Path, **settings: object) -> Model:
    return load_model(folder, Config.model_validate(settings))[0]


def documents() -> list[Document]:
    articles = [tiny_article(number).bare() for number in range(10, 16)]
    return [*articles, Document("long", "\n".join(tiny_article(number).text for number in range(10)))]


def read(folder: Path, **settings: object) -> list[Document]:
    return load(folder, **settings).extractor().extract(documents())


def facts(document: Document) -> set[tuple[str, str, str]]:
    names = {entity.id: entity.name for entity in document.entities}
    return {(fact.type, names[fact.head], names[fact.tail]) for fact in document.facts}


def test_onnx_says_in_fp32_what_torch_says(exported: Path) -> None:
    wanted, found = read(exported, engine="torch"), read(exported, engine="onnx", precision="fp32")
    assert sum(len(document.facts) for document in wanted) > 10
    for torch_document, onnx_document in zip(wanted, found, strict=True):
        one, other = torch_document.to_dict(), onnx_document.to_dict()
        for part in ("mentions", "relations", "facts"):
            for items in (one[part], other[part]):
                assert isinstance(items, list)
            scores, others = ([item.pop("score") for item in items] for items in (one[part], other[part]))
            assert others == pytest.approx(scores, abs=1e-4)
        assert one == other


def test_8_bits_change_few_scores(exported: Path) -> None:
    full, small = load(exported, engine="onnx", precision="fp32"), load(exported, engine="onnx", precision="int8")
    texts = full.splitter(documents()[-1])
    (wanted,), (found,) = full.tagger.log_probabilities([texts]), small.tagger.log_probabilities([texts])
    assert 0 < np.abs(np.exp(wanted) - np.exp(found)).mean() < 0.02
    assert (wanted.argmax(1) == found.argmax(1)).mean() > 0.95
    agreed = [(facts(a), facts(b)) for a, b in zip(read(exported, precision="fp32"), read(exported), strict=True)]
    assert sum(len(a & b) for a, b in agreed) > 0.8 * sum(len(a | b) for a, b in agreed) > 0


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_results_depend_neither_on_other_documents_nor_on_threads(exported: Path, precision: str) -> None:
    together = [document.to_dict() for document in read(exported, engine="onnx", precision=precision, threads=1)]
    model = load(exported, engine="onnx", precision=precision, threads=3)
    assert [document.to_dict() for document in model.extractor().extract(documents())] == together
    alone = [model.extractor().extract([document])[0].to_dict() for document in documents()[::-1]][::-1]
    assert alone == together


@pytest.mark.parametrize(
    ("settings", "engine"),
    [
        ({}, "onnx fp32"),  # the tiny model's own settings say fp32
        ({"precision": "auto"}, "onnx int8"),
        ({"precision": "int8"}, "onnx int8"),
        ({"engine": "onnx", "precision": "auto"}, "onnx int8"),
        ({"precision": "bf16"}, "torch"),
        ({"engine": "torch"}, "torch"),
    ],
)
def test_the_engine_follows_the_settings(exported: Path, settings: dict[str, str], engine: str) -> None:
    assert load(exported, **settings).engine == engine


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "onnx", "precision": "bf16"}, "engine: onnx computes on the CPU in fp32 or int8"),
        ({"engine": "onnx", "device": "cuda"}, "engine: onnx computes on the CPU in fp32 or int8"),
        ({"engine": "torch", "precision": "int8"}, "engine: torch computes in fp32 or bf16"),
    ],
)
def test_settings_that_no_engine_has(exported: Path, settings: dict[str, str], message: str) -> None:
    with pytest.raises(QuanheError, match=message):
        load(exported, **settings)


def test_a_model_without_onnx_files(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(tiny_model, precision="auto").engine == "torch"
    assert capsys.readouterr().err == ""  # that is no fault
    for settings in ({"engine": "onnx"}, {"precision": "int8"}):
        with pytest.raises(QuanheError, match="run `quanhe export"):
            load(tiny_model, **settings)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("entities/model.safetensors", r"onnx: older than .*entities/model\.safetensors"),
        ("relations/pair_head.safetensors", r"onnx: older than .*pair_head\.safetensors"),
        ("onnx/entities.int8.onnx", r"entities\.int8\.onnx: damaged"),
        ("onnx/relations.int8.onnx", r"relations\.int8\.onnx: damaged"),
        ("onnx/export.json", r"export\.json: damaged"),
    ],
)
def test_stale_or_damaged_files_are_told_and_torch_is_used(
    copy: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    (copy / name).write_text("{") if name.endswith("json") else flip(copy / name)
    with pytest.raises(QuanheError, match=rf"{message}.*; run `quanhe export"):
        load(copy, engine="onnx", precision="auto")
    capsys.readouterr()
    assert load(copy, precision="auto").engine == "torch"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("quanhe: ")
    assert line.endswith("torch is used until then")


def test_missing_or_foreign_files(copy: Path) -> None:
    (copy / "onnx" / "relations.int8.onnx").unlink()
    with pytest.raises(QuanheError, match=r"relations\.int8\.onnx: missing; run `quanhe export"):
        load(copy, engine="onnx", precision="auto")
    manifest = copy / "onnx" / "export.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(QuanheError, match="format 2, this quanhe reads 1"):
        load(copy, engine="onnx", precision="fp32")


def test_a_file_that_onnxruntime_cannot_read(copy: Path) -> None:
    from pipeline.onnx_files import file_hash

    path, manifest = copy / "onnx" / "entities.fp32.onnx", copy / "onnx" / "export.json"
    before = file_hash(path)
    path.write_bytes(path.read_bytes()[:1000])
    manifest.write_text(manifest.read_text().replace(before, file_hash(path)))
    with pytest.raises(QuanheError, match=r"entities\.fp32\.onnx: onnxruntime cannot read it"):
        load(copy, engine="onnx", precision="fp32")


def test_8_bits_are_taken_where_they_are_exact(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "exact_in_8_bits", lambda: False)
    assert load(exported, precision="auto").engine == "onnx fp32"
    assert load(exported, precision="int8").engine == "onnx int8"


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    monkeypatch.setattr(engines, "_installed", lambda package: package not in packages)


def test_without_onnxruntime(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without(monkeypatch, "onnxruntime")
    assert load(exported).engine == "torch"
    assert "needs the package onnxruntime: pip install 'quanhe[onnx]'" in capsys.readouterr().err
    with pytest.raises(QuanheError, match=r"engine: onnx needs the package onnxruntime: pip install 'quanhe\[onnx\]'"):
        load(exported, engine="onnx")


def test_without_torch(exported: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch")
    assert load(exported).engine == "onnx fp32"
    with pytest.raises(QuanheError, match=r"engine: torch needs the package torch: pip install 'quanhe\[torch\]'"):
        load(exported, engine="torch")
    with pytest.raises(QuanheError, match=r"neither engine is ready.*pip install 'quanhe\[torch\]'"):
        load(tiny_model)
    without(monkeypatch, "torch", "onnxruntime")
    with pytest.raises(QuanheError, match=r"quanhe\[onnx\].*quanhe\[torch\]"):
        load(exported)


def test_extract_and_evaluate_take_an_engine(
    exported: Path, tiny_data: dict[str, str], cli: Any, tmp_path: Path
) -> None:
    article = sorted(Path(tiny_data["test"]).glob("*.txt"))[0]
    options = ("--model", exported, "--engine", "onnx", "--precision", "int8", "--threads", "1")
    outcome = cli("extract", article, *options)
    assert outcome.code == 0
    assert outcome.objects[0]["facts"]
    wanted = load_pipeline(exported, Config(precision="int8"))
    (document,) = wanted.extract([Document(article.stem, article.read_text(encoding="utf-8"))])
    assert len(outcome.objects[0]["facts"]) == len(document.facts)
    report = tmp_path / "report"
    outcome = cli("evaluate", "--model", exported, "--precision", "int8", "-o", report)
    assert outcome.code == 0
    assert "onnx int8" in (report / "report.md").read_text(encoding="utf-8")
    outcome = cli("extract", article, "--model", exported, "--engine", "torch", "--precision", "int8")
    assert outcome.code == 2
    assert outcome.lines == ["quanhe: engine: torch computes in fp32 or bf16; set precision, or take engine: onnx"]
