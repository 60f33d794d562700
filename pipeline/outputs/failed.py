"""The dead-letter file: what failed, why, and the record itself, ready to be mended and given to a later run."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from pipeline.errors import Problem, QuanheError
from pipeline.inputs.records import BadRecord, Record


def failed_line(problem: Problem) -> bytes:
    """A failure as one line of JSON, the line end included (``docs/output.md`` has the keys)."""
    values: dict[str, Any] = {"path": problem.path, "line": problem.line, "reason": problem.message}
    if isinstance(problem, BadRecord):
        if problem.id:
            values["id"] = problem.id
        if isinstance(problem.record, bytes):
            values["record_base64"] = base64.b64encode(problem.record).decode("ascii")
        elif problem.record is not None:
            values["record"] = problem.record
    # Names of files and cells of broken tables may hold lone surrogates: ASCII can hold them, UTF-8 cannot.
    return (json.dumps(values, default=str) + "\n").encode("ascii")


def failure_of(record: Record, reason: str) -> BadRecord:
    """The failure of an article that was read well, with the record as an input of a later run may have it."""
    document = record.document
    values = {**document.fields, "id": document.id, "text": document.text}
    return BadRecord(record.path, record.line, reason, document.id, values)


class FailedFile:
    """A file that is there only when something was written; what a stopped run wrote beyond ``size`` is cut off.

    Raises:
        QuanheError: it is shorter than the stopped run left it.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._stream = path.open("r+b" if path.exists() else "x+b")
        if self._stream.seek(0, os.SEEK_END) < size:
            self._stream.close()
            raise QuanheError(f"{path}: not as the stopped run left it; delete the output and start without --resume")
        self._stream.truncate(size)
        self._stream.seek(size)
        self._synced = size

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._stream.tell()

    def write(self, line: bytes) -> None:
        """Add a line, as :func:`failed_line` gives it."""
        self._stream.write(line)

    def sync(self) -> None:
        """Force what was written to the disk."""
        if self.size > self._synced:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._synced = self.size

    def close(self) -> bool:
        """Close the file, and take it away when it is empty; returns whether it is there."""
        if not self._stream.closed:
            self._empty = self.size == 0
            self._stream.close()
        if self._empty:
            self.path.unlink(missing_ok=True)
        return not self._empty
