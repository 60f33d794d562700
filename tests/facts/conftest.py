"""Documents written with their mentions in the text: ``[Việt Nam|COUNTRY] ký``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.document import Document, Relation, number_mentions
from pipeline.facts import link_entities
from pipeline.schema import Schema, load_schema

_MARKED = re.compile(r"\[([^|\]]+)\|(\w+)\]")


@pytest.fixture(scope="session")
def schema() -> Schema:
    return load_schema(Path(__file__).parents[2] / "annotations" / "schema.yaml")


@pytest.fixture(scope="session")
def mark() -> Callable[..., Document]:
    """Make a document from marked text; mentions are T1, T2, … in text order."""

    def make(marked: str, relations: list[tuple[str, str, str]] | None = None) -> Document:
        text, spans, last = "", [], 0
        for match in _MARKED.finditer(marked):
            text += marked[last : match.start()]
            spans.append((len(text), len(text) + len(match.group(1)), match.group(2), 1.0))
            text += match.group(1)
            last = match.end()
        document = Document("d", text + marked[last:])
        document.mentions = number_mentions(document.text, spans)
        document.relations = [Relation(*relation) for relation in relations or []]
        return document

    return make


@pytest.fixture(scope="session")
def clusters(mark: Callable[..., Document], schema: Schema) -> Callable[..., list[list[int]]]:
    """The entities of marked text as lists of mention numbers (1 for T1), of one type when it is given."""

    def link(marked: str, kind: str = "", relations: list[tuple[str, str, str]] | None = None) -> list[list[int]]:
        document = mark(marked, relations)
        link_entities(document, schema)
        return [[int(m[1:]) for m in e.mentions] for e in document.entities if kind in ("", e.type)]

    return link
