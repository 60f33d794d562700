"""What reading gives: articles, what could not be read, and what was passed over."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from pipeline.document import Document
from pipeline.errors import MissingExtraError, Problem

EMPTY_TEXT = "the text is empty, so nothing can be found in it"
# Keys that Document.to_dict writes itself: a field of the input by one of these names cannot be kept beside them.
_OUTPUT_KEYS = frozenset({"id", "text", "mentions", "relations", "entities", "facts"})


@dataclass(frozen=True, slots=True)
class FieldNames:
    """The fields (columns) of a record that hold its id and its text."""

    id: str = "id"
    text: str = "text"


DEFAULT_NAMES = FieldNames()


@dataclass(frozen=True, slots=True)
class Record:
    """An article as it was read.

    Attributes:
        document: id, text and the other fields of the record; nothing found in it yet.
        path, line: where it stands; the line counts from 1 and is 0 when the article is the whole file.
        warnings: what the user should know though nothing is lost.
    """

    document: Document
    path: str
    line: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """``file:line``, or the file alone."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that holds no article to read; with a reason when it is more than a file of another kind."""

    path: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BadRecord(Problem):
    """A record that cannot be used, with what can be read of it.

    Attributes:
        id: empty when it is not known.
        record: field name → value, the cells of a row, or the line as it stands; bytes when it is not UTF-8.
    """

    id: str = field(default="", compare=False)
    record: Any = field(default=None, compare=False, repr=False)


Item = Record | Problem | Skipped


def stem(path: str) -> str:
    """The file's name without folder and last suffix, as text that can be written as UTF-8.

    File names are bytes on some systems; a byte that is not UTF-8 becomes U+FFFD.
    """
    return PurePath(path).stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def file_record(path: str, text: str) -> Record:
    """The article that a whole file holds; its id is the file's stem."""
    return Record(Document(stem(path), text), path, 0, () if text.strip() else (EMPTY_TEXT,))


def make_record(values: Mapping[str, Any], path: str, line: int, names: FieldNames) -> Record | Problem:
    """The article in one record of a file of records, or what is wrong with it.

    Args:
        values: field name → value; fields that are neither id nor text are kept unchanged.
        path, line: where the record stands; an id that is missing is made from both.
        names: which fields hold id and text.
    """
    text = values.get(names.text)
    if not isinstance(text, str):
        return _bad(values, path, line, names, _why_no_text(values, names.text))
    identifier = values.get(names.id)
    if isinstance(identifier, bool) or not isinstance(identifier, str | int | float | None):
        kind = type(identifier).__name__
        reason = f"the field {names.id!r} is of type {kind}; an id must be text or a number"
        return _bad(values, path, line, names, reason)
    if identifier is None or identifier == "":
        identifier = f"{stem(path)}-{line}"
    fields = {name: value for name, value in values.items() if name not in (names.id, names.text)}
    warnings = [f"the field {name!r} gives way to the output's own" for name in sorted(_OUTPUT_KEYS & fields.keys())]
    if not text.strip():
        warnings.append(EMPTY_TEXT)
    return Record(Document(str(identifier), text, fields=fields), path, line, tuple(warnings))


def _bad(values: Mapping[str, Any], path: str, line: int, names: FieldNames, reason: str) -> BadRecord:
    identifier = values.get(names.id)
    return BadRecord(path, line, reason, identifier if isinstance(identifier, str) else "", dict(values))


def _why_no_text(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        known = ", ".join(repr(field) for field in list(values)[:10]) or "none"
        return f"no field {name!r}; name the one that holds the text with --text-field (fields here: {known})"
    value = values[name]
    kind = "null" if value is None else f"of type {type(value).__name__}"
    return f"the field {name!r} is {kind}, not text; correct the record or take it out"


def import_extra(module: str, extra: str, purpose: str) -> Any:
    """Import a module of an optional dependency.

    Raises:
        MissingExtraError: it, or something that it needs, is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(module.partition(".")[0], extra, purpose) from error


def first_line(error: BaseException) -> str:
    """The first line of an exception's message, or its name when it has none: fit for a message of one line."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
