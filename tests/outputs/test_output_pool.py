"""Worker processes: the same output as in one process, and nothing lost when any of them dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import stub_model

from pipeline.errors import QuanheError
from pipeline.inputs.records import DEFAULT_NAMES, Item, Record, make_record
from pipeline.outputs.batches import Batch, cut
from pipeline.outputs.pool import WorkerPool
from pipeline.outputs.position import InputPosition
from pipeline.outputs.work import Fault, InProcess, Line

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
ROOT = Path(__file__).parents[2]


def article(number: int, text: str = "") -> Record:
    record = make_record({"id": f"a{number}", "text": text or f"Anh {number}"}, "tin.jsonl", number, DEFAULT_NAMES)
    assert isinstance(record, Record)
    return record


def batches(items: list[Item], size: int = 4) -> Iterator[Batch]:
    return cut(iter(items), InputPosition(), size)


def run(items: list[Item], load=stub_model.load, workers: int = 2, size: int = 4):
    """Returns the results of all articles in order, and what was reported."""
    reported: list[str] = []
    with WorkerPool(load, workers, reported.append) as pool:
        results = [result for _, some in pool.run(batches(items, size)) for result in some]
    return results, reported


def test_workers_give_what_one_process_gives_in_input_order():
    items = [article(number, "hỏng" if number == 30 else "") for number in range(90)]
    expected = [result for _, some in InProcess(stub_model.Stub()).run(batches(items)) for result in some]
    results, reported = run(items)
    assert results == expected
    assert isinstance(results[30], Fault)
    assert reported == []


def test_an_article_that_kills_its_worker_costs_only_itself():
    items = [article(number, "chết" if number == 5 else "") for number in range(20)]
    results, reported = run(items)
    faults = [index for index, result in enumerate(results) if isinstance(result, Fault)]
    assert faults == [5]
    assert results[5].reason == "the worker process died of it, SIGKILL, as when memory runs out, 2 times"
    assert all(isinstance(result, Line) and b'"Anh"' in result.data for result in results[:5] + results[6:])
    assert len(reported) == 2
    assert "its 4 articles are tried again one by one" in reported[0]
    assert "'a5'" in reported[1]


def test_a_worker_that_is_killed_from_outside_costs_nothing(tmp_path):
    items = [article(number, f"Anh chết {tmp_path}/{number}" if number % 7 == 3 else "") for number in range(20)]
    results, reported = run(items, workers=3)
    assert len(results) == 20
    assert all(isinstance(result, Line) for result in results)
    assert len(reported) == 3


def test_memory_is_bounded_by_what_is_read_ahead():
    read = given = 0
    ahead = []

    def items() -> Iterator[Item]:
        nonlocal read
        for number in range(300):
            read += 1
            ahead.append(read - given)
            yield article(number)

    with WorkerPool(stub_model.load, 2) as pool:
        for _, results in pool.run(cut(items(), InputPosition(), 5)):
            given += len(results)
    assert given == 300
    assert max(ahead) <= (2 * 4 + 1) * 5


def test_a_model_that_cannot_be_loaded_is_one_error():
    with pytest.raises(QuanheError, match="model x: no such folder"):
        run([article(1)], stub_model.load_nothing)


def test_workers_that_die_while_loading_end_the_run():
    with pytest.raises(QuanheError, match=r"while they load the model .*--workers"):
        run([article(1)], stub_model.load_and_die, workers=1)


def test_an_error_of_the_program_is_told_as_one():
    with pytest.raises(RuntimeError, match="other documents than it was given"):
        run([article(number) for number in range(8)], stub_model.load_mixing, workers=1)


def test_nothing_to_do():
    assert run([]) == ([], [])


PARENT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
import stub_model
from pipeline.outputs.pool import WorkerPool
if __name__ == "__main__":
    with WorkerPool(stub_model.load, 2) as pool:
        print(*pool.pids, flush=True)
        {then}
"""


def start_parent(then: str) -> tuple[subprocess.Popen[str], list[int]]:
    code = PARENT.format(root=str(ROOT), here=str(Path(__file__).parent), then=then)
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    return parent, [int(pid) for pid in parent.stdout.readline().split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (OSError, IndexError):
        return False


def test_workers_end_with_their_parent_however_it_ends():
    parent, pids = start_parent("import time; time.sleep(60)")
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.02)
