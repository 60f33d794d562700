"""Which pairs of mentions may be related at all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from pipeline.config import RelationConfig
from pipeline.document import Document
from pipeline.relations.names import Names
from pipeline.schema import Schema
from pipeline.text.credits import is_credit

# Sizes of the features' value ranges, in the order of ``Candidate.features``.
FEATURE_SIZES = (10, 6, 2, 5, 5, 5, 2, 3, 3)
_GAPS = (0, 1, 2, 3, 5, 9, 17, 33, 65)
_CHUNK = 200_000  # pairs that are looked at together, some 20 MB

Array = NDArray[np.int64]


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


class Candidates(Sequence[Candidate]):
    """The candidates of a document, kept as arrays: an article has hundreds, few of which are looked at one by one.

    Attributes:
        heads, tails: indices into the document's mentions, ``[pairs]``.
        features: ``Candidate.features``, ``[pairs, len(FEATURE_SIZES)]``.
        places: of the document's mentions.
    """

    def __init__(
        self,
        heads: Array,
        tails: Array,
        features: Array,
        relations: Sequence[tuple[int, ...]],
        numbers: Array,
        places: Sequence[Place],
    ) -> None:
        """Args: ``Candidate.relations`` of each pair are ``relations[numbers[pair]]``."""
        self.heads, self.tails, self.features, self.places = heads, tails, features, places
        self._relations, self._numbers = relations, numbers

    def __len__(self) -> int:
        return len(self.heads)

    @overload
    def __getitem__(self, index: int) -> Candidate: ...

    @overload
    def __getitem__(self, index: slice) -> list[Candidate]: ...

    def __getitem__(self, index: int | slice) -> Candidate | list[Candidate]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        relations, features = self._relations[self._numbers[index]], tuple(self.features[index].tolist())
        return Candidate(int(self.heads[index]), int(self.tails[index]), relations, features)

    def __iter__(self) -> Iterator[Candidate]:
        columns = (self.heads.tolist(), self.tails.tolist(), self._numbers.tolist(), self.features.tolist())
        for head, tail, number, row in zip(*columns, strict=True):
            yield Candidate(head, tail, self._relations[number], tuple(row))

    def where(self, kept: NDArray[np.bool_]) -> Candidates:
        """Those candidates alone, ``kept [pairs]``."""
        columns = self.heads[kept], self.tails[kept], self.features[kept]
        return Candidates(*columns, self._relations, self._numbers[kept], self.places)

    def allowed(self, relations: int) -> NDArray[np.bool_]:
        """Whether each of so many relation types may join each pair, ``[pairs, relations]``."""
        table = np.zeros((len(self._relations), relations), dtype=np.bool_)
        for row, indices in zip(table, self._relations, strict=True):
            row[list(indices)] = True
        chosen: NDArray[np.bool_] = table[self._numbers]
        return chosen


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


def find_candidates(document: Document, schema: Schema, config: RelationConfig) -> Candidates:
    """All pairs that the schema allows within the configured distance, in text order of their heads.

    Names in photo credits and by-lines are in no pair.
    """
    if not document.mentions:
        none = np.zeros(0, dtype=np.int64)
        return Candidates(none, none, none.reshape(0, len(FEATURE_SIZES)), [], none, [])
    places = mention_places(document)
    pairs = _Pairs(document, places, schema, config)
    found = []
    for start, end in pairs.chunks():
        heads, tails, relations = pairs.allowed(start, end)
        found.append((heads, tails, pairs.features(heads, tails), relations))
    heads, tails, features, relations = (np.concatenate(column) for column in zip(*found, strict=True))
    return Candidates(heads, tails, features, pairs.sets, relations, places)


class _Pairs:
    """The mentions of a document as arrays with one entry a mention, so that pairs are looked up by their indices.

    Attributes:
        sets: the relation types that some pair may have, as tuples; the first is the empty one.
    """

    def __init__(self, document: Document, places: Sequence[Place], schema: Schema, config: RelationConfig) -> None:
        mentions = document.mentions
        self._config = config
        self._firsts, self._lasts, self._sentences = np.array([(p.first, p.last, p.sentence) for p in places]).T
        numbers = {kind: number for number, kind in enumerate(dict.fromkeys(mention.type for mention in mentions))}
        self._types = np.array([numbers[mention.type] for mention in mentions])
        self.sets, self._onward, self._back = _allowed(schema, list(numbers))
        # How many mentions of a type stand before a mention, [types, mentions + 1].
        self._before = np.zeros((len(numbers), len(mentions) + 1), dtype=np.int64)
        np.cumsum(self._types == np.arange(len(numbers))[:, None], axis=1, out=self._before[:, 1:])
        self._names = Names(mentions, schema)
        self._rivals = _Rivals(self._firsts, np.array(self._names.groups))
        self._credits = np.array(
            [schema.link_kind(m.type) == "person" and is_credit(document.text, m.start, m.end) for m in mentions]
        )
        self._lows, self._highs = self._reach()

    def _reach(self) -> tuple[Array, Array]:
        """A range of indices for each mention; all within the configured distance are in it, and few more.

        A file of thousands of mentions has millions of pairs: what is too far is never looked at.
        """
        sentences, words = self._config.max_sentences, self._config.max_words
        latest = np.maximum.accumulate(self._lasts)
        lows = np.maximum(
            np.searchsorted(self._sentences, self._sentences - sentences),
            np.searchsorted(latest, self._firsts - words),
        )
        highs = np.minimum(
            np.searchsorted(self._sentences, self._sentences + sentences, "right"),
            np.searchsorted(self._firsts, self._lasts + words, "right"),
        )
        return lows, np.where(self._credits, lows, np.maximum(highs, lows))

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Ranges of heads with a bounded number of pairs each: memory stays flat."""
        total = np.cumsum(self._highs - self._lows)
        start = 0
        while start < len(total):
            done = total[start - 1] if start else 0
            end = max(int(np.searchsorted(total, done + _CHUNK, "right")), start + 1)
            yield start, end
            start = end

    def allowed(self, start: int, end: int) -> tuple[Array, Array, Array]:
        """Heads in ``[start, end)``, tails and the number in ``sets`` of each pair that may be related, ``[pairs]``."""
        lows = self._lows[start:end]
        counts = self._highs[start:end] - lows
        heads = np.repeat(np.arange(start, end), counts)
        tails = np.arange(len(heads)) - np.repeat(np.cumsum(counts) - counts - lows, counts)
        types = self._types[heads], self._types[tails]
        relations = np.where(heads < tails, self._onward[types], self._back[types])
        near = np.abs(self._sentences[heads] - self._sentences[tails]) <= self._config.max_sentences
        near &= self._words_between(heads, tails) <= self._config.max_words
        kept = near & (relations > 0) & (heads != tails) & ~self._credits[tails]
        return heads[kept], tails[kept], relations[kept]

    def features(self, heads: Array, tails: Array) -> Array:
        """``Candidate.features`` of each pair, ``[pairs, len(FEATURE_SIZES)]``."""
        low, high = np.minimum(heads, tails) + 1, np.maximum(heads, tails)
        between = self._before[:, high] - self._before[:, low]
        rows = np.arange(len(heads))
        return np.stack(
            (
                np.searchsorted(_GAPS, self._words_between(heads, tails), "right"),
                np.minimum(np.abs(self._sentences[heads] - self._sentences[tails]), 5),
                tails < heads,
                np.minimum(between[self._types[heads], rows], 4),
                np.minimum(between[self._types[tails], rows], 4),
                np.minimum(high - low, 4),
                self._names.share(heads, tails),
                self._rivals(heads, tails),
                self._rivals(tails, heads),
            ),
            axis=1,
        )

    def _words_between(self, heads: Array, tails: Array) -> Array:
        gaps = np.maximum(self._firsts[tails] - self._lasts[heads], self._firsts[heads] - self._lasts[tails])
        between: Array = np.maximum(gaps, 0)
        return between


