"""doccano's JSONL for sequence labelling, with relations ("JSONL(Relation)") or without.

Offsets are UTF-16 code units, as doccano's page counts them unless a project has "Count grapheme clusters as one
character" on; for text without characters beyond U+FFFF they are code points. What doccano has no place for, entity
links and fields, stands in columns of its own: doccano keeps those as metadata and gives them back. Its span ids are
new then, so links name spans by place and type.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, StrictInt

from pipeline.document import Document, Relation
from pipeline.inputs.records import Record
from pipeline.interchange.articles import Articles, Notes, Options, Span, Written, build_document, links
from pipeline.interchange.jsonl import read_records

LINKS, FIELDS = "entity_links", "article_fields"
_Place = tuple[StrictInt, StrictInt, str]


class _Entity(BaseModel):
    id: StrictInt
    label: str
    start_offset: StrictInt
    end_offset: StrictInt


class _Relation(BaseModel):
    from_id: StrictInt
    to_id: StrictInt
    type: str


class _Labels(BaseModel):
    entities: list[_Entity] = []
    relations: list[_Relation] = []
    label: list[_Place] = []
    entity_links: list[list[_Place]] = []
    article_fields: dict[str, Any] = {}


def read(path: Path, options: Options) -> Articles:
    """Read the articles of a ``.jsonl`` export, or of all such files of a folder."""
    notes: Notes = Counter()
    return Articles(read_records(path, lambda record: _document(record, notes)), notes)


def _document(record: Record, notes: Notes) -> Document:
    fields = dict(record.document.fields)
    if "labels" in fields and "label" not in fields:  # older exports
        fields["label"] = fields.pop("labels")
    if not {"entities", "label"} & fields.keys():
        raise ValueError("no `entities` and no `label`; export a sequence labelling project as JSONL")
    labels = _Labels.model_validate({key: fields.pop(key) for key in _Labels.model_fields if key in fields})
    if comments := fields.pop("Comments", None):
        notes["comments, left out"] += len(comments) if isinstance(comments, list) else 1
    text = record.document.text
    point = _points(text)
    spans = [Span(str(e.id), point(e.start_offset, e.id), point(e.end_offset, e.id), e.label) for e in labels.entities]
    spans += [
        Span(f"label {number}", point(start, number), point(end, number), kind)
        for number, (start, end, kind) in enumerate(labels.label, 1)
    ]
    relations = [Relation(r.type, str(r.from_id), str(r.to_id)) for r in labels.relations]
    groups = [[(point(start), point(end), kind) for start, end, kind in group] for group in labels.entity_links]
    linked = _linked(spans, groups, notes)
    fields |= labels.article_fields
    document, _ = build_document(record.document.id, text, linked, relations, fields)
    return document


def _linked(spans: Sequence[Span], groups: Sequence[Sequence[tuple[int, int, str]]], notes: Notes) -> list[Span]:
    """The spans with the entity that the links name at their places; of equal spans the first take it."""
    names: dict[tuple[int, int, str], list[str]] = {}
    for number, group in enumerate(groups, 1):
        for place in group:
            names.setdefault(place, []).append(f"{place[2]} {number}")
    linked = []
    for span in spans:
        waiting = names.get((span.start, span.end, span.type))
        linked.append(replace(span, entity=waiting.pop(0)) if waiting else span)
    if gone := sum(map(len, names.values())):
        notes["entity links to spans that were changed or removed in doccano, left out"] += gone
    return linked


def _units(text: str) -> list[int]:
    """UTF-16 code units before each code point, and of the whole text."""
    return [0, *accumulate(1 + (character > "\uffff") for character in text)]


def _points(text: str) -> Callable[..., int]:
    """The way from UTF-16 offsets back to code points."""
    units = _units(text) if any(character > "\uffff" for character in text) else None

    def point(offset: int, span: object = "") -> int:
        if units is None or offset < 0 or offset > units[-1]:
            return offset  # checked with the span
        index = bisect_left(units, offset)
        if units[index] != offset:
            raise ValueError(f"the span {span} ends inside a character at {offset}; label it again in doccano")
        return index

    return point


def write(documents: Sequence[Document], path: Path, options: Options) -> Written:
    """Write one JSON object a line; all have the same keys, since doccano reads a table."""
    notes: Notes = Counter()
    ids: list[str | None] = []
    lines = []
    for document in documents:
        if not document.text:
            ids.append(None)  # doccano refuses an empty text
            continue
        ids.append(document.id)
        lines.append(json.dumps(record(document), ensure_ascii=False, allow_nan=False))
        ordered = sorted(document.mentions, key=lambda mention: mention.span)
        if any(after.start < before.end for before, after in pairwise(ordered)):
            notes[
                'articles whose spans overlap: tick "Allow overlapping spans" in the doccano project, or its import '
                "leaves spans out and stops at their relations"
            ] += 1
        if any(character > "\uffff" for character in document.text):
            notes[
                "articles with characters beyond U+FFFF, whose offsets are counted as doccano's page counts them "
                "(leave its grapheme option off)"
            ] += 1
    path.write_bytes("".join(f"{_one_line(line)}\n" for line in lines).encode("utf-8"))
    return Written(documents, ids, notes)


def _one_line(line: str) -> str:
    for character in "\u0085\u2028\u2029":
        line = line.replace(character, f"\\u{ord(character):04x}")
    return line


def record(document: Document) -> dict[str, Any]:
    """One article as doccano imports it."""
    units = _units(document.text)
    numbers = {mention.id: number for number, mention in enumerate(document.mentions, 1)}
    return {
        "id": document.id,
        "text": document.text,
        "entities": [
            {"id": numbers[m.id], "label": m.type, "start_offset": units[m.start], "end_offset": units[m.end]}
            for m in document.mentions
        ],
        "relations": [
            {"id": number, "from_id": numbers[r.head], "to_id": numbers[r.tail], "type": r.type}
            for number, r in enumerate(document.relations, 1)
        ],
        LINKS: [[[units[m.start], units[m.end], m.type] for m in group] for group in links(document)],
        FIELDS: document.fields,
    }
