"""``benchmarks/speed.py`` on systems made for the purpose: what it counts, keeps, leaves out and writes."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.errors import QuanheError

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
STUB = """
import time
from pathlib import Path

def prepare(folder, texts, **options):
    (folder / "weights").write_bytes(b"w" * 2_000_000)
    return {"prepared_on": len(texts)}

def load(folder, counter="", fails=False, gflops=None):
    assert (folder / "weights").is_file()
    return Stub(counter, fails, gflops)

class Stub:
    def __init__(self, counter, fails, gflops):
        self.counter, self.fails, self.more = counter, fails, {"gflops": gflops} if gflops else {}
    def run(self, texts, pause=0.0):
        print("a library that prints")
        if self.fails:
            raise RuntimeError("out | of order")
        with Path(self.counter).open("a") as log:
            log.write(f"{len(texts)} {pause}\\n")
        time.sleep(0.001 + pause)
        return {"found": len(texts), "seconds": 0.5 + pause, **self.more}
"""
MARKS = "before\n<!-- speed: begin (by make benchmark) -->\nold\n<!-- speed: end -->\nafter\n"


@pytest.fixture
def speed(monkeypatch) -> Iterator[ModuleType]:
    """The command, which is no part of the package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("benchmark_of_speed", BENCHMARKS / "speed.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in [name for name in sys.modules if name == "speed" or name.startswith("speed.")]:
        del sys.modules[name]


@pytest.fixture
def stub(speed, tmp_path) -> Callable[..., Any]:
    """Makes a system of the given key whose every reading is a line in ``KEY.log``."""
    file = tmp_path / "stub.py"
    file.write_text(STUB, encoding="utf-8")

    def make(key: str, options: dict[str, Any] | None = None, **more: Any) -> Any:
        options = {"counter": str(tmp_path / f"{key}.log"), **(options or {})}
        return speed.System(key=key, title=f"the {key}", file=str(file), options=options, **more)

    return make


@pytest.fixture
def pages(tmp_path) -> list[Path]:
    files = [tmp_path / "README.md", tmp_path / "performance.md"]
    for file in files:
        file.write_text(MARKS, encoding="utf-8")
    return files


@pytest.fixture
def run(speed, tmp_path, pages, capsys) -> Callable[..., Any]:
    """Runs the command in a folder of its own; returns results, what it printed and what it said."""

    def call(systems: list[Any], *arguments: object) -> tuple[dict[str, Any], str, str]:
        places = ["--cache", tmp_path / "cache", "--output", tmp_path / "out", "--pages", *pages]
        speed.main([*map(str, arguments), *map(str, places)], systems)
        results = json.loads((tmp_path / "out" / "speed.json").read_text(encoding="utf-8"))
        return results, *capsys.readouterr()

    return call


def readings(tmp_path: Path, key: str) -> list[str]:
    return (tmp_path / f"{key}.log").read_text().splitlines()


def test_figures_table_and_pages(run, stub, pages, tmp_path):
    systems = [stub("transformers", {}), stub("fast", choices=({"pause": 0.3}, {"pause": 0.0}), finds="all")]
    results, printed, _ = run(systems, "--rounds", 2, "--texts", 4, "--single", 2)
    words = results["texts"]["words"]
    assert results["texts"]["articles"] == 4 and words > 100
    base, fast = results["rows"]
    assert base["words_per_second"] == fast["words_per_second"] == pytest.approx(words / 0.5, abs=0.1)
    assert fast["ratio"] == 1 and fast["rounds"] == 2 and fast["found"] == 4
    assert fast["setting"] == {"pause": 0.0} and len(fast["tried"]) == 2
    assert (fast["p50_ms"], fast["p95_ms"]) == (500, 500)  # what the system says, not what the clock says
    assert fast["startup_s"] > 0
    assert fast["model_mb"] == 2 and fast["memory_mb"] > 5
    assert results["machine"]["cores"] >= 1 and results["command"].endswith("--rounds 2 --texts 4 --single 2")
    lines = printed.splitlines()
    assert [line.count("|") for line in lines] == [lines[0].count("|")] * 4
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith("before\n<!-- speed: begin") and text.endswith("<!-- speed: end -->\nafter\n")
        assert "old" not in text and "| the fast | all |" in text and "](out/speed.svg)" in text
        assert str(tmp_path) not in text
    assert "<svg" in (tmp_path / "out" / "speed.svg").read_text(encoding="utf-8")


def test_rounds_take_turns_and_finished_ones_are_kept(run, stub, tmp_path):
    systems = [stub("a"), stub("b")]
    _, _, said = run(systems, "--rounds", 2, "--texts", 3, "--single", 1)
    assert re.findall(r"round (\d), (\w)", said) == [("1", "a"), ("1", "b"), ("2", "a"), ("2", "b")]
    before = readings(tmp_path, "a")
    results, _, said = run(systems, "--rounds", 3, "--texts", 3, "--single", 1)
    assert re.findall(r"round (\d), (\w)", said) == [("3", "a"), ("3", "b")]
    assert len(results["measurements"]["a"]) == 3
    assert len(readings(tmp_path, "a")) - len(before) == len(before) // 2
    again, _, said = run(systems, "--rounds", 3, "--texts", 3, "--single", 1)
    assert said == "" and again["rows"] == results["rows"]
    _, _, said = run(systems, "--rounds", 1, "--texts", 4, "--single", 1)
    assert len(re.findall("round 1", said)) == 2  # other texts: measured anew


def test_what_fails_is_a_row_that_says_so(run, stub, speed, tmp_path, monkeypatch):
    pins = tmp_path / "pins"
    pins.mkdir()
    (pins / "none.txt").write_text("-r missing.txt\n")
    monkeypatch.setattr(sys.modules["speed.environments"], "PINS_FOLDER", pins)
    systems = [
        stub("good"),
        stub("broken", {"fails": True}),
        stub("uninstallable", pins="none.txt"),
        stub("later", needs=("--no-such-option",)),
        stub("never", refused="not to be had"),
    ]
    results, printed, _ = run(systems, "--rounds", 1, "--texts", 2, "--single", 1)
    assert [row["system"] for row in results["rows"]] == ["good"]
    assert results["rows"][0]["ratio"] is None
    reasons = {row["system"]: row["reason"] for row in results["left_out"]}
    assert reasons["broken"] == "RuntimeError: out | of order"
    assert reasons["uninstallable"].startswith("none.txt cannot be installed: ")
    assert reasons["never"] == "not to be had"
    assert reasons["later"] == "this quanhe has no --no-such-option"
    assert "left out: RuntimeError: out / of order |" in printed  # a bar in a cell would break the table


def test_nothing_measured_writes_nothing(run, stub, pages):
    with pytest.raises(QuanheError, match="not one system"):
        run([stub("broken", {"fails": True})], "--rounds", 1, "--texts", 2)
    assert pages[0].read_text(encoding="utf-8") == MARKS


def test_probes_give_the_share_of_the_peak(run, stub, tmp_path):
    rates = {"gemm": {"fp32": 200.0, "int8": 800.0}, "encoder": {"fp32": 50.0}}
    probes = [stub(key, {"gflops": found}, probe=True, single=False) for key, found in rates.items()]
    results, printed, _ = run([stub("good"), *probes], "--rounds", 1, "--texts", 2, "--single", 1)
    assert [(probe["numbers"], probe["share_of_peak"]) for probe in results["encoders"]] == [("fp32", 0.25)]
    assert "gemm" not in printed
    assert "the encoder does 50 in fp32: 25% of that" in (tmp_path / "performance.md").read_text(encoding="utf-8")


def test_a_page_without_marks_is_refused(speed, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(QuanheError, match="one pair of lines"):
        speed.rewrite(page, "table")


def test_install_size_counts_requirements_once(speed, tmp_path):
    environments = sys.modules["speed.environments"]
    for name, requires, size in [
        ("top", ["Low", 'extra-only; extra == "more"'], 10),
        ("low", [], 100),
        ("extra-only", [], 1000),
    ]:
        info = tmp_path / f"{name.replace('-', '_')}-1.dist-info"
        info.mkdir()
        (tmp_path / f"{name}.py").write_bytes(b"#" * size)
        lines = "".join(f"Requires-Dist: {need}\n" for need in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{lines}")
        (info / "RECORD").write_text(f"{name}.py,,\n")
    assert environments.install_bytes(["top", "low"], tmp_path) == 110
    assert environments.install_bytes(["top[more]"], tmp_path) == 1110
    assert environments.install_bytes(["not-there"], tmp_path) == 0


def test_every_system_has_its_file_pins_and_name(speed):
    catalogue, environments = sys.modules["speed.catalogue"], sys.modules["speed.environments"]
    keys = [system.key for system in catalogue.SYSTEMS]
    assert len(set(keys)) == len(keys) and catalogue.BASELINE in keys
    for system in catalogue.SYSTEMS:
        assert system.refused or system.path.is_file()
        if system.pins:
            pins = (environments.PINS_FOLDER / system.pins).read_text(encoding="utf-8").splitlines()
            assert pins and all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins if not pin.startswith("#"))


def test_texts_are_spread_and_counted(speed):
    texts = sys.modules["speed.texts"]
    assert texts.spread(list("abcdefgh"), 3) == ["a", "c", "f"]
    assert texts.spread(["a"], 3) == ["a"]
    assert texts.words(["một  hai\nba", "bốn"]) == 4
    assert len(speed.load_texts()) > 150 and len(speed.load_texts(7)) == 7
