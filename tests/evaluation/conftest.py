"""Documents written as marked text: ``[Đại tướng|RANK] [Lê Hà|PERSON|E1] nói``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from pipeline.document import Document, Mention, Relation
from pipeline.schema import RelationType, Schema

MakeDocument = Callable[..., Document]
_MARK = re.compile(r"\[([^|\]]+)\|([^|\]]+)(?:\|([^|\]]+))?\]")


def _make_document(marked: str, relations: Sequence[str] = (), id: str = "a") -> Document:
    """Mentions are T1, T2, … in text order; a relation is written ``T2 HAS_RANK T1``."""
    text = ""
    mentions: list[Mention] = []
    position = 0
    for number, match in enumerate(_MARK.finditer(marked), 1):
        text += marked[position : match.start()]
        surface, kind, entity = match.group(1), match.group(2), match.group(3) or ""
        mentions.append(Mention(f"T{number}", len(text), len(text) + len(surface), kind, surface, 1.0, entity))
        text += surface
        position = match.end()
    text += marked[position:]
    links = [Relation(kind, head, tail) for head, kind, tail in (line.split() for line in relations)]
    return Document(id, text, mentions=mentions, relations=links)


@pytest.fixture(scope="session")
def make() -> MakeDocument:
    return _make_document


@pytest.fixture(scope="session")
def schema() -> Schema:
    return Schema(
        entities={"PERSON": "", "RANK": "", "ORG": ""},
        relations={
            "HAS_RANK": RelationType(head=("PERSON",), tail=("RANK",)),
            "MEETS": RelationType(head=("PERSON",), tail=("PERSON",), symmetric=True),
            "LEADS": RelationType(head=("PERSON",), tail=("ORG",)),
            "KNOWS": RelationType(head=("PERSON",), tail=("PERSON",)),
        },
    )
