"""Hard negatives: pairs of mentions that an article names together without relating them."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.document import Document


@dataclass(frozen=True, slots=True)
class NegativePair:
    """A relation that an article does not state, however near its two mentions stand.

    Attributes:
        type: the relation type that must not join them.
        head, tail: ids of gold mentions; their whole entities are meant.
        reason: why the pair tempts, in a few words; reports show it.
    """

    type: str
    head: str
    tail: str
    reason: str


@dataclass(frozen=True, slots=True)
class NegativeArticle:
    """A labelled article with the pairs that it keeps apart."""

    document: Document
    pairs: tuple[NegativePair, ...]
