"""A folder of parts: complete or not there, listed in a manifest, and gone on with after any stop."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stub_model

from pipeline.errors import Problem, QuanheError
from pipeline.inputs.records import DEFAULT_NAMES, BadRecord, Item, Skipped, make_record
from pipeline.outputs.batch import BatchRun, BatchSummary
from pipeline.outputs.parts import PartsWriter
from pipeline.outputs.work import InProcess

SETTINGS = {"model": "m", "sha256": "0"}


class Stop(BaseException):
    """Stands for a kill: nothing in the program catches it."""


def items(count: int = 40) -> Iterator[Item]:
    for number in range(1, count + 1):
        text = "hỏng" if number % 13 == 0 else f"Anh {number}"
        if number % 7 == 0:
            yield BadRecord("tin.jsonl", number, "broken", record="{")
        elif number % 11 == 0:
            yield Skipped(f"{number}.md")
        else:
            yield make_record({"id": f"a{number}", "text": text}, "tin.jsonl", number, DEFAULT_NAMES)


def stops(stream: Iterator[Item], after: int) -> Iterator[Item]:
    for number, item in enumerate(stream):
        if number == after:
            raise Stop
        yield item


def run(folder: Path, stream: Iterator[Item], resume: bool = False, killed: bool = False, **options) -> BatchSummary:
    """Args: killed: the process is gone at the first error, without a last word."""
    writer = PartsWriter(folder, **{"items": 10, "settings": SETTINGS, **options}, resume=resume)
    batch_run = BatchRun(InProcess(stub_model.Stub()), writer, 4, SETTINGS, report=lambda line: None)
    try:
        summary = batch_run(stream)
    except BaseException as error:
        if killed:
            os.close(writer._lock)  # as the end of a process does
            writer._stream.close()
            writer._failed._stream.close()
        else:
            writer.__exit__(type(error), error, None)
        raise
    writer.__exit__(None, None, None)
    return summary


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # a kill, not a power cut


@pytest.fixture
def whole(tmp_path) -> Path:
    run(tmp_path / "whole", items())
    return tmp_path / "whole"


def test_parts_hold_a_fixed_number_of_records_and_the_manifest_lists_them(whole):
    assert sorted(content(whole)) == ["failed.jsonl", "manifest.json", *(f"part-0000{n}.jsonl" for n in range(4))]
    listed = manifest(whole)
    assert [(part["first"], part["items"]) for part in listed["parts"]] == [(0, 10), (10, 10), (20, 10), (30, 7)]
    for part in listed["parts"]:
        data = (whole / part["name"]).read_bytes()
        assert (part["bytes"], part["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert part["articles"] == part["facts"] == len(data.splitlines())
    assert listed["complete"] is True
    assert listed["settings"] == SETTINGS
    ids = [json.loads(line)["id"] for part in listed["parts"] for line in (whole / part["name"]).open()]
    assert ids == [f"a{n}" for n in range(1, 41) if n % 7 and n % 11 and n % 13]
    assert (listed["articles"], listed["failed"]) == (len(ids), 8)


def test_what_failed_is_kept_with_its_reason_and_record(whole):
    failures = [json.loads(line) for line in (whole / "failed.jsonl").open()]
    assert failures[0] == {"path": "tin.jsonl", "line": 7, "reason": "broken", "record": "{"}
    assert (failures[1]["line"], failures[1]["id"]) == (13, "a13")
    assert failures[1]["record"] == {"id": "a13", "text": "hỏng"}
    assert "ValueError: cannot" in failures[1]["reason"]
    assert [failure["line"] for failure in failures] == [7, 13, 14, 21, 26, 28, 35, 39]


def test_a_run_stopped_anywhere_goes_on_behind_its_last_complete_part(tmp_path, whole):
    for after in range(0, 40, 3):
        folder = tmp_path / f"stopped-{after}"
        with pytest.raises(Stop):
            run(folder, stops(items(), after), killed=bool(after % 2))
        run(folder, items(), resume=True)
        assert content(folder) == content(whole)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("step", ["replace", "unlink"])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_killed_between_any_two_steps_on_the_disk_goes_on(tmp_path, monkeypatch, form, step, after):
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    run(tmp_path / "whole", items(), form=form)
    real = getattr(os, step)
    for call in range(12):
        folder = tmp_path / f"{call}"
        count = iter(range(1000))

        def kills(*arguments, call=call, count=count):
            stop = next(count) == call
            if stop and not after:
                raise Stop
            real(*arguments)
            if stop:
                raise Stop

        with monkeypatch.context() as patch, contextlib.suppress(Stop):
            patch.setattr(f"os.{step}", kills)
            run(folder, items(), killed=True, form=form)
        if not is_complete(folder):
            run(folder, items(), resume=True, form=form)
        assert content(folder) == content(tmp_path / "whole")


def is_complete(folder: Path) -> bool:
    return (folder / "manifest.json").exists() and manifest(folder)["complete"]


def test_parts_as_tables(tmp_path, whole):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    run(tmp_path / "tables", items(), form="parquet")
    for listed, other in zip(manifest(whole)["parts"], manifest(tmp_path / "tables")["parts"], strict=True):
        objects = [json.loads(line) for line in (whole / listed["name"]).open()]
        rows = parquet.read_table(tmp_path / "tables" / other["name"]).to_pylist()
        assert [row["id"] for row in rows] == [found["id"] for found in objects]
        assert [row["mentions"] for row in rows] == [found["mentions"] for found in objects]
        assert [row["facts"] for row in rows] == [found["facts"] for found in objects]
        assert all(row["fields"] is None for row in rows)


def test_a_complete_run_takes_in_what_came_after(tmp_path, whole):
    before = content(whole)
    run(whole, items(), resume=True)
    assert content(whole) == before
    summary = run(whole, items(50), resume=True)
    listed = manifest(whole)
    assert [part["first"] for part in listed["parts"]] == [0, 10, 20, 30, 37]
    assert summary.articles == listed["articles"] == sum(part["articles"] for part in listed["parts"])
    assert all((whole / name).read_bytes() == data for name, data in before.items() if name.startswith("part"))


def test_records_that_all_fail_make_no_part(tmp_path):
    bad = [Problem("x.jsonl", line, "broken") for line in range(1, 11)]
    run(tmp_path / "out", iter([*bad, *items(10)]))
    (part,) = manifest(tmp_path / "out")["parts"]
    assert (part["name"], part["first"], part["articles"]) == ("part-00000.jsonl", 10, 9)


def test_a_run_of_which_nothing_came_leaves_nothing(tmp_path):
    with pytest.raises(QuanheError, match="no article came through"):
        run(tmp_path / "out", iter([Problem("x", 0, "gone")]))
    assert not (tmp_path / "out").exists()


def test_folders_that_cannot_be_written_to(tmp_path, whole):
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("")
    for folder, words, options in (
        (tmp_path / "file", "a file", {}),
        (tmp_path / "no" / "out", "mkdir -p", {}),
        (tmp_path / "full", "other files", {}),
        (whole, "go on from it with --resume", {}),
        (whole, "model m", {"resume": True, "settings": {"model": "n"}}),
        (whole, "--parts 10", {"resume": True, "items": 11}),
    ):
        with pytest.raises(QuanheError, match=words):
            run(folder, items(), **options)


def test_two_runs_cannot_write_the_same_folder(tmp_path):
    pytest.importorskip("fcntl", reason="no file locks on this system")
    with PartsWriter(tmp_path / "out"), pytest.raises(QuanheError, match="another run"):
        PartsWriter(tmp_path / "out", resume=True)


@pytest.mark.parametrize("damage", ["gone", "short", "manifest"])
def test_what_was_changed_since_the_stop_is_told(tmp_path, damage):
    with pytest.raises(Stop):
        run(tmp_path / "out", stops(items(), 30))
    part = tmp_path / "out" / "part-00001.jsonl"
    if damage == "gone":
        part.unlink()
    elif damage == "short":
        part.write_bytes(part.read_bytes()[:-1])
    else:
        (tmp_path / "out" / "manifest.json").write_text('{"parts": [')
    with pytest.raises(QuanheError, match=r"(part-00001|manifest)\.json"):
        run(tmp_path / "out", items(), resume=True)
