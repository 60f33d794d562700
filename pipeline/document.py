"""The one type that every stage takes and gives: a document and what has been found in it.

All offsets are Unicode code points into ``Document.text``, half-open ``[start, end)``; for every mention
``document.text[mention.start:mention.end] == mention.text``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the segmented text.

    Attributes:
        start, end: raw offsets; the slice may hold several syllables and the white space between them.
        form: the normalised word as PhoBERT reads it, syllables joined by ``_``.
    """

    start: int
    end: int
    form: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A typed span of text. ``entity`` is the id of the entity it belongs to, empty until entities are linked."""

    id: str
    start: int
    end: int
    type: str
    text: str
    score: float = 1.0
    entity: str = ""

    @property
    def span(self) -> tuple[int, int, str]:
        """``(start, end, type)``: what strict scoring compares."""
        return self.start, self.end, self.type


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed link between two mentions, given by their ids."""

    type: str
    head: str
    tail: str
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that one or more mentions of the document name.

    Attributes:
        name: the canonical name.
        mentions: ids, in text order.
        attributes: what is known beyond the name, e.g. ``{"iso": "VN"}`` or ``{"interval": "2022-06-29"}``.
    """

    id: str
    type: str
    name: str
    mentions: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """A relation between two entities, once a document, with every mention pair that carries it."""

    type: str
    head: str
    tail: str
    score: float
    evidence: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Document:
    """A text and what is known of it; stages fill the lists from top to bottom.

    Attributes:
        words: in text order, not overlapping; they cover every visible character.
        sentences: half-open ranges of word indices, in order, covering all words.
        fields: other fields of the input record, kept unchanged.
    """

    id: str
    text: str
    words: list[Word] = field(default_factory=list)
    sentences: list[tuple[int, int]] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)

    def mention(self, mention_id: str) -> Mention:
        """The mention with this id.

        Raises:
            KeyError: no mention has it.
        """
        for mention in self.mentions:
            if mention.id == mention_id:
                return mention
        raise KeyError(mention_id)

    def bare(self) -> Document:
        """The same text and words with nothing found in it yet: what a model is given."""
        return Document(self.id, self.text, self.words, self.sentences, fields=self.fields)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``quanhe extract`` writes (see ``docs/output.md``)."""
        return {
            **self.fields,
            "id": self.id,
            "text": self.text,
            "mentions": [_mention_dict(mention) for mention in self.mentions],
            "relations": [
                {"type": r.type, "head": r.head, "tail": r.tail, "score": round(r.score, 4)} for r in self.relations
            ],
            "entities": [
                {"id": e.id, "type": e.type, "name": e.name, **e.attributes, "mentions": list(e.mentions)}
                for e in self.entities
            ],
            "facts": [
                {
                    "type": f.type,
                    "head": f.head,
                    "tail": f.tail,
                    "score": round(f.score, 4),
                    "evidence": [list(pair) for pair in f.evidence],
                }
                for f in self.facts
            ],
        }


def _mention_dict(mention: Mention) -> dict[str, Any]:
    return {
        "id": mention.id,
        "start": mention.start,
        "end": mention.end,
        "type": mention.type,
        "text": mention.text,
        "score": round(mention.score, 4),
        "entity": mention.entity,
    }


def number_mentions(text: str, spans: Iterable[tuple[int, int, str, float]]) -> list[Mention]:
    """Mentions ``T1``, ``T2``, … in text order from ``(start, end, type, score)`` spans."""
    return [
        Mention(f"T{number}", start, end, kind, text[start:end], score)
        for number, (start, end, kind, score) in enumerate(sorted(spans), 1)
    ]
