"""The benchmark of ``quanhe suggest`` on tiny articles: its books are right, and it goes on where it was stopped."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.errors import QuanheError


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "suggest.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_suggest", path)
    assert spec and spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def config(tiny_settings, tiny_data, tmp_path) -> Path:
    quick = {name: {**tiny_settings[name], "epochs": 2} for name in ("entities", "relations")}
    train = shutil.copytree(tiny_data["train"], tmp_path / "train")
    data = {"train": str(train), "test": tiny_data["test"]}
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps({**tiny_settings, **quick, "data": data}), encoding="utf-8")
    return path


def test_runs_table_and_resume(benchmark, config, tmp_path, capsys):
    output = tmp_path / "runs" / "s.jsonl"
    arguments = ["--config", config, "--output", output, "--start", 3, "--sizes", 5, "--seeds", 2]
    command = [*map(str, arguments), "--orders", "random", "entropy"]
    benchmark.main(command)
    printed = capsys.readouterr().out
    runs = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [(run["seed"], run["order"], len(run["chosen"])) for run in runs] == [
        (2, order, size) for order in ("entropy", "random") for size in (3, 5)
    ]
    for small, large in zip(runs[::2], runs[1::2], strict=True):
        assert large["chosen"] == small["chosen"] + small["next"]
        assert len(set(large["chosen"])) == 5
        assert large["words"] > small["words"] > 0
    assert runs[0]["chosen"] == runs[2]["chosen"]
    assert runs[0]["entities"] == runs[2]["entities"]
    assert (runs[0]["seconds"] > 0, runs[2]["seconds"]) == (True, 0)  # trained once for both orders
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines()[3:]]
    assert [(row[0], row[1]) for row in rows] == [("3", "random"), ("3", "entropy"), ("5", "random"), ("5", "entropy")]
    assert " of 1 seeds)" in rows[3][4]
    # Stopped while writing the last line: only that model is trained again, and nothing changes.
    whole = output.read_text(encoding="utf-8")
    output.write_text(whole[:-20], encoding="utf-8")
    benchmark.main(command)
    again = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [{**run, "seconds": 0} for run in again] == [{**run, "seconds": 0} for run in runs]
    assert capsys.readouterr().out == printed
    with pytest.raises(QuanheError, match="made with other settings"):
        benchmark.main(["entities.epochs=3", *command])
    labels = tmp_path / "train" / "tin00.ann"
    lines = labels.read_text(encoding="utf-8").splitlines(keepends=True)
    labels.write_text("".join(line for line in lines if not line.startswith("R")), encoding="utf-8")
    with pytest.raises(QuanheError, match="made with other settings or articles"):
        benchmark.main(command)


def test_entities_alone(benchmark, config, tmp_path, capsys):
    output = tmp_path / "s.jsonl"
    arguments = ["--config", config, "--output", output, "--start", 3, "--sizes", 5, "--seeds", 2]
    benchmark.main([*map(str, arguments), "--orders", "entropy", "--entities-only"])
    header, *rows = capsys.readouterr().out.splitlines()[1:]
    assert "facts" not in header
    assert {row.count("|") for row in rows} == {header.count("|")}
    runs = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [len(run["chosen"]) for run in runs] == [3, 5]


@pytest.mark.parametrize("sizes", [(3, 3), (3, 99)])
def test_sizes_that_make_no_sense(benchmark, config, tmp_path, sizes):
    start, size = map(str, sizes)
    with pytest.raises(QuanheError, match="must rise and end at most at 10"):
        benchmark.main(
            [
                "--config",
                str(config),
                "--output",
                str(tmp_path / "s"),
                "--start",
                start,
                "--sizes",
                size,
                "--orders",
                "random",
            ]
        )
