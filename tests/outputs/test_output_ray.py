"""On a Ray cluster of several processes: the same output as on one machine, whatever is killed."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import stub_model

from pipeline.commands.extract import Parts, extract
from pipeline.errors import MissingExtraError, QuanheError
from pipeline.inputs.records import DEFAULT_NAMES, Record
from pipeline.outputs.on_ray import RayExecutor, _Reading, _Unit, _Working, check_ray
from pipeline.outputs.work import Fault, InProcess


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray", reason="the extra ray is not installed")
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])
    try:
        ray.init(
            num_cpus=3,
            include_dashboard=False,
            log_to_driver=False,
            object_store_memory=100_000_000,
            runtime_env={"env_vars": {"PYTHONPATH": path}},
        )
    except Exception as error:  # Ray waits half a minute for its own processes, which a busy machine may not be up to
        pytest.skip(f"Ray does not start on this machine: {error}")
    yield ray
    ray.shutdown()


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "tin"
    folder.mkdir()
    for name in "ab":
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as stream:
            for number in range(120):
                text = "hỏng" if number % 47 == 5 else f"Anh {number}"
                stream.write("broken\n" if number == 41 else json.dumps({"id": f"{name}{number}", "text": text}) + "\n")
    (folder / "c.txt").write_text("Anh")
    return folder


def contents(output: Path) -> dict[str, bytes]:
    paths = output.iterdir() if output.is_dir() else output.parent.glob(f"{output.name}*")
    return {path.name.removeprefix(output.name): path.read_bytes() for path in paths}


def on_ray(source: Path, output: Path, load=stub_model.load, **options):
    with RayExecutor(load, actors=2, size=4) as executor:
        return extract([str(source)], executor, output, read=executor.read, report=lambda line: None, **options)


def here(source: Path, output: Path, **options) -> None:
    extract([str(source)], InProcess(stub_model.Stub()), output, report=lambda line: None, **options)


def test_the_output_is_that_of_one_machine_while_actors_are_killed(cluster, source, tmp_path):
    here(source, tmp_path / "whole", parts=Parts(50))
    killed: list[int] = []
    killer = threading.Thread(target=kill_actors, args=(killed,), daemon=True)
    killer.start()
    summary = on_ray(source, tmp_path / "out", stub_model.load_slow, parts=Parts(50))
    killer.join(30)
    assert killed
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert (summary.articles, summary.failed) == (233, 8)


def kill_actors(killed: list[int]) -> None:
    """Kill the first two actors that are seen at work."""
    deadline = time.monotonic() + 60
    while len(killed) < 2 and time.monotonic() < deadline:
        for folder in Path("/proc").iterdir():
            with_name = folder / "cmdline"
            try:
                if folder.name.isdigit() and b"ray::MapWorker" in with_name.read_bytes() and len(killed) < 2:
                    time.sleep(0.5)
                    os.kill(int(folder.name), signal.SIGKILL)
                    killed.append(int(folder.name))
            except OSError:
                continue
        time.sleep(0.1)


def test_a_stopped_run_goes_on_on_the_cluster_and_a_deadly_article_is_given_up(cluster, source, tmp_path):
    with (source / "b.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"id": "b120", "text": "chết"}\n')
    calls = iter(range(100))

    def stop(articles: int) -> None:
        if next(calls) == 30:
            raise KeyboardInterrupt

    output = tmp_path / "facts.jsonl"
    with pytest.raises(KeyboardInterrupt):
        here(source, output, batch=4, advance=stop)
    summary = on_ray(source, output, resume=True)
    assert (summary.articles, summary.failed) == (233, 9)
    failures = [json.loads(line) for line in (tmp_path / "facts.jsonl.failed.jsonl").open()]
    assert failures[-1]["id"] == "b120"
    assert "died of it" in failures[-1]["reason"]
    ids = [json.loads(line)["id"] for line in output.open()]
    assert len(ids) == len(set(ids)) == 233


def test_what_runs_on_the_cluster_passes_items_and_results_in_order(source):
    """Without a cluster: a file and an article in it that kills its reader, through both stages."""
    arrow = pytest.importorskip("pyarrow", reason="the extra ray is not installed")
    (source / "b.jsonl").write_text('{"id": "b", "text": "Anh"}\n{"id": "x", "text": "chết"}\nbroken\n')
    units = [_Unit(source / "b.jsonl"), _Unit(source / "a.jsonl", skip=118)]
    rows = arrow.table({"data": arrow.array([pickle.dumps(unit) for unit in units], arrow.large_binary())})
    working = _Working(stub_model.load)
    done = [
        pickle.loads(data) for batch in _Reading(DEFAULT_NAMES, 4)(rows) for data in working(batch)["data"].to_pylist()
    ]
    working.close()
    items, results = ([thing for pair in done for thing in pair[kind]] for kind in (0, 1))
    assert [item.document.id if isinstance(item, Record) else "" for item in items] == ["b", "x", "", "a118", "a119"]
    assert [isinstance(result, Fault) for result in results] == [False, True, False, False]


def test_without_ray_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(MissingExtraError, match=r"--runner ray needs the package ray: pip install 'quanhe\[ray\]'"):
        check_ray(["a.jsonl"])


def test_stdin_is_refused():
    with pytest.raises(QuanheError, match="stdin"):
        check_ray(["-"])
