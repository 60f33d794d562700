"""JSON lines: to a stream, or to a file that is complete or not there at all.

A file is written under the name ``OUT.part`` and moved to ``OUT`` at the end. Beside it, ``OUT.part.state`` says how
far the run has come; both survive a kill at any moment, and a later run goes on from there. What failed is in
``OUT.failed.jsonl``.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.outputs.failed import FailedFile
from pipeline.outputs.files import clear_errors, lock, move, replace_file
from pipeline.outputs.parquet import check_parquet, is_parquet, to_parquet

# Line ends to Unicode and to str.splitlines(), though not to JSON: escaped, so that an object is always one line.
_LINE_ENDS = (("\u0085", "\\u0085"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029"))
_CHECKPOINT_SHARE = 0.05  # of a run's time at most: forcing data to the disk takes milliseconds, or many on some disks


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a run has come.

    Attributes:
        items: records and problems read, in input order, that are done with.
        digest: of the ids and texts of those; the inputs of a run that goes on must give the same.
        last: where the last of them stood, for messages.
        size, failed_size: bytes of the output, and of what failed, that belong to them.
        articles, facts, failed: the counts so far.
        settings: what else must be the same, e.g. the model.
    """

    items: int = 0
    digest: str = ""
    last: str = ""
    size: int = 0
    failed_size: int = 0
    articles: int = 0
    facts: int = 0
    failed: int = 0
    settings: dict[str, str] = field(default_factory=dict)


class Writer(Protocol):
    """Where a batch run puts its documents.

    Attributes:
        part: a checkpoint must come after so many items, and after each multiple; 0 when any will do.
    """

    part: int

    @property
    def done(self) -> Checkpoint:
        """What an earlier run has written."""

    def write(self, line: bytes) -> None:
        """Add one document, as :func:`json_line` gives it."""

    def fail(self, line: bytes) -> None:
        """Add one failure, as :func:`pipeline.outputs.failed.failed_line` gives it."""

    def checkpoint(self, reached: Checkpoint) -> None:
        """A good moment to make what has been written safe; the sizes are filled in by the writer."""

    def finish(self) -> None:
        """Everything has been written."""


def json_line(document: Document) -> bytes:
    """A document as one line of JSON in UTF-8, the line end included.

    Raises:
        ValueError: a value cannot be written as JSON.
    """
    line = json.dumps(document.to_dict(), ensure_ascii=False, allow_nan=False)
    for character, escape in _LINE_ENDS:
        line = line.replace(character, escape)
    return f"{line}\n".encode()


class StreamWriter:
    """Writes to an open stream, e.g. stdout; nothing can be resumed, and failures are only told."""

    done = Checkpoint()
    part = 0

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, line: bytes) -> None:
        self._stream.write(line)

    def fail(self, line: bytes) -> None:
        pass

    def checkpoint(self, reached: Checkpoint) -> None:
        self._stream.flush()

    def finish(self) -> None:
        self._stream.flush()


