"""Hand-made features of candidate pairs: which types, how far apart, and which words stand between and around.

In the manner of Zhou et al. (2005), but hashed: a feature is a number below ``BUCKETS`` (Weinberger et al., 2009), so
that no dictionary of features has to be kept. Mentions within the text read as their types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pipeline.document import Document
from pipeline.relations.candidates import Candidates

BUCKETS = 1 << 20
_NEAR = 25  # words between two mentions of which each counts; of longer stretches only the ends
_ENDS = 12
_SIDE, _AFTER = 5, 8  # words beside a mention; behind the second one verbs are often late
_KNOWN_WORDS = 200_000  # remembered hashes: memory stays flat

Numbers = NDArray[np.int64]
Codes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Feature:
    """Some kinds of features for all pairs of a document.

    Attributes:
        counts: how many of each kind each pair has, ``[kinds, pairs]``.
        buckets: the features, kind after kind and within a kind pair after pair, ``[sum(counts)]``.
    """

    counts: Numbers
    buckets: Numbers


class PairFeatures:
    """Makes the features of a document's candidates.

    Args:
        types: entity types; a feature of one pair of types says nothing about another.
    """

    def __init__(self, types: Sequence[str]) -> None:
        self._types = {name: number for number, name in enumerate(types)}
        self._codes: dict[str, int] = {}

    def __call__(self, document: Document, candidates: Candidates) -> list[Feature]:
        """All features; empty when there is no candidate."""
        if not candidates:
            return []
        kinds = self.kinds(document, candidates)
        return [shape_features(kinds, candidates.features), *self.words(document, candidates, kinds)]

    def kinds(self, document: Document, candidates: Candidates) -> Numbers:
        """A number for both types of each pair."""
        types = np.array([self._types[mention.type] for mention in document.mentions])
        numbers: Numbers = types[candidates.heads] * len(self._types) + types[candidates.tails]
        return numbers

    def words(self, document: Document, candidates: Candidates, kinds: Numbers) -> list[Feature]:
        """The features of the words between and around.

        Args:
            kinds: from ``kinds``.
        """
        heads, tails, shape = candidates.heads, candidates.tails, candidates.features
        firsts, lasts = np.array([(place.first, place.last) for place in candidates.places]).T
        forms = np.array([self._code(word.form) for word in document.words], dtype=np.uint64)
        text, before = self._without_names(document, firsts, lasts, forms)
        left, right = np.where(firsts[heads] <= firsts[tails], (heads, tails), (tails, heads))
        start = before[lasts[left]]  # of the text between the two
        end = np.maximum(before[firsts[right]], start)
        behind = before[lasts[right]]
        front = before[firsts[left]]
        frame = _Frame(2 * kinds + shape[:, 2], text)
        gap = end - start
        near = gap <= _NEAR
        far = ~near & (shape[:, 1] <= 1)
        near_end = np.where(near, end, start)
        stretches = [
            (3, start, np.where(far, start + _ENDS, start)),
            (3, np.where(far, end - _ENDS, end), end),
            (4, front - _SIDE, front),
            (5, behind, behind + _AFTER),
            (6, start, start + _SIDE),
            (7, np.maximum(end - _SIDE, start), end),
            (8, front - 1, front),
            (9, behind, behind + 1),
            (10, start, start + 1),
            (11, np.maximum(end - 1, start), end),
        ]
        own = np.stack([lasts[heads] - 1, firsts[tails], lasts[tails] - 1])
        return [
            frame.words([(0, start, near_end)]),
            frame.bigrams(1, start, near_end),
            frame.phrase(2, start, end),
            frame.words(stretches),
            frame.each(12, forms[np.minimum(own, len(forms) - 1)]),
        ]

    def _without_names(
        self, document: Document, firsts: Numbers, lasts: Numbers, forms: Codes
    ) -> tuple[Codes, Numbers]:
        """The text with each mention as its type, and how many of its items stand before each word, ``[words + 1]``."""
        text, kept = forms.copy(), np.ones(len(forms), dtype=bool)
        for mention, first, last in zip(document.mentions, firsts.tolist(), lasts.tolist(), strict=True):
            text[first], kept[first] = self._code(f"<{mention.type}>"), True
            kept[first + 1 : last] = False
        before = np.zeros(len(forms) + 1, dtype=np.int64)
        np.cumsum(kept, out=before[1:])
        return text[kept], before

    def _code(self, form: str) -> int:
        code = self._codes.get(form)
        if code is None:
            if len(self._codes) >= _KNOWN_WORDS:
                self._codes.clear()
            code = self._codes[form] = crc32(form.casefold().encode("utf-8", "surrogatepass"))
        return code


class _Frame:
    """Turns stretches of text into features of their pairs.

    Args:
        frames: what every feature of a pair is joined with, ``[pairs]``: both types and the order.
        text: codes of the words.
    """

    def __init__(self, frames: Numbers, text: Codes) -> None:
        self._frames, self._text = frames, text

    def words(self, stretches: Sequence[tuple[int, Numbers, Numbers]]) -> Feature:
        """Each word of ``[start, end)`` of each pair; what is outside of the text is left out.

        Args:
            stretches: kinds of features, each with the starts and ends of all pairs.
        """
        numbers, starts, ends = zip(*stretches, strict=True)
        keys = self._keys(np.array(numbers))
        counts, rows, items = _ranges(
            np.maximum(np.concatenate(starts), 0), np.minimum(np.concatenate(ends), len(self._text))
        )
        return Feature(counts.reshape(keys.shape), _mix(keys.ravel()[rows], self._text[items]))

    def bigrams(self, kind: int, starts: Numbers, ends: Numbers) -> Feature:
        """Each two neighbours."""
        counts, rows, items = _ranges(starts, ends - 1)
        keys = self._keys(np.array([kind]))
        codes = self._join(self._text[items], self._text[items + 1])
        return Feature(counts[None], _mix(keys[0, rows], codes))

    def phrase(self, kind: int, starts: Numbers, ends: Numbers) -> Feature:
        """The whole stretch as one feature where it has at most three words."""
        length = ends - starts
        whole = np.zeros(len(starts), dtype=np.uint64)
        for step in range(3):
            inside = length > step
            whole[inside] = self._join(whole[inside], self._text[starts[inside] + step])
        short = length <= 3
        keys = self._keys(np.array([kind]))
        return Feature(short.astype(np.int64)[None], _mix(keys[0, short], whole[short]))

    def each(self, kind: int, codes: Codes) -> Feature:
        """One word of each pair for each of some kinds, ``[kinds, pairs]``; ``kind`` is the first of them."""
        keys = self._keys(np.arange(kind, kind + len(codes)))
        return Feature(np.ones(codes.shape, dtype=np.int64), _mix(keys, codes).ravel())

    @staticmethod
    def _join(first: Codes, second: Codes) -> Codes:
        return first * np.uint64(0x100000001B3) + second + np.uint64(1)

    def _keys(self, kinds: Numbers) -> Codes:
        """What the features of these kinds are hashed with, ``[kinds, pairs]``."""
        return (64 * self._frames + 16 + kinds[:, None]).astype(np.uint64)


def _ranges(starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Stretches ``[start, end)`` written out: their lengths, and for each item its stretch and its place."""
    counts = np.maximum(ends - starts, 0)
    rows = np.repeat(np.arange(len(starts)), counts)
    items = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts - starts, counts)
    return counts, rows, items


