"""The sentences around an error, cut into pieces that carry their marks: what reports show."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.document import Document

_EDGE = 140  # characters of a sentence kept before its first and after its last mark
_BETWEEN = 240  # longest unmarked stretch between two marks that is shown whole
_GAP = " […] "


@dataclass(frozen=True, slots=True)
class Mark:
    """A span to show: ``side`` is ``gold`` (only labelled), ``predicted`` (only found), ``both`` or ``other`` (a gold
    mention beside the error, for orientation)."""

    start: int
    end: int
    side: str
    label: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text under the same marks.

    Attributes:
        style: empty for plain text, else a side.
        labels: (side, label) of the marks that end here.
    """

    text: str
    style: str = ""
    labels: tuple[tuple[str, str], ...] = ()


Passage = tuple[Piece, ...]


def sentence_spans(document: Document) -> list[tuple[int, int]]:
    """Half-open offsets of the sentences in text order; the lines of the text when it has not been split."""
    words = document.words
    spans = [(words[first].start, words[end - 1].end) for first, end in document.sentences if first < end <= len(words)]
    return spans or _lines(document.text)


def _lines(text: str) -> list[tuple[int, int]]:
    spans = []
    start = 0
    for line in text.split("\n"):
        if line.strip():
            spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def passages(
    text: str, sentences: Sequence[tuple[int, int]], marks: Sequence[Mark], others: Sequence[Mark] = ()
) -> tuple[Passage, ...]:
    """The sentences that hold the marks, each run of neighbouring ones as one passage.

    Args:
        text: of the document.
        sentences: their offsets, in order.
        marks: what the error is about.
        others: further mentions in text order, shown faintly where they lie in these sentences and under no mark.
    """
    shown = []
    for start, end in _stretches(sentences, marks):
        inside = [mark for mark in marks if start <= mark.start and mark.end <= end]
        nearby = others[bisect_left(others, start, key=_start) : bisect_left(others, end, key=_start)]
        free = [o for o in nearby if o.end <= end and not any(m.start < o.end and o.start < m.end for m in inside)]
        shown.append(_pieces(text, start, end, [*inside, *free]))
    return tuple(shown)


def _start(mark: Mark) -> int:
    return mark.start


def _stretches(sentences: Sequence[tuple[int, int]], marks: Sequence[Mark]) -> list[tuple[int, int]]:
    """Offsets of the runs of neighbouring sentences that some mark touches, wide enough for every mark."""
    touched: set[int] = set()
    for mark in marks:
        first = bisect_right(sentences, mark.start, key=lambda span: span[1])
        touched.update(range(first, bisect_left(sentences, mark.end, key=lambda span: span[0])))
    runs: list[tuple[int, int]] = []
    for index in sorted(touched):
        if index - 1 in touched:
            runs[-1] = (runs[-1][0], sentences[index][1])
        else:
            runs.append(sentences[index])
    merged: list[tuple[int, int]] = []
    for start, end in sorted([*runs, *((mark.start, mark.end) for mark in marks)]):
        if merged and start < merged[-1][1]:  # a mark may stick out of its sentence, or lie in none
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _pieces(text: str, start: int, end: int, marks: Sequence[Mark]) -> Passage:
    edges = sorted({start, end, *(edge for mark in marks for edge in (mark.start, mark.end))})
    pieces = []
    for first, last in pairwise(edges):
        over = [mark for mark in marks if mark.start <= first and last <= mark.end]
        labels = tuple((mark.side, mark.label) for mark in over if mark.end == last)
        piece_text = text[first:last]
        if not over:
            piece_text = _shorten(piece_text, at_start=first == start, at_end=last == end)
        pieces.append(Piece(piece_text, _style({mark.side for mark in over}), labels))
    return tuple(pieces)


def _style(sides: set[str]) -> str:
    if not sides:
        return ""
    return "both" if "both" in sides or {"gold", "predicted"} <= sides else sides.pop()


def _shorten(text: str, at_start: bool, at_end: bool) -> str:
    """Cut what is far from every mark out of a long sentence."""
    if at_start and len(text) > _EDGE:
        return _GAP.lstrip() + text[-_EDGE:]
    if at_end and len(text) > _EDGE:
        return text[:_EDGE] + _GAP.rstrip()
    if not (at_start or at_end) and len(text) > _BETWEEN:
        half = _BETWEEN // 2
        return text[:half] + _GAP + text[-half:]
    return text
