"""Several processes, started as accelerate does: together they are one process with larger steps."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipeline.distil.batches import Batch, Position
from pipeline.distil.checkpoint import load_checkpoint
from pipeline.distil.config import DistilConfig
from pipeline.distil.curves import read_metrics
from pipeline.distil.processes import Processes
from pipeline.distil.trainer import Trainer

ROOT = Path(__file__).parents[2]


def _launch(settings: Path, run: Path) -> subprocess.CompletedProcess[str]:
    # What `accelerate launch --multi_gpu` runs; its own option for processors wants MPI.
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "pipeline.cli"]
    command = [*launch, "distil", "-c", str(settings), "-o", str(run)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)


def test_two_processes_learn_what_one_learns_with_twice_the_passes(
    tiny: DistilConfig, start_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    run = tiny.run.model_copy(update={"max_tokens": 2500})
    config = tiny.model_copy(update={"precision": "fp32", "run": run})
    apart = config.model_copy(update={"optim": tiny.optim.model_copy(update={"accumulate": 1})})
    settings = tmp_path / "settings.yaml"
    settings.write_text(json.dumps(apart.model_dump(mode="json")), encoding="utf-8")
    for _ in range(2):  # the second time it goes on with a finished run
        done = _launch(settings, tmp_path / "two")
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("encoder: ") == 1, "only one process may speak and write"
    start_trainer(tmp_path / "one", config, max_tokens=2500).train()
    one, two = load_checkpoint(tmp_path / "one"), load_checkpoint(tmp_path / "two")
    assert one is not None and two is not None
    assert (one["tokens"], one["position"]) == (two["tokens"], two["position"])
    for name, weights in one["optim"]["master"].items():
        torch.testing.assert_close(two["optim"]["master"][name], weights, rtol=1e-4, atol=1e-5)
    steps = [line["step"] for line in read_metrics(tmp_path / "two") if "lr" in line]
    assert steps == sorted(set(steps)), "each step is logged once"


def test_shares_are_all_batches_without_overlap(
    tiny: DistilConfig, start_trainer: Callable[..., Trainer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = start_trainer(tmp_path).stream
    whole = list(itertools.islice(stream.batches(Position()), 6))
    shares: list[list[tuple[Batch, Position, int]]] = []
    for index in range(3):
        processes = Processes("cpu")
        monkeypatch.setattr(processes, "count", 3)
        monkeypatch.setattr(processes, "index", index)
        shares.append(list(itertools.islice(processes.share(stream.batches(Position())), 2)))
    for number, (batch, following) in enumerate(whole):
        mine, behind, pieces = shares[number % 3][number // 3]
        assert torch.equal(mine.student_ids, batch.student_ids)
        assert pieces == sum(b.tokens for b, _ in whole[number // 3 * 3 : number // 3 * 3 + 3])
        if number % 3 == 2:
            assert behind == following