def shape_features(kinds: Numbers, shape: Numbers) -> Feature:
    """Types with ``Candidate.features``: each value, each two, and all together.

    Args:
        kinds: from ``PairFeatures.kinds``, ``[pairs]``.
        shape: ``[pairs, len(FEATURE_SIZES)]``.
    """
    columns = shape.shape[1]
    values = [(number, shape[:, number]) for number in range(columns)]
    values += [
        (columns + number, 16 * shape[:, a] + shape[:, b])
        for number, (a, b) in enumerate(combinations(range(columns), 2))
    ]
    values.append((columns * columns, shape @ (11 ** np.arange(columns))))
    keys = np.stack([kinds * 128 + number for number, _ in values], axis=1).astype(np.uint64)
    codes = np.stack([value for _, value in values], axis=1).astype(np.uint64)
    buckets = _mix(keys + np.uint64(1 << 40), codes)
    return Feature(np.full((1, len(kinds)), len(values)), buckets.ravel())


def _mix(keys: Codes, codes: Codes) -> Numbers:
    """Buckets of pairs of numbers, evenly spread (the finisher of splitmix64: Steele et al., 2014)."""
    mixed = keys * np.uint64(0x9E3779B97F4A7C15) ^ (codes + np.uint64(0x632BE59BD9B4E019)) * np.uint64(
        0xD1342543DE82EF95
    )
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    buckets: Numbers = ((mixed ^ (mixed >> np.uint64(31))) & np.uint64(BUCKETS - 1)).astype(np.int64)
    return buckets
