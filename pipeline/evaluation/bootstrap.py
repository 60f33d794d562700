"""Intervals for scores: the percentile bootstrap over articles (Efron and Tibshirani, 1993, chapter 13).

Articles, not mentions, are drawn with replacement: the mentions of one article repeat each other and are no independent
sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EvaluationConfig
from pipeline.evaluation.counts import Counts, total

Interval = tuple[float, float]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """First system's F1 minus the second's, with its interval; ``None`` where a score is undefined."""

    value: float | None
    low: float | None
    high: float | None


class Bootstrap:
    """Draws the resamples once, so that all scores of one report, and both sides of a difference, share them.

    Args:
        articles: how many articles there are.
        settings: number of resamples and confidence.
        seed: of the draws; equal seeds give equal intervals.
    """

    def __init__(self, articles: int, settings: EvaluationConfig, seed: int) -> None:
        self.articles = articles
        self.settings = settings
        # How often each resample holds each article: (resamples, articles). Floats, for a fast matrix product.
        self._draws: _Floats = np.zeros((settings.resamples, articles))
        if articles:
            shares = np.full(articles, 1.0 / articles)
            self._draws[:] = np.random.default_rng(seed).multinomial(articles, shares, size=settings.resamples)

    def interval(self, articles: Sequence[Counts]) -> Interval | None:
        """The interval of micro F1, ``None`` when it is undefined.

        Resamples in which F1 is undefined (no article drawn has the type) are left out.

        Args:
            articles: counts of every article, in a fixed order.
        """
        return self._percentiles(self._resampled_f1(articles))

    def difference(self, first: Sequence[Counts], second: Sequence[Counts]) -> Difference:
        """The paired difference in micro F1 of two systems: each resample draws the same articles for both.

        Args:
            first, second: counts of the same articles in the same order.
        """
        first_f1, second_f1 = total(first).f1, total(second).f1
        if first_f1 is None or second_f1 is None:
            return Difference(None, None, None)
        interval = self._percentiles(self._resampled_f1(first) - self._resampled_f1(second))
        return Difference(first_f1 - second_f1, *(interval or (None, None)))

    def _resampled_f1(self, articles: Sequence[Counts]) -> _Floats:
        """F1 of each resample, shape ``(resamples,)``, nan where undefined."""
        if len(articles) != self.articles:
            raise ValueError(f"counts of {len(articles)} articles, {self.articles} were drawn")
        rows = [(2.0 * counts.tp, counts.predicted + counts.gold) for counts in articles]
        sums = self._draws @ np.array(rows, dtype=np.float64).reshape(-1, 2)
        f1: _Floats = np.full(len(sums), np.nan)
        np.divide(sums[:, 0], sums[:, 1], out=f1, where=sums[:, 1] > 0)
        return f1

    def _percentiles(self, values: _Floats) -> Interval | None:
        defined = values[~np.isnan(values)]
        if not len(defined):
            return None
        tail = (1.0 - self.settings.confidence) / 2.0
        low, high = np.quantile(defined, [tail, 1.0 - tail])
        return float(low), float(high)
