"""Which pairs of mentions may be related at all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from pipeline.config import RelationConfig
from pipeline.document import Document
from pipeline.relations.names import Names
from pipeline.schema import Schema
from pipeline.text.credits import is_credit

# Sizes of the features' value ranges, in the order of ``Candidate.features``.
FEATURE_SIZES = (10, 6, 2, 5, 5, 5, 2, 3, 3)
_GAPS = (0, 1, 2, 3, 5, 9, 17, 33, 65)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mention stands: words ``[first, last)``, and its sentence."""

    first: int
    last: int
    sentence: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A directed pair of mentions that the schema allows to be related.

    Attributes:
        head, tail: indices into the document's mentions.
        relations: indices of the relation types that may join them, in the schema's order.
        features: distance and order as small integers, each below its entry of ``FEATURE_SIZES``: words between,
            sentences between, whether the tail comes first, mentions of the head's and of the tail's type between,
            mentions of any type between, whether one's name stands in the other's, and how many mentions of the head's
            name stand nearer to the tail, and of the tail's to the head.
    """

    head: int
    tail: int
    relations: tuple[int, ...]
    features: tuple[int, ...]


def mention_places(document: Document) -> list[Place]:
    """The words that each mention covers, whole or in part."""
    starts = [word.start for word in document.words]
    ends = [word.end for word in document.words]
    sentence_starts = [start for start, _ in document.sentences]
    places: list[Place] = []
    for mention in document.mentions:
        first = bisect_right(ends, mention.start)
        last = max(bisect_left(starts, mention.end), first + 1)
        places.append(Place(first, last, bisect_right(sentence_starts, first) - 1))
    return places


def find_candidates(document: Document, schema: Schema, config: RelationConfig) -> list[Candidate]:
    """All pairs that the schema allows within the configured distance, in text order of their heads.

    Names in photo credits and by-lines are in no pair.
    """
    places = mention_places(document)
    types = [mention.type for mention in document.mentions]
    allowed = _allowed(schema)
    before = _counts_before(types)
    names = Names(document.mentions, schema)
    nearer = _Nearer(places, names.groups)
    candidates: list[Candidate] = []
    reach = _Reach(places, config)
    credits = {
        index
        for index, mention in enumerate(document.mentions)
        if schema.link_kind(mention.type) == "person" and is_credit(document.text, mention.start, mention.end)
    }
    for head, head_place in enumerate(places):
        if head in credits:
            continue
        for tail in reach(head_place):
            if tail in credits:
                continue
            tail_place = places[tail]
            directed, symmetric = allowed.get((types[head], types[tail]), ((), ()))
            relations = tuple(sorted((*directed, *symmetric))) if head < tail else directed
            if head == tail or not relations:
                continue
            sentences = abs(head_place.sentence - tail_place.sentence)
            words = max(tail_place.first - head_place.last, head_place.first - tail_place.last, 0)
            if sentences > config.max_sentences or words > config.max_words:
                continue
            low, high = min(head, tail) + 1, max(head, tail)
            features = (
                bisect_right(_GAPS, words),
                min(sentences, 5),
                int(tail < head),
                min(before[types[head]][high] - before[types[head]][low], 4),
                min(before[types[tail]][high] - before[types[tail]][low], 4),
                min(high - low, 4),
                int(names.stands_in(head, tail) or names.stands_in(tail, head)),
                nearer(head, tail),
                nearer(tail, head),
            )
            candidates.append(Candidate(head, tail, relations, features))
    return candidates


class _Nearer:
    """How many mentions with the same name stand nearer to another mention: 0, 1, or 2 for more."""

    def __init__(self, places: Sequence[Place], groups: Sequence[int]) -> None:
        self._firsts = [place.first for place in places]
        self._groups = groups
        self._places: defaultdict[int, list[int]] = defaultdict(list)
        for index, group in enumerate(groups):
            self._places[group].append(self._firsts[index])

    def __call__(self, mention: int, other: int) -> int:
        """Args: indices of mentions; ``mention`` is the one whose rivals are counted."""
        middle, reach = self._firsts[other], abs(self._firsts[mention] - self._firsts[other])
        rivals = self._places[self._groups[mention]]
        inside = bisect_left(rivals, middle + reach) - bisect_right(rivals, middle - reach)
        return min(max(inside, 0), 2)


class _Reach:
    """Which mentions can be near enough to another: a file of thousands of mentions has millions of pairs."""

    def __init__(self, places: Sequence[Place], config: RelationConfig) -> None:
        self.config = config
        self.sentences = [place.sentence for place in places]
        self.firsts = [place.first for place in places]
        self.lasts = list(accumulate((place.last for place in places), max))

    def __call__(self, place: Place) -> range:
        """Indices of mentions: all that are within the configured distance of a place, and few more."""
        sentences, words = self.config.max_sentences, self.config.max_words
        low = bisect_left(self.sentences, place.sentence - sentences)
        high = bisect_right(self.sentences, place.sentence + sentences)
        return range(
            max(low, bisect_left(self.lasts, place.first - words)),
            min(high, bisect_right(self.firsts, place.last + words)),
        )


def _allowed(schema: Schema) -> dict[tuple[str, str], tuple[tuple[int, ...], tuple[int, ...]]]:
    """(head type, tail type) → directed and symmetric relation indices."""
    table: dict[tuple[str, str], tuple[tuple[int, ...], tuple[int, ...]]] = defaultdict(lambda: ((), ()))
    for index, relation in enumerate(schema.relations.values()):
        for head in relation.head:
            for tail in relation.tail:
                directed, symmetric = table[(head, tail)]
                if relation.symmetric:
                    table[(head, tail)] = (directed, (*symmetric, index))
                else:
                    table[(head, tail)] = ((*directed, index), symmetric)
    return dict(table)


def _counts_before(types: Sequence[str]) -> dict[str, list[int]]:
    """For each type, how many mentions of it stand before each mention."""
    counts: dict[str, list[int]] = {kind: [0] for kind in types}
    for kind in types:
        for name, row in counts.items():
            row.append(row[-1] + (name == kind))
    return counts


def recall_lost(document: Document, schema: Schema, config: RelationConfig) -> list[str]:
    """Ids ``head>tail`` of gold relations that no candidate can reach, because of distance or of the schema."""
    reachable = {
        (document.mentions[c.head].id, document.mentions[c.tail].id) for c in find_candidates(document, schema, config)
    }
    return [
        f"{r.head}>{r.tail}"
        for r in document.relations
        if (r.head, r.tail) not in reachable
        and not (schema.relations[r.type].symmetric and (r.tail, r.head) in reachable)
    ]
