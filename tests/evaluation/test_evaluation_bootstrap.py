from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import EvaluationConfig
from pipeline.evaluation.bootstrap import Bootstrap, Difference
from pipeline.evaluation.counts import Counts, total

SETTINGS = EvaluationConfig(resamples=300)


@st.composite
def article_counts(draw: st.DrawFn) -> Counts:
    predicted, gold = draw(st.integers(0, 12)), draw(st.integers(0, 12))
    return Counts(draw(st.integers(0, min(predicted, gold))), predicted, gold)


def test_ratios_are_undefined_without_a_denominator() -> None:
    assert (Counts().precision, Counts().recall, Counts().f1) == (None, None, None)
    assert (Counts(0, 3, 0).precision, Counts(0, 3, 0).recall, Counts(0, 3, 0).f1) == (0.0, None, 0.0)
    assert (Counts(0, 0, 3).precision, Counts(0, 0, 3).recall, Counts(0, 0, 3).f1) == (None, 0.0, 0.0)
    assert Counts(2, 4, 3).f1 == pytest.approx(4 / 7)


def test_equal_seeds_give_equal_intervals_and_others_do_not() -> None:
    articles = [Counts(n % 4, 4, 5) for n in range(15)]
    first, again, other = (Bootstrap(15, SETTINGS, seed).interval(articles) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@given(st.lists(article_counts(), min_size=1, max_size=20), st.integers(0, 99))
def test_the_interval_holds_the_point_estimate(articles: list[Counts], seed: int) -> None:
    f1 = total(articles).f1
    interval = Bootstrap(len(articles), SETTINGS, seed).interval(articles)
    if f1 is None:
        assert interval is None
    else:
        assert interval is not None
        assert interval[0] - 1e-9 <= f1 <= interval[1] + 1e-9
        assert 0.0 <= interval[0] <= interval[1] <= 1.0


def test_the_interval_is_the_percentiles_of_resampled_articles() -> None:
    articles = [Counts(1, 1, 1), Counts(0, 1, 1)]  # F1 of a resample: 0, ½ or 1, with chances ¼, ½, ¼
    assert Bootstrap(2, EvaluationConfig(resamples=4000, confidence=0.95), 0).interval(articles) == (0.0, 1.0)
    assert Bootstrap(2, EvaluationConfig(resamples=4000, confidence=0.4), 0).interval(articles) == (0.5, 0.5)


def test_more_confidence_or_fewer_articles_make_a_wider_interval() -> None:
    rng = np.random.default_rng(5)
    articles = [Counts(int(n), 10, 10) for n in rng.integers(3, 10, 40)]

    def width(counts: list[Counts], confidence: float) -> float:
        settings = EvaluationConfig(resamples=1000, confidence=confidence)
        interval = Bootstrap(len(counts), settings, 0).interval(counts)
        assert interval is not None
        return interval[1] - interval[0]

    assert width(articles, 0.99) > width(articles, 0.8)
    assert width(articles[:8], 0.95) > width(articles, 0.95)


def test_a_difference_is_paired_by_article() -> None:
    hard_and_easy = [Counts(2, 10, 10), Counts(9, 10, 10)] * 10
    better = [Counts(counts.tp + 1, 10, 10) for counts in hard_and_easy]
    bootstrap = Bootstrap(20, SETTINGS, 0)
    difference = bootstrap.difference(better, hard_and_easy)
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.1, 0.1, 0.1))
    back = bootstrap.difference(hard_and_easy, better)
    assert (back.value, back.low, back.high) == pytest.approx((-0.1, -0.1, -0.1))


def test_nothing_to_compare_is_undefined() -> None:
    assert Bootstrap(1, SETTINGS, 0).difference([Counts()], [Counts(1, 1, 1)]) == Difference(None, None, None)
    assert Bootstrap(0, SETTINGS, 0).interval([]) is None
    with pytest.raises(ValueError, match="2 articles"):
        Bootstrap(1, SETTINGS, 0).interval([Counts(), Counts()])
