"""A folder of part files and a manifest: for runs of millions of articles, read while they go on.

``part-00000.jsonl`` holds what came of the first so many records, ``part-00001.jsonl`` of the next, and so on. A part
is written under another name and moved into place when it is complete; then ``manifest.json`` is replaced by one that
lists it. A part that no manifest lists does not count: the run that goes on writes it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pipeline
from pipeline.errors import QuanheError
from pipeline.outputs.failed import FailedFile
from pipeline.outputs.files import clear_errors, lock, move, replace_file
from pipeline.outputs.parquet import check_parquet, to_parquet
from pipeline.outputs.writer import Checkpoint, check_settings, checkpoint_from

MANIFEST = "manifest.json"
FAILED = "failed.jsonl"
PART_ITEMS = 1000
FORMS = ("jsonl", "parquet")
_FORMAT = 1
_PART_NAME = re.compile(r"part-\d{5,}\.(jsonl|parquet)(\.tmp|\.lines)?")
_REMEDY = "empty the folder and start without --resume"


@dataclass(frozen=True, slots=True)
class Part:
    """A complete part.

    Attributes:
        first, items: the records and problems of the input that it covers, counted from 0.
        articles, facts: in it.
        bytes, sha256: of the file.
    """

    name: str
    first: int
    items: int
    articles: int
    facts: int
    bytes: int
    sha256: str


class PartsWriter:
    """Writes parts into a folder, which is made when it is missing; use it in a ``with`` block.

    Args:
        folder: the folder to be; its parent must be there.
        items: records (and problems) a part.
        form: ``jsonl`` or ``parquet``.
        resume: go on behind the last complete part; a complete run is gone on with when its input has grown.
        settings: noted in the manifest; must be those of the stopped run.

    Raises:
        QuanheError: the folder cannot be written, holds other files, a run that ``resume`` was not asked for, or one of
            other settings; or another run is writing it.
    """

    def __init__(
        self,
        folder: Path,
        items: int = PART_ITEMS,
        form: str = "jsonl",
        resume: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        check_folder(folder, resume, form)
        self.folder, self.part, self._form = Path(os.path.realpath(folder)), items, form
        self._complete = False
        self._parts: list[Part] = []
        self.done = Checkpoint(settings=dict(settings or {}))
        with clear_errors(self.folder):
            self._made = not self.folder.exists()
            self.folder.mkdir(exist_ok=True)
            self._lock = os.open(self.folder, os.O_RDONLY)
        try:
            lock(self._lock, self.folder)
            if (self.folder / MANIFEST).exists():
                self._read_manifest()
            self._begun = self._latest = self.done
            with clear_errors(self.folder):
                if not self._parts:
                    self._save(self.done)  # before any other file: it shows that the folder is a run's
                self._remove_unlisted()
                self._failed = FailedFile(self.folder / FAILED, self.done.failed_size)
                self._open()
        except BaseException:
            os.close(self._lock)
            raise

    def _read_manifest(self) -> None:
        path = self.folder / MANIFEST
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            reached = checkpoint_from(values)
            parts = [Part(**part) for part in values["parts"]]
            form, items = values["form"], values["part_items"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise QuanheError(f"{path}: cannot be read; {_REMEDY}") from error
        check_settings(path, reached.settings, self.done.settings, _REMEDY)
        if (form, items) != (self._form, self.part):
            raise QuanheError(f"{path}: a run with --format {form} --parts {items}; use the same, or {_REMEDY}")
        for part in parts:
            self._check_part(self.folder / part.name, part.bytes)
        self.done, self._parts = reached, parts

    def _check_part(self, path: Path, size: int) -> None:
        if not path.is_file() or path.stat().st_size != size:
            raise QuanheError(f"{path}: missing, or not as the stopped run left it; {_REMEDY}")

    def _remove_unlisted(self) -> None:
        listed = {part.name for part in self._parts}
        for path in self.folder.iterdir():
            if _PART_NAME.fullmatch(path.name) and path.name not in listed:
                path.unlink()

    def _open(self) -> None:
        """Begin the next part."""
        self._name = f"part-{len(self._parts):05d}.{self._form}"
        self._lines = self.folder / f"{self._name}.{'lines' if self._form == 'parquet' else 'tmp'}"
        self._stream = self._lines.open("wb")

    def __enter__(self) -> PartsWriter:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the complete parts for a later run to resume; take the folder away when there are none."""
        with contextlib.suppress(OSError):  # an error of the disk has been told already
            self._stream.close()
            self._lines.unlink(missing_ok=True)
            self._failed.close()
            if not self._parts:
                for name in (MANIFEST, FAILED):
                    (self.folder / name).unlink(missing_ok=True)
                if self._made:
                    self.folder.rmdir()
        os.close(self._lock)

    def write(self, line: bytes) -> None:
        """Add one document."""
        with clear_errors(self._lines):
            self._stream.write(line)

    def fail(self, line: bytes) -> None:
        """Add one failure."""
        with clear_errors(self._failed.path):
            self._failed.write(line)

    def checkpoint(self, reached: Checkpoint) -> None:
        """Complete the part when all its items are done."""
        self._latest = reached
        if reached.items - self._begun.items >= self.part:
            self._seal()
            with clear_errors(self.folder):
                self._open()

    def finish(self) -> None:
        """Complete the last part and the manifest."""
        if self._latest.items > self._begun.items:
            self._seal()
        self._complete = True
        with clear_errors(self.folder):
            self._stream.close()
            self._lines.unlink(missing_ok=True)
            self._failed.sync()
            self._save(replace(self._latest, failed_size=self._failed.size))
            self._failed.close()

    def _seal(self) -> None:
        """Give the part its name, then note it: a kill in between costs the part, and nothing is there twice."""
        with clear_errors(self.folder):
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._failed.sync()
            reached = replace(self._latest, failed_size=self._failed.size)
            if reached.articles > self._begun.articles:
                self._parts.append(self._complete_part(reached))
            self._lines.unlink(missing_ok=True)
            self._save(reached)
            self._latest = self._begun = reached

    def _complete_part(self, reached: Checkpoint) -> Part:
        path, begun = self.folder / self._name, self._begun
        source = self._lines
        if self._form == "parquet":
            source = self.folder / f"{self._name}.tmp"
            to_parquet(self._lines, source)
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = source.stat().st_size
        move(source, path)
        return Part(
            name=self._name,
            first=begun.items,
            items=reached.items - begun.items,
            articles=reached.articles - begun.articles,
            facts=reached.facts - begun.facts,
            bytes=size,
            sha256=digest,
        )

    def _save(self, reached: Checkpoint) -> None:
        values: dict[str, Any] = {
            "format": _FORMAT,
            "quanhe": pipeline.__version__,
            "complete": self._complete,
            "form": self._form,
            "part_items": self.part,
            **asdict(reached),
            "parts": [asdict(part) for part in self._parts],
        }
        replace_file(self.folder / MANIFEST, (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode())


def check_folder(folder: Path, resume: bool, form: str = "jsonl") -> None:
    """Refuse a folder that cannot take a run's output, before any work is done for it.

    Raises:
        QuanheError: it is a file, its parent is missing, it holds a run that is not to be resumed, or other files; or
            Parquet is asked for and pyarrow is not installed.
    """
    target = Path(os.path.realpath(folder))
    if os.path.exists(target) and not os.path.isdir(target):
        raise QuanheError(f"{folder}: a file, and parts need a folder; name another")
    if not os.path.isdir(target.parent):
        raise QuanheError(f"{folder}: no folder {target.parent}; make it first: mkdir -p {target.parent}")
    if os.path.isdir(target):
        ours = os.path.exists(target / MANIFEST)
        if ours and not resume:
            raise QuanheError(f"{folder}: holds a run; go on from it with --resume, or empty it to start again")
        if not ours and any(name != f"{MANIFEST}.new" for name in os.listdir(target)):
            raise QuanheError(f"{folder}: holds other files; name a new or an empty folder, or a file to write")
    if form == "parquet":
        check_parquet()
