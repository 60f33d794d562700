"""Sequences of any lengths, walked through together: as many NumPy calls as the longest has words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def by_step(lengths: Sequence[int] | Indices) -> tuple[Indices, list[slice]]:
    """How to sort the words of sequences that stand one behind the other: all first words, all second words, …

    Longer sequences stand first in each, so that the words of a step follow on the first ones of the step before.

    Args:
        lengths: words of each sequence, at least 1; at least one sequence.

    Returns:
        Indices of the words in that order, and the part of it that belongs to each step.
    """
    sizes = np.asarray(lengths)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    ends = np.cumsum(sizes)
    place = np.arange(ends[-1]) - np.repeat(ends - sizes, sizes)
    stops = np.cumsum(np.bincount(place)).tolist()
    steps = [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]
    return np.lexsort((np.repeat(rank, sizes), place)), steps
