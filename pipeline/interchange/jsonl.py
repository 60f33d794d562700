"""quanhe's own JSONL, as ``quanhe extract`` writes it (docs/output.md): the one format here that holds everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictInt, ValidationError

from pipeline.document import Document, Entity, Fact, Relation
from pipeline.errors import Problem, ProblemsError
from pipeline.inputs.json_lines import read_jsonl
from pipeline.inputs.records import DEFAULT_NAMES, Record, Skipped
from pipeline.interchange.articles import Articles, Options, Span, Written, build_document
from pipeline.outputs.writer import json_line

_KEYS = ("mentions", "relations", "entities", "facts")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Mention(_Strict):
    id: str
    start: StrictInt
    end: StrictInt
    type: str
    text: str | None = None
    score: float = 1.0
    entity: str = ""


class _Relation(_Strict):
    type: str
    head: str
    tail: str
    score: float = 1.0


class _Entity(BaseModel):
    model_config = ConfigDict(extra="allow")  # its attributes stand beside the keys
    id: str
    type: str
    name: str
    mentions: list[str]


class _Fact(_Strict):
    type: str
    head: str
    tail: str
    score: float = 1.0
    evidence: list[tuple[str, str]] = []


class _Labels(BaseModel):
    mentions: list[_Mention]
    relations: list[_Relation] = []
    entities: list[_Entity] = []
    facts: list[_Fact] = []


def read(path: Path, options: Options) -> Articles:
    """Read the articles of a ``.jsonl`` file, or of all such files of a folder."""
    return Articles(read_records(path, _document))


def read_records(path: Path, parse: Callable[[Record], Document]) -> list[Document]:
    """A document from each JSON object of a file, or of the ``.jsonl`` files of a folder.

    Args:
        parse: makes the document; raises ``ValueError`` (pydantic's too) for a record that does not fit.

    Raises:
        ProblemsError: every line that is no record or does not fit.
    """
    documents: list[Document] = []
    errors: list[Problem] = []
    for record in _records(path, errors):
        try:
            documents.append(parse(record))
        except ValidationError as error:
            errors.append(Problem(record.path, record.line, _validation_message(error)))
        except ValueError as error:
            errors.append(Problem(record.path, record.line, str(error)))
    if errors:
        raise ProblemsError(errors)
    return documents


def _records(path: Path, errors: list[Problem]) -> Iterator[Record]:
    """The JSON objects of a file, or of the ``.jsonl`` files of a folder; lines that are none become errors."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    for file in files:
        empty = True
        try:
            for item in read_jsonl(file, DEFAULT_NAMES):
                empty = False
                if isinstance(item, Problem):
                    errors.append(item)
                elif not isinstance(item, Skipped):
                    yield item
        except ProblemsError as error:
            errors += error.problems
        else:
            if empty:
                errors.append(Problem(str(file), 0, "holds no records; take it out"))


def _validation_message(error: ValidationError) -> str:
    """The first mistake that pydantic found, in one sentence; where, by key and by number from 0."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}{more}; correct the record"


def _document(record: Record) -> Document:
    bare = record.document
    labels = _Labels.model_validate({key: bare.fields.pop(key) for key in _KEYS if key in bare.fields})
    spans = [Span(m.id, m.start, m.end, m.type, m.score, m.entity, m.text) for m in labels.mentions]
    relations = [Relation(r.type, r.head, r.tail, r.score) for r in labels.relations]
    document, ids = build_document(bare.id, bare.text, spans, relations, bare.fields)
    if not labels.entities:
        if labels.facts:
            raise ValueError("facts without entities; keep the entities that they name, or take the facts out")
        return document if any(span.entity for span in spans) else _unlinked(document)
    types = {mention.id: mention.type for mention in document.mentions}
    owner: dict[str, str] = {}
    document.entities = []
    for entity in labels.entities:
        for key in entity.mentions:
            if key not in ids:
                raise ValueError(f"the entity {entity.id} names {key}, and no mention has that id")
            if types[ids[key]] != entity.type:
                raise ValueError(f"the entity {entity.id} is a {entity.type}, its mention {key} a {types[ids[key]]}")
            if owner.setdefault(ids[key], entity.id) != entity.id:
                raise ValueError(f"the mention {key} belongs to {owner[ids[key]]} and to {entity.id}")
        members = tuple(sorted((ids[key] for key in entity.mentions), key=lambda name: int(name[1:])))
        attributes = {key: str(value) for key, value in (entity.model_extra or {}).items()}
        document.entities.append(Entity(entity.id, entity.type, entity.name, members, attributes))
    document.mentions = [replace(m, entity=owner.get(m.id, "")) for m in document.mentions]
    document.facts = [_fact(fact, ids, {entity.id for entity in labels.entities}) for fact in labels.facts]
    return document


def _unlinked(document: Document) -> Document:
    document.mentions = [replace(mention, entity="") for mention in document.mentions]
    document.entities = []
    return document


def _fact(fact: _Fact, ids: dict[str, str], entities: set[str]) -> Fact:
    known: dict[str, Any] = {**dict.fromkeys(entities), **ids}
    for name in (fact.head, fact.tail, *(end for pair in fact.evidence for end in pair)):
        if name not in known:
            raise ValueError(f"the fact {fact.type} names {name}, which is not there")
    evidence = tuple((ids.get(head, head), ids.get(tail, tail)) for head, tail in fact.evidence)
    return Fact(fact.type, fact.head, fact.tail, fact.score, evidence)


def write(documents: Sequence[Document], path: Path, options: Options) -> Written:
    """Write one JSON object a line."""
    path.write_bytes(b"".join(map(json_line, documents)))
    return Written(documents, [document.id for document in documents])
