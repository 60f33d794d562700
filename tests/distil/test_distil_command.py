"""``quanhe distil`` and its settings."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModel

from pipeline.commands.distil import distil
from pipeline.config import load_config
from pipeline.distil.checkpoint import load_checkpoint
from pipeline.distil.config import DistilConfig, load_distil_config
from pipeline.distil.curves import read_metrics
from pipeline.distil.trainer import Status
from pipeline.errors import MissingExtraError, ProblemsError, QuanheError
from pipeline.windows.tokenizer import PhobertPieces

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tiny: DistilConfig, tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(json.dumps(tiny.model_dump(mode="json")), encoding="utf-8")
    return path


def test_the_settings_of_the_repo() -> None:
    config = load_distil_config(ROOT / "configs" / "distil.yaml")
    assert (ROOT / str(config.student) / "model.safetensors").is_file()
    assert config == load_distil_config(ROOT / "configs" / "distil.yaml", ["data.corpus=[corpus.txt]"])
    with pytest.raises(ProblemsError):
        load_config(ROOT / "configs" / "distil.yaml")


def test_mistakes_are_reported_at_once_with_file_and_line(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("data:\n  corpus: [{path: a, dataset: b}]\n  maks: 0.3\n", encoding="utf-8")
    path = tmp_path / "top.yaml"
    path.write_text("extends: base.yaml\nloss: {mlm: -1}\n", encoding="utf-8")
    with pytest.raises(ProblemsError) as raised:
        load_distil_config(path, ["run.threads=x"])
    assert {str(problem) for problem in raised.value.problems} == {
        f"{base}:2: data.corpus.0: exactly one of path and dataset is needed",
        f"{base}:3: unknown key data.maks; did you mean mask?",
        "override 'run.threads=x': run.threads: input should be a valid integer, unable to parse string as an integer"
        " (found 'x')",
        f"{path}:1: teacher is missing",
        f"{path}:2: loss.mlm: input should be greater than or equal to 0 (found -1)",
    }


def test_start_go_on_branch_and_export(cli: Callable[..., Any], settings: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = cli("distil", "--config", settings, "-o", run, "run.max_tokens=600")
    assert first.code == 0, first.err
    assert "starting at 0 student pieces" in first.err
    assert {path.name for path in run.iterdir()} >= {"encoder", "last.pt", "metrics.jsonl", "curves.png", "student"}
    again = cli("distil", "--config", settings, "-o", run, "run.max_tokens=1200", "run.curves=false")
    assert "going on at 6" in again.err or "going on at 7" in again.err
    assert read_metrics(run)[-1]["tokens"] >= 1200
    before = (run / "last.pt").read_bytes()
    cooled = cli("distil", "--config", settings, "-o", tmp_path / "b", "--branch", run, "--cooldown", 500)
    assert cooled.code == 0, cooled.err
    assert "master weights after 1," in cooled.err
    assert (run / "last.pt").read_bytes() == before
    model = tmp_path / "b" / "encoder" / "model.safetensors"
    masters = model.read_bytes()
    exported = cli("distil", "-c", settings, "-o", tmp_path / "b", "--export-only", "--weights", "average")
    assert exported.code == 0 and "average weights" in exported.err
    assert model.read_bytes() != masters
    assert AutoModel.from_pretrained(model.parent).config.num_hidden_layers == 2


def test_a_student_made_from_the_teacher(tiny: DistilConfig, tmp_path: Path) -> None:
    dumped = tiny.model_dump(mode="json")
    dumped |= {"student": None, "start": {"layers": [1, 3], "pieces": 150, "positions": 64}}
    dumped["run"] |= {"max_tokens": 400, "curves": False}
    config = DistilConfig.model_validate(dumped)
    lines: list[str] = []
    folder = distil(config, tmp_path / "run", say=lines.append)
    assert PhobertPieces(folder).size == AutoModel.from_pretrained(folder).config.vocab_size <= 150
    vocabulary = (folder / "vocab.txt").stat().st_mtime_ns
    start = (tmp_path / "run" / "student" / "vocab.txt").stat().st_mtime_ns
    distil(config, tmp_path / "run", say=lines.append)
    assert (tmp_path / "run" / "student" / "vocab.txt").stat().st_mtime_ns == start <= vocabulary
    assert lines.count("learning a vocabulary") == 1


def test_a_folder_that_holds_something_else(tiny: DistilConfig, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("", encoding="utf-8")
    with pytest.raises(QuanheError, match="no distillation run"):
        distil(tiny, tmp_path)
    with pytest.raises(QuanheError, match="no checkpoint to branch from"):
        distil(tiny, tmp_path / "new", branch_of=tmp_path)


def test_nothing_to_export(cli: Callable[..., Any], settings: Path, tmp_path: Path) -> None:
    outcome = cli("distil", "-c", settings, "-o", tmp_path / "none", "--export-only")
    assert outcome.code == 2
    assert "no checkpoint to export" in outcome.err


def test_without_matplotlib_it_says_so_before_it_trains(
    tiny: DistilConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"quanhe\[distil\]"):
        distil(tiny, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_checkpoint_and_an_encoder(tiny: DistilConfig, tmp_path: Path, number: int) -> None:
    lines: list[str] = []
    steps: list[Status] = []

    def stop_at_three(status: Status) -> None:
        steps.append(status)
        if len(steps) == 3:
            os.kill(os.getpid(), number)

    folder = distil(tiny, tmp_path, say=lines.append, on_step=stop_at_three)
    assert len(steps) == 3 and steps[0].goal is None
    assert lines[-1] == "stopped; the same command goes on"
    state = load_checkpoint(tmp_path)
    assert state is not None and state["tokens"] == steps[-1].tokens
    assert (folder / "model.safetensors").is_file()
