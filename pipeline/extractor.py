"""The stages in a row: text → words → mentions → relations → facts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

from pipeline.document import Document, Mention, Relation
from pipeline.facts import complete
from pipeline.schema import Schema
from pipeline.text.words import WordSplitter


class MentionFinder(Protocol):
    """Finds the mentions of documents that have words: the tagger, or a baseline."""

    def predict(self, documents: Sequence[Document]) -> list[list[Mention]]:
        """Mentions of each document, in text order."""


class RelationFinder(Protocol):
    """Finds the relations of documents that have mentions: the classifier, or a baseline."""

    def predict(self, documents: Sequence[Document]) -> list[list[Relation]]:
        """Relations of each document, between its mentions."""


class Extractor:
    """Reads documents from text to facts.

    Args:
        mentions: ``None`` when the documents bring their mentions along.
        relations: ``None`` when the schema has none.
    """

    def __init__(
        self, schema: Schema, splitter: WordSplitter, mentions: MentionFinder | None, relations: RelationFinder | None
    ) -> None:
        self.schema, self.splitter, self.mentions, self.relations = schema, splitter, mentions, relations

    def extract(self, documents: Sequence[Document]) -> list[Document]:
        """The documents, in the same order, with everything that is found in them.

        A document that already has words keeps them (a corpus with a segmentation of its own).
        """
        self._fill_words(documents)
        if self.mentions:
            for document, mentions in zip(documents, self.mentions.predict(documents), strict=True):
                document.mentions = mentions
        found = self.relations.predict(documents) if self.relations else [[] for _ in documents]
        for document, relations in zip(documents, found, strict=True):
            document.relations = relations
            complete(document, self.schema)
            document.relations = _one_per_fact(document, self.schema)
        return list(documents)

    def on_given_mentions(self) -> Extractor:
        """The same without its first trained stage: how good are relations when every mention is right?"""
        return Extractor(self.schema, self.splitter, None, self.relations)

    def _fill_words(self, documents: Sequence[Document]) -> None:
        for document in documents:
            if not document.words:
                self.splitter(document)


def _one_per_fact(document: Document, schema: Schema) -> list[Relation]:
    """Each fact at the nearest mentions of its two entities, as the labels have it; what carries it is its evidence."""
    mentions = {mention.id: mention for mention in document.mentions}
    groups = {entity.id: [mentions[id] for id in entity.mentions] for entity in document.entities}
    relations: list[Relation] = []
    for fact in document.facts:
        head, tail = _nearest(groups[fact.head], groups[fact.tail])
        if schema.relations[fact.type].symmetric and tail.start < head.start:
            head, tail = tail, head
        relations.append(Relation(fact.type, head.id, tail.id, score=fact.score))
    return relations


def _nearest(heads: Sequence[Mention], tails: Sequence[Mention]) -> tuple[Mention, Mention]:
    """The pair with the fewest characters between; of equals the first in the text. Both are in text order."""
    starts = [mention.start for mention in tails]
    pairs = [
        (head, tails[index])
        for head in heads
        for at in [bisect_left(starts, head.start)]
        for index in (at - 1, at)
        if 0 <= index < len(tails)
    ]
    return min(pairs, key=lambda pair: max(pair[1].start - pair[0].end, pair[0].start - pair[1].end))
