"""JSON lines: to a stream, or to a file that is complete or not there at all.

A file is written under the name ``OUT.part`` and moved to ``OUT`` at the end. Beside it, ``OUT.part.state`` says how
far the run has come; both survive a kill at any moment, and a later run goes on from there.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.document import Document
from pipeline.errors import QuanheError

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
        size: bytes of ``OUT.part`` that belong to them.
        articles, facts, failed: the counts so far.
        settings: what else must be the same, e.g. the model.
    """

    items: int = 0
    digest: str = ""
    last: str = ""
    size: int = 0
    articles: int = 0
    facts: int = 0
    failed: int = 0
    settings: str = ""


class Writer(Protocol):
    """Where a batch run puts its documents."""

    @property
    def done(self) -> Checkpoint:
        """What an earlier run has written."""

    def write(self, line: bytes) -> None:
        """Add one document, as :func:`json_line` gives it."""

    def checkpoint(self, reached: Checkpoint) -> None:
        """A good moment to make what has been written safe; ``size`` is filled in by the writer."""

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
    """Writes to an open stream, e.g. stdout; nothing can be resumed."""

    done = Checkpoint()

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, line: bytes) -> None:
        self._stream.write(line)

    def checkpoint(self, reached: Checkpoint) -> None:
        self._stream.flush()

    def finish(self) -> None:
        self._stream.flush()


class FileWriter:
    """Writes ``OUT.part`` and moves it to ``OUT`` at the end; use it in a ``with`` block.

    An ``OUT`` that is there already stays as it is until then.

    Args:
        output: the file to be.
        resume: go on from what a stopped run has left; without one, start at the beginning.
        settings: must be those of the stopped run.

    Raises:
        QuanheError: the place cannot be written to, ``OUT.part`` is there and ``resume`` is not asked for, what it
            holds does not fit its state, or another run is writing it.
    """

    def __init__(self, output: Path, resume: bool = False, settings: str = "") -> None:
        check_output(output, resume)
        self.output = Path(os.path.realpath(output))  # a link keeps pointing to the file
        self.part = part_of(self.output)
        self.done = Checkpoint(settings=settings)
        self._state = state_of(self.output)
        self._new_state = self._state.with_name(f"{self._state.name}.new")
        self._next_checkpoint = 0.0
        with _clear_errors(self.part):
            fresh = not self.part.exists()
            if fresh:
                self._clean_up()  # after a run that was killed between its last two steps
            self._stream = self.part.open("x+b" if fresh else "r+b")
        try:
            _lock(self._stream, self.part)
            if resume and self._state.exists():
                self.done = _read_state(self._state, settings)
            self._cut()
        except BaseException:
            self._stream.close()
            raise

    def _cut(self) -> None:
        """Drop what was written after the last checkpoint: half a line, or lines that will be written again."""
        size = self.done.size
        if self._stream.seek(0, os.SEEK_END) < size or (size and not self._line_ends_at(size)):
            raise QuanheError(f"{self.part}: not as the stopped run left it; delete it and start without --resume")
        with _clear_errors(self.part):
            self._stream.truncate(size)
            self._stream.seek(size)

    def _line_ends_at(self, size: int) -> bool:
        self._stream.seek(size - 1)
        return self._stream.read(1) == b"\n"

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave ``OUT.part`` for a later run to resume, unless nothing is in it."""
        if self._stream.closed:
            return
        with contextlib.suppress(OSError):  # an error of the disk has been told already
            nothing_written = self._stream.tell() == 0
            self._stream.close()
            if nothing_written:
                self._clean_up()
                self.part.unlink(missing_ok=True)

    def write(self, line: bytes) -> None:
        with _clear_errors(self.part):
            self._stream.write(line)

    def checkpoint(self, reached: Checkpoint) -> None:
        began = time.monotonic()
        if began < self._next_checkpoint:
            return
        with _clear_errors(self.part):
            self._sync()  # the state must never be ahead of what it tells of
            state = {**asdict(reached), "size": self._stream.tell()}
            self._new_state.write_text(json.dumps(state), encoding="utf-8")
            os.replace(self._new_state, self._state)
        now = time.monotonic()
        self._next_checkpoint = now + (now - began) / _CHECKPOINT_SHARE

    def finish(self) -> None:
        with _clear_errors(self.part):
            self._sync()
            self._stream.close()  # some systems do not move an open file
            os.replace(self.part, self.output)
            self._clean_up()

    def _sync(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _clean_up(self) -> None:
        self._state.unlink(missing_ok=True)
        self._new_state.unlink(missing_ok=True)


def part_of(output: Path) -> Path:
    """The name under which a file is written until it is complete."""
    return output.with_name(f"{output.name}.part")


def state_of(output: Path) -> Path:
    """The file that says how far ``OUT.part`` has come."""
    return output.with_name(f"{output.name}.part.state")


def check_output(output: Path, resume: bool) -> None:
    """Refuse an output that cannot be written, before any work is done for it.

    Raises:
        QuanheError: it is a folder, its folder is missing, or a stopped run has left ``OUT.part``.
    """
    target = Path(os.path.realpath(output))
    if os.path.isdir(target):
        raise QuanheError(f"{output}: a folder; name a file to write, e.g. {output / 'facts.jsonl'}")
    if not os.path.isdir(target.parent):
        raise QuanheError(f"{output}: no folder {target.parent}; make it first: mkdir -p {target.parent}")
    part = part_of(target)
    if os.path.exists(part) and not resume:
        raise QuanheError(f"{part}: left by a stopped run; go on from it with --resume, or delete it to start again")


def _read_state(path: Path, settings: str) -> Checkpoint:
    remedy = "delete it and the .part file, and start without --resume"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        state = Checkpoint(**{field.name: values[field.name] for field in fields(Checkpoint)})
        if any(not isinstance(getattr(state, field.name), type(field.default)) for field in fields(Checkpoint)):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QuanheError(f"{path}: cannot be read; {remedy}") from error
    if state.settings != settings:
        changed = f"the stopped run had {state.settings or 'no settings'}, this one has {settings or 'none'}"
        raise QuanheError(f"{path}: {changed}; use the same, or {remedy}")
    return state


@contextlib.contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Say what an error of the file system means for the run."""
    try:
        yield
    except OSError as error:
        reason = f"{path}: cannot be written ({error.strerror})"
        raise QuanheError(f"{reason}; check the folder and the free space, then go on with --resume") from error


def _lock(stream: BinaryIO, part: Path) -> None:
    """Let no second run write the same file; the lock ends with the process, however it ends."""
    try:
        import fcntl
    except ImportError:  # not on this system: two runs at once are then the user's own care
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise QuanheError(f"{part}: another run is writing it; wait for its end, or name another output") from error
