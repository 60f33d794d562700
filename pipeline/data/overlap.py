"""How much of one article's wording stands in another, names and all or with other names put in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.document import Document
from pipeline.text.normalise import normalise, tone_to_new

# Word sequences of this length hardly recur by chance; set phrases of one field do (Broder, 1997, on shingles).
SHINGLE = 8
# Unrelated reports of one event share up to 15 % of the shorter one's shingles (measured on 25 news articles), reprints
# far more.
NEAR_DUPLICATE = 0.3
# Where names are masked, a shingle of little else than names ("<RANK> <PERSON>, <ROLE> <ORG>") proves nothing.
_OWN_WORDS = SHINGLE // 2
# A shingle in more articles than this is boilerplate of the site.
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
    """The distinct sequences of ``SHINGLE`` words of a document.

    Args:
        document: its text and, to mask them, its mentions.
        masked: take mentions for their types, and only sequences that have words enough beside them.
    """
    words = masked_words(document) if masked else plain_words(document.text)
    runs = (words[i : i + SHINGLE] for i in range(len(words) - SHINGLE + 1))
    return frozenset(" ".join(run) for run in runs if not masked or own_words(run) >= _OWN_WORDS)


def overlaps(articles: Sequence[frozenset[str]]) -> list[Overlap]:
    """All pairs of articles that share a shingle, the highest share first; through an index, as most share none."""
    index: dict[str, list[int]] = {}
    for number, own in enumerate(articles):
        for shingle in own:
            index.setdefault(shingle, []).append(number)
    counts: Counter[tuple[int, int]] = Counter()
    for numbers in index.values():
        if 1 < len(numbers) <= _BOILERPLATE:
            counts.update(combinations(numbers, 2))
    found = [
        Overlap(first, second, shared / min(len(articles[first]), len(articles[second])))
        for (first, second), shared in counts.items()
    ]
    return sorted(found, key=lambda overlap: (-overlap.share, overlap.first, overlap.second))
