"""Sentences of two articles that are one sentence with other names, numbers or dates put in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.data.overlap import masked_words, overlaps, own_words, plain
from pipeline.document import Document

# Both limits were read off 25 real articles, whose sentences are their papers' own: with 8 different words beside names
# and numbers, two that were written apart have at most 38 % of their shingles in common, two that were copied at least
# 78 %. With 6 words set phrases are the same in full ("… duyệt đội danh dự - Ảnh: …").
OWN_WORDS = 8
ALIKE = 0.5
_SHINGLE = 4
# Of a shingle; one of little else than names proves nothing.
_SHINGLE_WORDS = 2
_NUMBER = "<NUMBER>"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that is long enough to be somebody's own.

    Attributes:
        start: offset in the article's text.
        text: as it stands, on one line.
        names: its mentions in plain form.
        shingles: distinct sequences of ``_SHINGLE`` words, mentions and numbers masked.
    """

    start: int
    text: str
    names: frozenset[str]
    shingles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reuse:
    """Two sentences of different articles that are alike.

    Attributes:
        earlier, later: article and sentence, as places in the sequences that were compared; ``earlier < later``.
        share: of their shingles those that both have (Jaccard).
        renamed: each has a name that the other has not: not a copy, but a pattern filled in twice.
    """

    earlier: tuple[int, int]
    later: tuple[int, int]
    share: float
    renamed: bool


def own_sentences(document: Document, segmented: Document) -> list[Sentence]:
    """The sentences of a document that have ``OWN_WORDS`` different words beside mentions and numbers.

    Different words, for a roll of names repeats the few that it has ("đồng chí …; đồng chí …").

    Args:
        document: its text and mentions.
        segmented: the same text with words and sentences.
    """
    found = []
    for first, last in segmented.sentences:
        if last > first:
            start, end = segmented.words[first].start, segmented.words[last - 1].end
            words = [_NUMBER if word.isdecimal() else word for word in masked_words(document, start, end)]
            if own_words(list(dict.fromkeys(words))) >= OWN_WORDS:
                names = (m for m in document.mentions if start <= m.start and m.end <= end)
                text = " ".join(document.text[start:end].split())
                found.append(Sentence(start, text, frozenset(plain(m.text) for m in names), _shingles(words)))
    return found


def _shingles(words: Sequence[str]) -> frozenset[str]:
    runs = (words[i : i + _SHINGLE] for i in range(len(words) - _SHINGLE + 1))
    return frozenset(" ".join(run) for run in runs if own_words(run) >= _SHINGLE_WORDS)


def closest_sentences(articles: Sequence[Sequence[Sentence]]) -> Iterator[Reuse]:
    """Pairs of sentences of two articles that share a shingle, however few.

    Args:
        articles: of each its sentences (``own_sentences``).
    """
    places = [(a, s) for a, sentences in enumerate(articles) for s in range(len(sentences))]
    for overlap in overlaps([articles[a][s].shingles for a, s in places]):
        earlier, later = places[overlap.first], places[overlap.second]
        if earlier[0] != later[0]:
            one, other = (articles[a][s] for a, s in (earlier, later))
            share = len(one.shingles & other.shingles) / len(one.shingles | other.shingles)
            yield Reuse(earlier, later, share, not (one.names <= other.names or other.names <= one.names))
