"""Writing: one object a line, and a file that is complete or not there."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.document import Document, Fact, Relation, number_mentions
from pipeline.errors import QuanheError
from pipeline.outputs.writer import Checkpoint, FileWriter, StreamWriter, json_line, part_of, state_of


@example(text="Anh\u2028Pháp\u2029Đức\u0085", field="\u2028")
@given(text=st.text(st.characters(codec="utf-8")), field=st.text(st.characters(codec="utf-8")))
def test_a_document_is_one_line_that_gives_back_the_text(text, field):
    line = json_line(Document("a", text, fields={"nguồn": field})).decode("utf-8")
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    assert json.loads(line)["text"] == text
    assert json.loads(line)["nguồn"] == field


def test_offsets_count_code_points_of_the_written_text():
    text = "\N{GRINNING FACE} u\u0309y viên\r\nAnh\u2028Anh"
    spans = [(start, start + 3, "COUNTRY", 0.5) for start in range(len(text)) if text.startswith("Anh", start)]
    written = json.loads(json_line(Document("a", text, mentions=number_mentions(text, spans))))
    assert len(written["mentions"]) == 2
    for mention in written["mentions"]:
        assert written["text"][mention["start"] : mention["end"]] == mention["text"] == "Anh"


def test_a_number_that_json_lacks_is_refused():
    document = Document("a", "Anh", relations=[Relation("MEETS", "T1", "T2", float("nan"))])
    with pytest.raises(ValueError, match="JSON"):
        json_line(document)


def test_the_keys_of_a_document():
    document = Document("a", "Anh", facts=[Fact("MEETS", "E1", "E2", 0.5, (("T1", "T2"),))], fields={"url": "u"})
    written = json.loads(json_line(document))
    assert list(written) == ["url", "id", "text", "mentions", "relations", "entities", "facts"]
    assert written["facts"][0]["evidence"] == [["T1", "T2"]]


def test_a_stream_gets_whole_lines_at_each_checkpoint():
    class Stream(io.BytesIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed = len(self.getvalue())

    stream = Stream()
    writer = StreamWriter(stream)
    writer.write(b"a\n")
    writer.checkpoint(Checkpoint(items=1))
    assert stream.flushed == 2
    assert writer.done == Checkpoint()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "facts.jsonl"


def stop_after(output: Path, *lines: bytes, **options: dict) -> None:
    """A run that stops after these lines, each with a checkpoint."""
    with FileWriter(output, **options) as writer:
        for number, line in enumerate(lines, 1):
            writer._next_checkpoint = 0.0  # as if enough time had gone by
            writer.write(line)
            writer.checkpoint(Checkpoint(items=number, digest="d", settings=options.get("settings", {})))


def test_the_file_is_there_only_at_the_end(output):
    output.write_text("of an earlier run")
    with FileWriter(output) as writer:
        writer.write(b"a\n")
        writer.checkpoint(Checkpoint(items=1))
        assert output.read_text() == "of an earlier run"
        assert state_of(output).exists()
        writer.finish()
    assert output.read_bytes() == b"a\n"
    assert list(output.parent.iterdir()) == [output]


def test_an_error_leaves_the_part_to_go_on_from(output):
    with pytest.raises(KeyboardInterrupt), FileWriter(output) as writer:
        writer.write(b"a\n")
        writer.checkpoint(Checkpoint(items=1, digest="d", articles=1))
        writer.write(b"half a li")
        raise KeyboardInterrupt
    assert not output.exists()
    with FileWriter(output, resume=True) as writer:
        assert replace(writer.done, size=0) == Checkpoint(items=1, digest="d", articles=1)
        writer.write(b"b\n")
        writer.finish()
    assert output.read_bytes() == b"a\nb\n"


def test_a_stop_before_anything_was_written_leaves_nothing(output):
    with pytest.raises(RuntimeError), FileWriter(output):
        raise RuntimeError
    assert list(output.parent.iterdir()) == []


def test_without_resume_a_part_is_not_touched(output):
    stop_after(output, b"a\n")
    with pytest.raises(QuanheError, match="--resume, or delete it"):
        FileWriter(output)
    assert part_of(output).read_bytes() == b"a\n"


def test_resume_without_a_part_begins_at_the_beginning(output):
    state_of(output).write_text("of a run killed after its file was moved into place")
    with FileWriter(output, resume=True) as writer:
        assert writer.done == Checkpoint()
        writer.write(b"a\n")
        writer.finish()
    assert list(output.parent.iterdir()) == [output]


def test_a_part_without_a_state_is_written_anew(output):
    part_of(output).write_bytes(b"a\nb")
    with FileWriter(output, resume=True) as writer:
        assert writer.done == Checkpoint()
        writer.write(b"c\n")
        writer.finish()
    assert output.read_bytes() == b"c\n"


@pytest.mark.parametrize("part", [b"", b"a", b"a\nbb"])
def test_a_part_that_was_changed_is_told(output, part):
    stop_after(output, b"a\n", b"b\n")
    part_of(output).write_bytes(part)
    with pytest.raises(QuanheError, match="not as the stopped run left it"):
        FileWriter(output, resume=True)
    assert part_of(output).read_bytes() == part


@pytest.mark.parametrize("state", ["", "{", "[]", '{"items": 1}', "size as text", b"\xff"])
def test_a_state_that_was_changed_is_told(output, state):
    stop_after(output, b"a\n")
    if state == "size as text":
        state = json.dumps({**json.loads(state_of(output).read_text()), "size": "2"})
    state_of(output).write_bytes(state if isinstance(state, bytes) else state.encode())
    with pytest.raises(QuanheError, match=r"facts\.jsonl\.part\.state: cannot be read; delete it and the \.part file"):
        FileWriter(output, resume=True)


def test_other_settings_are_told(output):
    stop_after(output, b"a\n", settings={"model": "old"})
    with pytest.raises(QuanheError, match=r"model old.*model new"):
        FileWriter(output, resume=True, settings={"model": "new"})
    with FileWriter(output, resume=True, settings={"model": "old"}) as writer:
        assert writer.done.items == 1


def test_two_runs_cannot_write_the_same_file(output):
    pytest.importorskip("fcntl", reason="no file locks on this system")
    with FileWriter(output) as writer:
        writer.write(b"a\n")
        with pytest.raises(QuanheError, match="another run"):
            FileWriter(output, resume=True)
        writer.finish()
    assert output.read_bytes() == b"a\n"


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(QuanheError, match=r"a folder; name a file"):
        FileWriter(tmp_path)
    with pytest.raises(QuanheError, match="mkdir -p"):
        FileWriter(tmp_path / "missing" / "facts.jsonl")
    (tmp_path / "file").write_text("")
    with pytest.raises(QuanheError, match="no folder"):
        FileWriter(tmp_path / "file" / "facts.jsonl")


def test_a_full_disk_is_told_and_can_be_resumed(output, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(QuanheError, match=r"No space left on device.*--resume"), FileWriter(output) as writer:
        writer.write(b"a\n")
        monkeypatch.setattr("os.fsync", full)
        writer.checkpoint(Checkpoint(items=1))
    assert part_of(output).exists()


def test_an_output_that_is_a_link_stays_one(tmp_path, output):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "real.jsonl"
    target.write_text("old")
    output.symlink_to(target)
    with FileWriter(output) as writer:
        writer.write(b"a\n")
        writer.finish()
    assert output.is_symlink()
    assert target.read_bytes() == b"a\n"


def test_checkpoints_cost_a_bounded_share_of_the_time(output, monkeypatch):
    clock = [0.0]
    syncs = []
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def slow_disk(descriptor: int) -> None:
        syncs.append(clock[0])
        clock[0] += 0.5

    monkeypatch.setattr("os.fsync", slow_disk)
    with FileWriter(output) as writer:
        for number in range(1, 1001):
            clock[0] += 0.1  # the model's work
            writer.write(b"a\n")
            writer.checkpoint(Checkpoint(items=number))
    assert 2 <= len(syncs) <= 16