class FileWriter:
    """Writes ``OUT.part`` and moves it to ``OUT`` at the end; use it in a ``with`` block.

    An ``OUT`` that is there already stays as it is until then. One whose name ends in ``.parquet`` is made from the
    lines of ``OUT.part`` at the end: half a Parquet file could not be gone on with.

    Args:
        output: the file to be.
        resume: go on from what a stopped run has left; without one, start at the beginning.
        settings: must be those of the stopped run.

    Raises:
        QuanheError: the place cannot be written to, ``OUT.part`` is there and ``resume`` is not asked for, what it
            holds does not fit its state, or another run is writing it.
    """

    part = 0

    def __init__(self, output: Path, resume: bool = False, settings: Mapping[str, str] | None = None) -> None:
        check_output(output, resume)
        self.output = Path(os.path.realpath(output))  # a link keeps pointing to the file
        self.part_file = part_of(self.output)
        self.failed_file = failed_of(self.output)
        self.done = Checkpoint(settings=dict(settings or {}))
        self._latest = self.done
        self._state = state_of(self.output)
        self._next_checkpoint = 0.0
        with clear_errors(self.part_file):
            fresh = not self.part_file.exists()
            if fresh:
                self._clean_up()  # after a run that was killed between its last two steps
            self._stream = self.part_file.open("x+b" if fresh else "r+b")
        try:
            lock(self._stream.fileno(), self.part_file)
            if resume and self._state.exists():
                self.done = self._latest = _read_state(self._state, self.done.settings)
            self._cut()
        except BaseException:
            self._stream.close()
            raise

    def _cut(self) -> None:
        """Drop what was written after the last checkpoint: half a line, or lines that will be written again."""
        size = self.done.size
        if self._stream.seek(0, os.SEEK_END) < size or (size and not self._line_ends_at(size)):
            raise QuanheError(f"{self.part_file}: not as the stopped run left it; delete it and start without --resume")
        with clear_errors(self.part_file):
            self._stream.truncate(size)
            self._stream.seek(size)
            failed_part = part_of(self.failed_file)
            if self.done.failed_size and not failed_part.exists() and self.failed_file.exists():
                os.replace(self.failed_file, failed_part)  # the run was killed between its last steps
            self._failed = FailedFile(failed_part, self.done.failed_size)

    def _line_ends_at(self, size: int) -> bool:
        self._stream.seek(size - 1)
        return self._stream.read(1) == b"\n"

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave ``OUT.part`` for a later run to resume, unless no line and no failure of a batch is in it."""
        if self._stream.closed:
            return
        with contextlib.suppress(OSError, QuanheError):  # an error of the disk has been told already
            if self._latest.size:
                self._save()
                self._stream.close()
                self._failed.close()
                return
        with contextlib.suppress(OSError):
            nothing_written = self._stream.tell() == 0
            self._stream.close()
            if nothing_written:
                self._clean_up()
                self.part_file.unlink(missing_ok=True)
                self._failed.close()
                part_of(self.failed_file).unlink(missing_ok=True)

    def write(self, line: bytes) -> None:
        with clear_errors(self.part_file):
            self._stream.write(line)

    def fail(self, line: bytes) -> None:
        with clear_errors(self.failed_file):
            self._failed.write(line)

    def checkpoint(self, reached: Checkpoint) -> None:
        self._latest = replace(reached, size=self._stream.tell(), failed_size=self._failed.size)
        began = time.monotonic()
        if began < self._next_checkpoint:
            return
        self._save()
        now = time.monotonic()
        self._next_checkpoint = now + (now - began) / _CHECKPOINT_SHARE

    def _save(self) -> None:
        """Note the latest checkpoint; what was written after it is cut off by the run that goes on."""
        with clear_errors(self.part_file):
            self._sync()  # the state must never be ahead of what it tells of
            replace_file(self._state, json.dumps(asdict(self._latest)).encode())

    def finish(self) -> None:
        with clear_errors(self.part_file):
            self._sync()
            if is_parquet(self.output):
                to_parquet(self.part_file, self._table)
            self._stream.close()  # some systems do not move an open file
            if self._failed.close():
                move(part_of(self.failed_file), self.failed_file)
            else:
                self.failed_file.unlink(missing_ok=True)  # of an earlier run: this one has no failures
            if is_parquet(self.output):
                move(self._table, self.output)
                self.part_file.unlink()
            else:
                move(self.part_file, self.output)
            self._clean_up()

    @property
    def _table(self) -> Path:
        return self.part_file.with_name(f"{self.part_file.name}.parquet")

    def _sync(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._failed.sync()

    def _clean_up(self) -> None:
        for path in (self._state, self._state.with_name(f"{self._state.name}.new"), self._table):
            path.unlink(missing_ok=True)


def part_of(output: Path) -> Path:
    """The name under which a file is written until it is complete."""
    return output.with_name(f"{output.name}.part")


def state_of(output: Path) -> Path:
    """The file that says how far ``OUT.part`` has come."""
    return output.with_name(f"{output.name}.part.state")


def failed_of(output: Path) -> Path:
    """The file with what failed."""
    return output.with_name(f"{output.name}.failed.jsonl")


def check_output(output: Path, resume: bool) -> None:
    """Refuse an output that cannot be written, before any work is done for it.

    Raises:
        QuanheError: it is a folder, its folder is missing, a stopped run has left ``OUT.part``, or it is to be a
            Parquet file and pyarrow is not installed.
    """
    target = Path(os.path.realpath(output))
    if os.path.isdir(target):
        raise QuanheError(f"{output}: a folder; name a file to write, e.g. {output / 'facts.jsonl'}")
    if not os.path.isdir(target.parent):
        raise QuanheError(f"{output}: no folder {target.parent}; make it first: mkdir -p {target.parent}")
    part = part_of(target)
    if os.path.exists(part) and not resume:
        raise QuanheError(f"{part}: left by a stopped run; go on from it with --resume, or delete it to start again")
    if is_parquet(output):
        check_parquet()


def check_settings(path: Path, stopped: Mapping[str, str], now: Mapping[str, str], remedy: str) -> None:
    """Refuse to go on with a run that had other settings.

    Raises:
        QuanheError: naming both.
    """
    if dict(stopped) != dict(now):
        changed = f"the stopped run had {describe(stopped)}, this one has {describe(now)}"
        raise QuanheError(f"{path}: {changed}; use the same, or {remedy}")


def describe(settings: Mapping[str, str]) -> str:
    """Settings for a message."""
    return ", ".join(f"{name} {value}" for name, value in settings.items()) or "no settings"


def checkpoint_from(values: Mapping[str, Any]) -> Checkpoint:
    """A checkpoint from what ``asdict`` made of one.

    Raises:
        KeyError, TypeError: something is missing or of another type.
    """
    known = asdict(Checkpoint())
    if any(not isinstance(values[name], type(default)) for name, default in known.items()):
        raise TypeError
    return Checkpoint(**{name: values[name] for name in known})


def _read_state(path: Path, settings: Mapping[str, str]) -> Checkpoint:
    remedy = "delete it and the .part file, and start without --resume"
    try:
        state = checkpoint_from(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QuanheError(f"{path}: cannot be read; {remedy}") from error
    check_settings(path, state.settings, settings, remedy)
    return state
