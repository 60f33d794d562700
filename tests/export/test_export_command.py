"""``quanhe export``: complete or not at all, and of use without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_corpus import tiny_article

import pipeline.export.run as run_module
from pipeline.commands.export import export
from pipeline.config import Config, Source
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.model import load_model, load_pipeline
from pipeline.onnx_files import read_export

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "defence-diplomacy"
GRAPHS = {"entities.fp32.onnx", "entities.int8.onnx", "relations.fp32.onnx", "relations.int8.onnx"}

_WITHOUT_TORCH = """
import sys

BLOCKED = {"torch", "transformers", "datasets", "accelerate", "sklearn", "scipy", "onnx"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
        return None

sys.meta_path.insert(0, Blocker())
from pipeline.cli import main
main(sys.argv[1:])
"""


def without_torch(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def read(folder: Path, **settings: Any) -> list[dict[str, Any]]:
    documents = [tiny_article(number).bare() for number in (13, 14, 15)]
    extractor = load_pipeline(folder, Config.model_validate(settings) if settings else None)
    return [document.to_dict() for document in extractor.extract(documents)]


def test_the_files_and_what_is_said_of_them(exported: Path, tiny_model: Path) -> None:
    assert {path.name for path in (exported / "onnx").iterdir()} == {*GRAPHS, "export.json"}
    found = read_export(exported, "int8")
    assert set(found.files) == GRAPHS
    assert "entities/model.safetensors" in found.sources
    tagger = load_model(tiny_model, Config(engine="torch"))[0].tagger
    assert found.entities.labels == tagger.labels
    assert found.entities.max_pieces == 256
    assert found.tokenizer is None  # PhoBERT's files lie with the model
    ours = load_model(exported, Config(engine="onnx"))[0].tagger
    for one, other in zip(ours.scorer.grammar(), tagger.scorer.grammar(), strict=True):
        assert one.tolist() == other.tolist()


def test_extraction_without_torch(exported: Path, tiny_data: dict[str, str]) -> None:
    article = sorted(Path(tiny_data["test"]).glob("*.txt"))[0]
    done = without_torch("extract", article, "--model", exported)
    assert done.returncode == 0, done.stderr
    (found,) = load_pipeline(exported).extract([Document(article.stem, article.read_text(encoding="utf-8"))])
    assert json.loads(done.stdout) == found.to_dict()
    done = without_torch("extract", article, "--model", exported, "--engine", "torch")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "quanhe: engine: torch needs the package torch: pip install 'quanhe[torch]'\n"
    done = without_torch("export", exported)
    assert done.returncode == 2
    assert "pip install 'quanhe[export]'" in done.stderr


def test_commands_that_need_torch_say_so_and_others_run() -> None:
    done = without_torch("train", "-c", "configs/default.yaml", "entities.epochs=1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "quanhe train needs the package" in done.stderr
    assert done.stderr.endswith("pip install 'quanhe[train]'\n")
    assert len(done.stderr.splitlines()) == 1
    assert "export" in without_torch("--help").stdout
    assert without_torch("validate", "--help").returncode == 0


def test_a_folder_for_extraction_alone(
    tiny_model: Path, exported: Path, tiny_data: dict[str, str], tmp_path: Path
) -> None:
    slim = export(tiny_model, tmp_path / "new" / "slim", texts=[tiny_data["test"]])
    assert [path.name for path in slim.rglob("*.safetensors")] == ["linear.safetensors"]
    assert not (tiny_model / "onnx").exists()
    assert [path.name for path in slim.parent.iterdir()] == ["slim"]
    assert read(slim) == read(exported)
    with pytest.raises(QuanheError, match="weights cannot be read"):
        load_model(slim, Config(engine="torch"))
    with pytest.raises(QuanheError, match="exists; name a new folder"):
        export(tiny_model, slim, texts=[tiny_data["test"]])


def test_a_new_export_replaces_the_old_one_as_a_whole(
    copy: Path, tiny_data: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in (copy / "onnx").iterdir()}
    (copy / "onnx" / "old.onnx").write_text("x")
    monkeypatch.setattr(run_module, "TOLERANCE", -1.0)
    with pytest.raises(QuanheError, match=r"entities\.fp32\.onnx: its scores differ from torch's by"):
        export(copy, texts=[tiny_data["test"]])
    monkeypatch.undo()
    assert {path.name for path in (copy / "onnx").iterdir()} == {*before, "old.onnx"}
    export(copy, texts=[tiny_data["test"]])
    assert {path.name for path in (copy / "onnx").iterdir()} == set(before)
    assert [path.name for path in copy.iterdir() if path.name.startswith(".")] == []


def test_a_model_without_relations(copy: Path, tiny_data: dict[str, str], tmp_path: Path) -> None:
    from pipeline.saving import save_model

    model, manifest = load_model(copy, Config(engine="torch"))
    model.relations = None
    save_model(model, manifest, tmp_path / "m", {})
    export(tmp_path / "m", texts=[tiny_data["test"]])
    assert {path.name for path in (tmp_path / "m" / "onnx").glob("*.onnx")} == {n for n in GRAPHS if n[0] == "e"}
    assert all(found["mentions"] and not found["facts"] for found in read(tmp_path / "m", engine="onnx"))


def test_without_texts_the_training_articles_are_taken(
    tiny_config: Config, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(run_module, "export_model", lambda *given: said.extend(text.id for text in given[3]))
    export(tiny_model)
    assert said == [f"tin{number:02}" for number in range(10)]
    from pipeline.saving import save_model

    model, manifest = load_model(tiny_model, Config(engine="torch"))
    gone = tiny_config.data.model_copy(update={"train": (Source(path=tmp_path / "gone"),)})
    model.config = model.config.model_copy(update={"data": gone})
    save_model(model, manifest, tmp_path / "m", {})
    with pytest.raises(QuanheError, match="or name some articles with --texts"):
        export(tmp_path / "m")


def test_only_torch_models_can_be_saved(exported: Path, tmp_path: Path) -> None:
    from pipeline.saving import save_model

    model, manifest = load_model(exported, Config(engine="onnx"))
    with pytest.raises(QuanheError, match="load it with engine: torch"):
        save_model(model, manifest, tmp_path / "m", {})
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [str(ROOT / "annotations" / "authored" / "a02.txt")]
    return export(SHIPPED, tmp_path_factory.mktemp("shipped") / "model", texts=texts)


def test_the_shipped_model(shipped: Path) -> None:
    """In fp32 what torch says; in 8 bits nearly all of it."""
    texts = [(ROOT / "annotations" / "authored" / f"{name}.txt").read_text(encoding="utf-8") for name in ("a01", "a04")]

    def said(folder: Path, **settings: Any) -> tuple[list[Any], set[Any]]:
        extractor = load_pipeline(folder, Config.model_validate(settings))
        found = extractor.extract([Document(f"{number}", text) for number, text in enumerate(texts)])
        mentions = [(d.id, m.span, m.type) for d in found for m in d.mentions]
        names = {(d.id, entity.id): entity.name for d in found for entity in d.entities}
        return mentions, {(d.id, f.type, names[d.id, f.head], names[d.id, f.tail]) for d in found for f in d.facts}

    wanted = said(SHIPPED, engine="torch", precision="fp32")
    assert said(shipped, engine="onnx", precision="fp32") == wanted
    mentions, facts = said(shipped, engine="onnx", precision="int8")
    assert len(set(mentions) & set(wanted[0])) > 0.95 * len(set(mentions) | set(wanted[0]))
    assert len(facts & wanted[1]) > 0.85 * len(facts | wanted[1])
