"""JSONL: one JSON object a line."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import Problem, ProblemsError
from pipeline.inputs.records import BadRecord, FieldNames, Item, Record, make_record
from pipeline.inputs.text_files import check_encoding_mark, decode_utf8

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SHOWN = 40  # characters of an offending value that a message shows


def read_jsonl(path: Path, names: FieldNames) -> Iterator[Item]:
    """The articles of a ``.jsonl`` file, a line at a time."""
    with path.open("rb") as stream:
        yield from json_lines(stream, str(path), names)


def json_lines(lines: Iterable[bytes], path: str, names: FieldNames, first_line: int = 1) -> Iterator[Item]:
    """The articles in lines of JSON; a line that cannot be read becomes a problem and the next one is tried.

    Empty lines, and the UTF-8 signature that some programs write first, are passed over.

    Raises:
        ProblemsError: the first line shows that the whole file is something else.
    """
    at_start = True
    for number, line in enumerate(lines, first_line):
        if number == 1:
            check_encoding_mark(line[:4], path)
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line.strip():
            continue
        if at_start:
            _check_form(line, path, number)
            at_start = False
        yield _read_line(line, path, number, names)


def _check_form(line: bytes, path: str, number: int) -> None:
    """Refuse an array or an object spread over lines: each of its lines would be an error of its own."""
    form = line.strip()
    array = form == b"[" or (form.startswith(b"[{") and not form.endswith(b"]"))
    if array or form == b"{":
        command = "jq -c '.[]'" if array else "jq -c ."
        message = f"JSON spread over several lines; write one object a line: {command} OLD > NEW"
        raise ProblemsError([Problem(path, number, message)])


def _read_line(line: bytes, path: str, number: int, names: FieldNames) -> Record | Problem:
    try:
        values = _parse(decode_utf8(line, path, number))
    except ProblemsError as error:
        return _bad_line(line, path, number, error.problems[0].message)
    except json.JSONDecodeError as error:
        message = f"not valid JSON ({error.msg[:1].lower()}{error.msg[1:]}, character {error.pos + 1})"
        return _bad_line(line, path, number, f"{message}; correct the line or take it out")
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        message = f"this JSON cannot be kept unchanged: {reason}; correct the line or take it out"
        return _bad_line(line, path, number, message)
    if not isinstance(values, dict):
        kind = type(values).__name__
        return _bad_line(line, path, number, f"a JSON object is needed, not {kind}; write one object a line")
    return make_record(values, path, number, names)


def _bad_line(line: bytes, path: str, number: int, message: str) -> BadRecord:
    raw = line.rstrip(b"\r\n")
    try:
        return BadRecord(path, number, message, record=raw.decode("utf-8"))
    except UnicodeDecodeError:
        return BadRecord(path, number, message, record=raw)


def _parse(line: str) -> Any:
    """Parse strict JSON (RFC 8259) and refuse what cannot be written again as it was.

    Raises:
        json.JSONDecodeError: no JSON.
        ValueError: a name twice in one object, half a surrogate pair, a number beyond all bounds, NaN.
        RecursionError: nested too deeply.
    """
    values = json.loads(line, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite)
    if _SURROGATE_ESCAPE.search(line):
        try:
            json.dumps(values, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            half = ord(error.object[error.start])
            raise ValueError(f"\\u{half:04x} is half a surrogate pair, no character") from None
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:_SHOWN]!r} stands twice in one object")
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"the number {digits[:_SHOWN]} is too large")
    return value
