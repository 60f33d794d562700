"""Training: it learns, goes on to the bit, cools down, refuses other settings, exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, PhobertTokenizer

from pipeline.distil.checkpoint import LAST, PREVIOUS, load_checkpoint, save_checkpoint
from pipeline.distil.config import DistilConfig, LayerPair, OptimConfig
from pipeline.distil.curves import draw, read_metrics
from pipeline.distil.export import export
from pipeline.distil.optim import learning_rate
from pipeline.distil.runs import layer_pairs
from pipeline.distil.trainer import Trainer
from pipeline.errors import QuanheError

Start = Callable[..., Trainer]


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in _flat(item, f"{path}/{key}").items()}
    if isinstance(value, list | tuple):
        return _flat(dict(enumerate(value)), path)
    return {path: value}


@pytest.mark.parametrize(("precision", "threads"), [("bf16", 2), ("fp32", 1)])
def test_a_resumed_run_equals_an_unbroken_one(
    tiny: DistilConfig, start_trainer: Start, tmp_path: Path, precision: str, threads: int
) -> None:
    config = tiny.model_copy(update={"precision": precision})
    start_trainer(tmp_path / "whole", config, threads=threads, max_tokens=9000).train()
    for limit in (1000, 4500, 9000):  # crosses shards and an epoch
        start_trainer(tmp_path / "broken", config, threads=threads, max_tokens=limit).train()
    whole, broken = (load_checkpoint(tmp_path / name) for name in ("whole", "broken"))
    assert whole is not None and broken is not None
    assert whole["position"]["epoch"] >= 1
    a, b = _flat(whole), _flat(broken)
    assert a.keys() == b.keys()
    for name, value in a.items():
        same = torch.equal(value, b[name]) if isinstance(value, torch.Tensor) else value == b[name]
        assert same, name


def test_it_learns_and_draws(start_trainer: Start, tmp_path: Path) -> None:
    seen = []
    start_trainer(tmp_path, max_tokens=14000).train(seen.append)
    assert seen[-1].tokens >= seen[-1].goal == 14000 > seen[-2].tokens
    lines = [line for line in read_metrics(tmp_path) if "held_z" in line]
    assert lines[0]["tokens"] == 0 and lines[-1]["end"]
    assert lines[-1]["held_z"] < 0.9 * lines[0]["held_z"]
    assert lines[-1]["held_mlm"] < lines[0]["held_mlm"]
    pytest.importorskip("matplotlib")
    draw(tmp_path, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10000


def test_a_wider_teacher_needs_a_projection(tiny: DistilConfig, start_trainer: Start, tmp_path: Path) -> None:
    wide = tiny.model_copy(update={"teacher": str(Path(tiny.teacher).parent / "wide")})
    trainer = start_trainer(tmp_path, wide, max_tokens=600)
    before = trainer.student.projections["0"].weight.clone()
    trainer.train()
    assert not torch.equal(before, trainer.student.projections["0"].weight)
    export(tmp_path, Path(tiny.student or ""), tmp_path / "out")
    AutoModel.from_pretrained(tmp_path / "out")


def test_cooldown_ends_at_zero(start_trainer: Start, tmp_path: Path) -> None:
    start_trainer(tmp_path, max_tokens=3000).train()
    trainer = start_trainer(tmp_path)
    start = trainer.tokens
    trainer.begin_cooldown(2000)
    trainer.train()
    assert start + 2000 <= trainer.tokens < start + 3000
    rates = [line["lr"] for line in read_metrics(tmp_path) if "lr" in line]
    assert rates[-1] < 0.3 * max(rates)
    again = start_trainer(tmp_path)
    assert again.cooldown == (start, 2000) and again.finished


def test_a_cooldown_in_the_settings_ends_with_the_run(start_trainer: Start, tmp_path: Path) -> None:
    for _ in range(2):  # going on with a finished run changes nothing
        trainer = start_trainer(tmp_path, max_tokens=5000, cooldown_tokens=2000)
        trainer.train()
        assert trainer.cooldown is not None
        assert 3000 <= trainer.cooldown[0] < 3600
        assert sum(trainer.cooldown) == 5000 <= trainer.tokens < 5600


def test_a_run_goes_on_with_the_same_settings_only(tiny: DistilConfig, start_trainer: Start, tmp_path: Path) -> None:
    start_trainer(tmp_path, max_tokens=300).train()
    other = tiny.model_copy(
        update={"seed": 7, "data": tiny.data.model_copy(update={"mask": 0.4}), "optim": OptimConfig(accumulate=1)}
    )
    with pytest.raises(QuanheError) as raised:
        start_trainer(tmp_path, other)
    assert "data.mask (0.2, now 0.4), optim.accumulate (2, now 1), seed (1, now 7)" in str(raised.value)
    rates = tiny.model_copy(update={"loss": tiny.loss.model_copy(update={"mlm": 1.0}), "optim": OptimConfig()})
    assert start_trainer(tmp_path, rates).tokens >= 300


def test_layer_pairs(tiny: DistilConfig) -> None:
    assert layer_pairs(tiny, 6, 12) == tiny.loss.pairs
    plain = tiny.model_copy(update={"loss": tiny.loss.model_copy(update={"pairs": ()})})
    assert layer_pairs(plain, 6, 12) == (LayerPair(student=6, teacher=12), LayerPair(student=3, teacher=6))
    with pytest.raises(QuanheError, match="the teacher 2"):
        layer_pairs(tiny, 6, 2)


def test_sequences_that_are_too_long(tiny: DistilConfig, start_trainer: Start, tmp_path: Path) -> None:
    longer = tiny.model_copy(update={"data": tiny.data.model_copy(update={"max_tokens": 65})})
    with pytest.raises(QuanheError, match=r"data\.max_tokens: 65 is more than the 64 pieces"):
        start_trainer(tmp_path, longer)


def test_schedule() -> None:
    config = OptimConfig(peak_lr=1.0, warmup_tokens=100)
    assert learning_rate(49, config, None) == 0.5
    assert learning_rate(10**9, config, None) == 1.0
    assert learning_rate(1025, config, (1000, 100)) == pytest.approx(0.5)
    assert learning_rate(1200, config, (1000, 100)) == 0.0


def test_a_checkpoint_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, {"n": 1})
    save_checkpoint(tmp_path, {"n": 2})
    assert load_checkpoint(tmp_path) == {"n": 2}
    assert torch.load(tmp_path / PREVIOUS, weights_only=True) == {"n": 1}

    def broken(_state: object, handle: Any) -> None:
        handle.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(tmp_path, {"n": 3})
    assert load_checkpoint(tmp_path) == {"n": 2}


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    (tmp_path / LAST).write_bytes(b"no checkpoint")
    with pytest.raises(QuanheError, match=r"is damaged; put previous\.pt"):
        load_checkpoint(tmp_path)


def test_export_loads_in_transformers(tiny: DistilConfig, start_trainer: Start, tmp_path: Path) -> None:
    config = tiny.model_copy(update={"precision": "fp32"})
    trainer = start_trainer(tmp_path / "run", config, max_tokens=2000)
    trainer.train()
    assert export(tmp_path / "run", Path(tiny.student or ""), tmp_path / "out", "master") == trainer.tokens
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"vocab.txt", "bpe.codes", "config.json", "model.safetensors", "tokenizer_config.json"} <= names
    tokenizer = PhobertTokenizer.from_pretrained(tmp_path / "out")
    model, loading = AutoModelForMaskedLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not loading["missing_keys"] and not loading["unexpected_keys"]
    assert model.dtype == torch.float16
    ids = torch.tensor([tokenizer("Tổng_thống Mỹ thăm Việt_Nam .")["input_ids"]])
    with torch.no_grad():
        theirs = model.float().eval().roberta(ids).last_hidden_state[0]
        ours = trainer.student.model.encoder(ids, torch.ones_like(ids, dtype=torch.bool), {2})[2]
    torch.testing.assert_close(theirs, ours, atol=2e-2, rtol=1e-2)
