"""Overlapping windows of whole words: how an article longer than the encoder is read without loss."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """Words ``[first, last)`` of a document."""

    first: int
    last: int

    def __contains__(self, word: int) -> bool:
        return self.first <= word < self.last


def make_windows(
    lengths: Sequence[int], capacity: int, overlap: int, sentence_starts: Sequence[int] = ()
) -> list[Window]:
    """Cover all words by windows.

    Every word is in a window; a window's lengths sum to at most ``capacity``, but for a window that holds one single
    longer word. A window begins at the first sentence start inside its overlap with the one before, if there is one:
    whole sentences are better context than half ones.

    Args:
        lengths: pieces of each word, at least 1.
        capacity: pieces of a window.
        overlap: pieces that consecutive windows may share, less than ``capacity``.
        sentence_starts: indices of words that begin a sentence, ascending.
    """
    if not 0 <= overlap < capacity:
        raise ValueError(f"overlap {overlap} must be at least 0 and less than the capacity {capacity}")
    before = [0, *accumulate(lengths)]  # pieces before each word
    windows: list[Window] = []
    first = 0
    while first < len(lengths):
        last = bisect_left(before, before[first] + capacity + 1) - 1
        last = min(max(last, first + 1), len(lengths))
        windows.append(Window(first, last))
        if last == len(lengths):
            break
        following = max(bisect_left(before, before[last] - overlap), first + 1)
        sentence = bisect_left(sentence_starts, following)
        if sentence < len(sentence_starts) and sentence_starts[sentence] <= last:
            following = sentence_starts[sentence]
        first = following
    return windows


def context(window: Window, words: int, first: int, last: int) -> float:
    """Words of context that a window gives the span ``[first, last)`` on its poorer side.

    An edge of the document takes nothing away: there is no more context to be had there.

    Args:
        words: words of the whole document.
    """
    left = float("inf") if window.first == 0 else first - window.first
    right = float("inf") if window.last == words else window.last - last
    return min(left, right)


def best_windows(windows: Sequence[Window], words: int) -> NDArray[np.int64]:
    """For each word, the index of the window that gives it the most ``context`` (the earlier of equals)."""
    best = np.zeros(words, dtype=np.int64)
    most = np.full(words, -1.0)
    for index, window in enumerate(windows):
        own = slice(window.first, window.last)
        steps = np.arange(window.last - window.first, dtype=np.float64)
        left = np.full_like(steps, np.inf) if window.first == 0 else steps
        right = np.full_like(steps, np.inf) if window.last == words else steps[::-1]
        room = np.minimum(left, right)
        best[own] = np.where(room > most[own], index, best[own])
        most[own] = np.maximum(room, most[own])
    return best
