"""Overlapping windows of whole words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.windows.windows import Window, best_windows, context, make_windows


@st.composite
def articles(draw):
    lengths = draw(st.lists(st.integers(1, 12), max_size=60))
    capacity = draw(st.integers(1, 40))
    overlap = draw(st.integers(0, capacity - 1))
    starts = sorted(draw(st.sets(st.integers(0, max(len(lengths) - 1, 0)))) | {0}) if lengths else []
    return lengths, capacity, overlap, starts


@given(articles())
def test_windows_cover_all_words_in_order_within_capacity(article):
    lengths, capacity, overlap, starts = article
    windows = make_windows(lengths, capacity, overlap, starts)
    assert {word for window in windows for word in range(window.first, window.last)} == set(range(len(lengths)))
    assert all(first.first < second.first and first.last <= second.last for first, second in pairwise(windows))
    for window in windows:
        assert sum(lengths[window.first : window.last]) <= capacity or window.last - window.first == 1
    for before, after in pairwise(windows):
        assert sum(lengths[after.first : before.last]) <= overlap
        assert after.first <= before.last
        # Each is as long as it can be: the next word would not have fitted.
        assert sum(lengths[before.first : before.last + 1]) > capacity


@given(articles())
def test_a_window_begins_a_sentence_where_one_begins_in_the_overlap(article):
    lengths, capacity, overlap, starts = article
    for before, after in pairwise(make_windows(lengths, capacity, overlap, starts)):
        plain = next(
            first for first in range(before.first + 1, before.last + 1) if sum(lengths[first : before.last]) <= overlap
        )
        in_overlap = [start for start in starts if plain <= start <= before.last]
        assert after.first == (in_overlap[0] if in_overlap else plain)


def test_known_windows():
    assert make_windows([], 10, 3) == []
    assert make_windows([1] * 10, 10, 3) == [Window(0, 10)]
    assert make_windows([1] * 15, 10, 4) == [Window(0, 10), Window(6, 15)]
    assert make_windows([1] * 15, 10, 4, [0, 8]) == [Window(0, 10), Window(8, 15)]
    assert make_windows([3, 50, 3], 10, 4) == [Window(0, 1), Window(1, 2), Window(2, 3)]


@pytest.mark.parametrize("overlap", [-1, 10, 11])
def test_an_overlap_that_makes_no_sense(overlap):
    with pytest.raises(ValueError, match="overlap"):
        make_windows([1], 10, overlap)


@given(articles())
def test_each_word_is_read_where_it_has_the_most_context(article):
    lengths, capacity, overlap, starts = article
    windows = make_windows(lengths, capacity, overlap, starts)
    words = len(lengths)
    best = best_windows(windows, words)
    assert len(best) == words
    for word, choice in enumerate(best):
        assert word in windows[choice]
        scores = [context(window, words, word, word + 1) if word in window else -1.0 for window in windows]
        assert scores[choice] == max(scores)
        assert choice == scores.index(max(scores))


def test_context_is_that_of_the_poorer_side_and_document_edges_are_free():
    assert context(Window(0, 10), 30, 2, 4) == 6
    assert context(Window(10, 20), 30, 12, 14) == 2
    assert context(Window(20, 30), 30, 28, 30) == 8
    assert context(Window(0, 30), 30, 0, 1) == float("inf")