class _Rivals:
    """How many mentions with the same name stand nearer to another mention: 0, 1, or 2 for more."""

    def __init__(self, firsts: Array, groups: Array) -> None:
        self._firsts, self._groups = firsts, groups
        # Places of all mentions, those of each group in a stretch of its own, so that two searches count a group's
        # mentions between two places; the stretch holds whatever such a place can be.
        self._offset = int(firsts.max()) + 1
        self._places = np.sort(self._key(groups, firsts))

    def _key(self, groups: Array, places: Array) -> Array:
        return (4 * groups + 1) * self._offset + places

    def __call__(self, mentions: Array, others: Array) -> Array:
        """Args: indices of mentions; ``mentions`` are those whose rivals are counted."""
        groups, middle = self._groups[mentions], self._firsts[others]
        reach = np.abs(self._firsts[mentions] - middle)
        inside = np.searchsorted(self._places, self._key(groups, middle + reach))
        inside -= np.searchsorted(self._places, self._key(groups, middle - reach), "right")
        return np.clip(inside, 0, 2)


def _allowed(schema: Schema, kinds: Sequence[str]) -> tuple[list[tuple[int, ...]], Array, Array]:
    """Which relations lead from a type to another.

    Returns:
        Tuples of relation indices, the empty one first; and for pairs of types (head, tail) which tuple it is, when the
        head stands first and when the tail does: then symmetric relations are left out.
    """
    numbers = {kind: number for number, kind in enumerate(kinds)}
    fitting: defaultdict[tuple[int, int], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for index, relation in enumerate(schema.relations.values()):
        for head in numbers.keys() & set(relation.head):
            for tail in numbers.keys() & set(relation.tail):
                either, directed = fitting[numbers[head], numbers[tail]]
                either.append(index)
                if not relation.symmetric:
                    directed.append(index)
    sets: dict[tuple[int, ...], int] = {(): 0}
    onward, back = (np.zeros((len(kinds), len(kinds)), dtype=np.int64) for _ in range(2))
    for place, (either, directed) in fitting.items():
        onward[place] = sets.setdefault(tuple(either), len(sets))
        back[place] = sets.setdefault(tuple(directed), len(sets))
    return list(sets), onward, back


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
