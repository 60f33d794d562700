"""Tables with a row an article: CSV and Parquet."""

from __future__ import annotations

import base64
import csv
import datetime
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from pipeline.errors import Problem, ProblemsError
from pipeline.inputs.records import BadRecord, FieldNames, Item, Record, first_line, import_extra, make_record
from pipeline.inputs.text_files import check_encoding_mark

_DELIMITERS = ",;\t|"  # what spreadsheets write, the comma first
_LONGEST_CELL = 2**31 - 1
_LONGEST_HEADER = 100_000  # characters of the first row that are looked at to find the delimiter
_UNDECODED = re.compile("[\udc80-\udcff]")  # what errors="surrogateescape" makes of bytes that are not UTF-8
_BATCH_ROWS = 64


def read_csv(path: Path, names: FieldNames) -> Iterator[Item]:
    """The rows of a ``.csv`` file whose first row names the columns.

    Quoting follows RFC 4180, strictly. The delimiter is the comma, or whichever of semicolon, tab and ``|`` makes the
    first row hold the text's column. A row that cannot be read becomes a problem and the next one is tried.

    Raises:
        ProblemsError: the first row cannot be read, names a column twice, or none by the text's name.
    """
    with path.open("rb") as head:
        check_encoding_mark(head.read(4), str(path))
    # Undecodable bytes come in as lone surrogates, so that only their row is lost and quoting stays in step.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        delimiter = _delimiter(next((line for line in stream if line.strip()), ""), names)
        stream.seek(0)
        columns: list[str] = []
        for line, row in _rows(stream, str(path), delimiter):
            if columns:
                yield row if isinstance(row, Problem) else _row_record(row, columns, str(path), line, names)
            elif isinstance(row, Problem):
                raise ProblemsError([row])  # without the names of the columns no other row can be read
            else:
                columns = row
                _check_columns(columns, str(path), line, names)


def _delimiter(header: str, names: FieldNames) -> str:
    for delimiter in _DELIMITERS:
        if names.text in next(csv.reader([header[:_LONGEST_HEADER]], delimiter=delimiter), []):
            return delimiter
    return _DELIMITERS[0]


def _rows(stream: TextIO, path: str, delimiter: str) -> Iterator[tuple[int, list[str] | Problem]]:
    """Rows with the number of the line that they begin on; empty lines are no rows."""
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = _next_row(reader)
        except csv.Error as error:
            yield line, Problem(path, line, f"not valid CSV from here ({error}); check the quotes of this row")
            continue
        if row is None:
            return
        if row:
            fault = _fault(row)
            yield line, BadRecord(path, line, fault, record=row) if fault else row


def _next_row(reader: Any) -> list[str] | None:
    """The next row, ``None`` at the end, whatever the length of its cells.

    The csv module keeps its limit of 128 KiB a cell in a global; it is lifted only while a row is read.
    """
    limit = csv.field_size_limit(_LONGEST_CELL)
    try:
        row: list[str] | None = next(reader, None)
        return row
    finally:
        csv.field_size_limit(limit)


def _fault(row: Sequence[str]) -> str:
    """What is wrong with the bytes of a row, empty when nothing is."""
    joined = "".join(row)
    if "\0" in joined:
        return "a NUL byte, so this is no UTF-8 text; save the text alone as UTF-8"
    if not joined.isascii() and _UNDECODED.search(joined):
        return "not UTF-8; convert the file, e.g. iconv -f CP1258 -t UTF-8 OLD > NEW"
    return ""


def _check_columns(columns: Sequence[str], path: str, line: int, names: FieldNames) -> None:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise ProblemsError([Problem(path, line, f"the column {twice[0]!r} stands twice; rename one")])
    if names.text not in columns:
        known = ", ".join(repr(name[:40]) for name in columns[:10])
        message = f"no column {names.text!r}; name the one that holds the text with --text-field (columns: {known})"
        raise ProblemsError([Problem(path, line, message)])


def _row_record(row: list[str], columns: list[str], path: str, line: int, names: FieldNames) -> Record | Problem:
    if len(row) > len(columns):
        message = f"{len(row)} cells under {len(columns)} columns; put cells that hold the delimiter in double quotes"
        return BadRecord(path, line, message, record=row)
    return make_record(dict(zip(columns, row, strict=False)), path, line, names)


def read_parquet(path: Path, names: FieldNames) -> Iterator[Item]:
    """The rows of a ``.parquet`` file, some at a time; the line of a record is its row, counted from 1.

    Raises:
        MissingExtraError: pyarrow is not installed.
        ProblemsError: no Parquet file, damaged, a column twice, or none by the text's name.
    """
    parquet = import_extra("pyarrow.parquet", "parquet", "reading Parquet")
    arrow = import_extra("pyarrow", "parquet", "reading Parquet")
    try:
        with parquet.ParquetFile(str(path)) as table:
            _check_columns(table.schema_arrow.names, str(path), 0, names)
            row = 0
            for batch in table.iter_batches(batch_size=_BATCH_ROWS):
                for index in range(batch.num_rows):
                    row += 1
                    yield _parquet_record(batch, index, str(path), row, names)
    except arrow.ArrowException as error:
        message = f"not a readable Parquet file ({first_line(error)}); write or download it again"
        raise ProblemsError([Problem(str(path), 0, message)]) from error


def _parquet_record(batch: Any, index: int, path: str, row: int, names: FieldNames) -> Record | Problem:
    values: dict[str, Any] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            value = column[index].as_py()
            if isinstance(value, bytes) and name in (names.id, names.text):
                value = value.decode("utf-8")  # some writers store strings without saying that they are strings
        except ValueError as error:
            return Problem(path, row, f"column {name!r} cannot be read here ({first_line(error)}); correct it")
        values[name] = plain_value(value)
    return make_record(values, path, row, names)


def plain_value(value: Any) -> Any:
    """A value of a typed table in JSON's types.

    Dates and times become ISO 8601, NaN and infinities ``None``, bytes base64, decimals and whatever else JSON lacks
    their text.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): plain_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(inner) for inner in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)
