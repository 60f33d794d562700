"""JSON lines → a Parquet table: a row an article, what was found as nested lists."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.inputs.records import import_extra

SUFFIX = ".parquet"
_ROWS = 256  # a row group; held in memory at a time
_OWN = frozenset({"id", "text", "mentions", "relations", "entities", "facts"})
_ENTITY = frozenset({"id", "type", "name", "mentions"})


def is_parquet(path: Path) -> bool:
    """Whether a file's name says that it is a Parquet table."""
    return path.suffix.lower() == SUFFIX


def check_parquet() -> None:
    """Make sure that Parquet can be written.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    import_extra("pyarrow.parquet", "parquet", "writing Parquet")


def to_parquet(lines: Path, table: Path) -> None:
    """Write the objects of a file of JSON lines as a table, some hundred at a time, and force it to the disk.

    Columns are ``id``, ``text``, ``mentions``, ``relations``, ``entities`` and ``facts`` as ``docs/output.md`` has
    them; ``attributes`` of an entity is a map of what is known beyond its name, and ``fields`` the JSON object of the
    record's other fields, null when there are none.

    Raises:
        OSError: the table cannot be written.
    """
    arrow = import_extra("pyarrow", "parquet", "writing Parquet")
    parquet = import_extra("pyarrow.parquet", "parquet", "writing Parquet")
    schema = _schema(arrow)
    with lines.open("rb") as stream, parquet.ParquetWriter(str(table), schema, compression="zstd") as writer:
        rows = (_row(json.loads(line)) for line in stream)
        for some in _chunks(rows):
            writer.write_table(arrow.Table.from_pylist(some, schema=schema))
    with table.open("rb") as stream:
        os.fsync(stream.fileno())


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while some := list(islice(rows, _ROWS)):
        yield some


def _row(values: dict[str, Any]) -> dict[str, Any]:
    others = {name: value for name, value in values.items() if name not in _OWN}
    entities = [
        {
            **{name: entity[name] for name in _ENTITY},
            "attributes": [(name, str(value)) for name, value in entity.items() if name not in _ENTITY],
        }
        for entity in values["entities"]
    ]
    fields = json.dumps(others, ensure_ascii=False) if others else None
    return {**{name: values[name] for name in _OWN}, "entities": entities, "fields": fields}


def _schema(arrow: Any) -> Any:
    text, score, position = arrow.string(), arrow.float64(), arrow.int64()

    def rows(**columns: Any) -> Any:
        return arrow.list_(arrow.struct(columns))

    mention = {"id": text, "start": position, "end": position, "type": text, "text": text, "score": score}
    link = {"type": text, "head": text, "tail": text, "score": score}
    return arrow.schema(
        {
            "id": text,
            "text": text,
            "mentions": rows(**mention, entity=text),
            "relations": rows(**link),
            "entities": rows(
                id=text, type=text, name=text, mentions=arrow.list_(text), attributes=arrow.map_(text, text)
            ),
            "facts": rows(**link, evidence=arrow.list_(arrow.list_(text))),
            "fields": text,
        }
    )
