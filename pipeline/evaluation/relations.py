"""Relation scores at mention level, strict, and on pairs of names that training never showed.

A relation is right when both spans, both entity types, the relation type and the direction are. Gold holds each fact
once, between its nearest mentions; recall is over all gold relations, whatever became of their mentions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from pipeline.document import Document
from pipeline.evaluation.counts import Counts, TypeCounts, count_sets
from pipeline.evaluation.pairs import Link, links, normal_form
from pipeline.schema import Schema

SpanKey = tuple[int, int, str]
RelationKey = tuple[str, SpanKey, SpanKey]
TextPair = tuple[str, str]
SeenPairs = AbstractSet[TextPair] | Mapping[str, AbstractSet[TextPair]]
"""Name pairs of the training documents: one set for all articles, or article id → set when folds differ."""


def relation_links(document: Document, schema: Schema) -> dict[RelationKey, Link]:
    """The document's relations by what strict scoring compares; repeated ones once."""
    return {(link.type, link.head.span, link.tail.span): link for link in links(document, schema)}


def relation_counts(gold: Document, predicted: Document, schema: Schema) -> TypeCounts:
    """Counts of one article by relation type."""
    golds, predictions = relation_links(gold, schema), relation_links(predicted, schema)
    return count_sets(golds.keys(), predictions.keys(), lambda key: key[0])


def unseen_counts(gold: Document, predicted: Document, schema: Schema, seen: AbstractSet[TextPair]) -> Counts:
    """Counts of one article over the relations whose head and tail texts training never joined."""
    golds = {key for key, link in relation_links(gold, schema).items() if text_pair(link) not in seen}
    predictions = {key for key, link in relation_links(predicted, schema).items() if text_pair(link) not in seen}
    return Counts(len(golds & predictions), len(predictions), len(golds))


def text_pair(link: Link) -> TextPair:
    """The texts of both ends in normal form, in alphabetical order: which of them is the head plays no part."""
    first, second = sorted((normal_form(link.head.text), normal_form(link.tail.text)))
    return first, second


def collect_seen_pairs(documents: Iterable[Document], schema: Schema) -> frozenset[TextPair]:
    """Every pair of names that some relation of the (training) documents joins, whatever its type."""
    return frozenset(text_pair(link) for document in documents for link in links(document, schema))


def seen_for(seen: SeenPairs, article: str) -> AbstractSet[TextPair]:
    """The pairs that the model which read this article was trained on.

    Raises:
        KeyError: pairs are given by article, and not for this one.
    """
    return seen[article] if isinstance(seen, Mapping) else seen
