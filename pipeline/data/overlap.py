"""How much of one article's wording stands in another, names and all or with other names put in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product

from pipeline.document import Document
from pipeline.text.normalise import normalise, tone_to_new

# Word sequences of this length hardly recur by chance; set phrases of one field do (Broder, 1997, on shingles).
SHINGLE = 8
# Unrelated reports of one event share up to 15 % of the shorter one's shingles (measured on 25 news articles), reprints
# far more.
NEAR_DUPLICATE = 0.3
# Where names are masked, a shingle of little else than names ("<RANK> <PERSON>, <ROLE> <ORG>") proves nothing.
_OWN_WORDS = SHINGLE // 2
# A shingle in more articles of different wording than this is boilerplate of the site.
_BOILERPLATE = 50

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two articles share.

    Attributes:
        first, second: their places in the sequence that was compared, ``first < second``.
        share: of the shorter one's distinct shingles those that the other has too (containment; Broder, 1997), which
            is never below their Jaccard similarity.
    """

    first: int
    second: int
    share: float


def plain(text: str) -> str:
    """Text in which spelling variants of one wording are equal."""
    return tone_to_new(normalise(text).text).lower()


def plain_words(text: str) -> list[str]:
    """The words of a text in plain form."""
    return _WORD.findall(plain(text))


def masked_words(document: Document, start: int = 0, end: int | None = None) -> list[str]:
    """The words of a part of a document in plain form, each mention as ``<TYPE>``: equal when only names differ."""
    end = len(document.text) if end is None else end
    words: list[str] = []
    position = start
    for mention in sorted(document.mentions, key=lambda mention: mention.start):
        if position <= mention.start and mention.end <= end:
            words += [*plain_words(document.text[position : mention.start]), f"<{mention.type}>"]
            position = mention.end
    return words + plain_words(document.text[position:end])


def own_words(words: Sequence[str]) -> int:
    """How many of the masked words are words, not mentions."""
    return sum(word[0] != "<" for word in words)


def shingles(document: Document, *, masked: bool = False) -> frozenset[str]:
    """The distinct sequences of ``SHINGLE`` words of a document; of a text with fewer words all of them as one.

    Args:
        document: its text and, to mask them, its mentions.
        masked: take mentions for their types, and only sequences that have words enough beside them; a shorter text
            has none, as it proves nothing.
    """
    words = masked_words(document) if masked else plain_words(document.text)
    if words and len(words) < SHINGLE and not masked:
        return frozenset([" ".join(words)])
    runs = (words[i : i + SHINGLE] for i in range(len(words) - SHINGLE + 1))
    return frozenset(" ".join(run) for run in runs if not masked or own_words(run) >= _OWN_WORDS)


def overlaps(articles: Sequence[frozenset[str]]) -> list[Overlap]:
    """Pairs of articles that share a shingle, the highest share first; through an index, as most share none.

    Articles with the same shingles are one wording, however many they are. All pairs of two wordings, or of one, are
    given unless they are very many; then those with the first article of either wording.
    """
    copies: dict[frozenset[str], list[int]] = {}
    for number, own in enumerate(articles):
        if own:
            copies.setdefault(own, []).append(number)
    index: dict[str, list[frozenset[str]]] = {}
    for own in copies:
        for shingle in own:
            index.setdefault(shingle, []).append(own)
    counts: Counter[tuple[frozenset[str], frozenset[str]]] = Counter()
    for wordings in index.values():
        if 1 < len(wordings) <= _BOILERPLATE:
            counts.update(combinations(wordings, 2))
    found = [Overlap(*pair, 1.0) for numbers in copies.values() for pair in _pairs(numbers, numbers)]
    for (one, other), shared in counts.items():
        share = shared / min(len(one), len(other))
        found += [Overlap(*pair, share) for pair in _pairs(copies[one], copies[other])]
    return sorted(found, key=lambda overlap: (-overlap.share, overlap.first, overlap.second))


def _pairs(one: Sequence[int], other: Sequence[int]) -> set[tuple[int, int]]:
    """Pairs of an article of each wording; beyond a number only those with a first one, which find every copy."""
    pairs: Iterable[tuple[int, int]] = product(one, other)
    if len(one) * len(other) > _BOILERPLATE**2:
        pairs = chain(product(one[:1], other), product(one, other[:1]))
    return {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
