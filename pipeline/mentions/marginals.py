"""Marginal probabilities of a linear-chain CRF for many sentences at once (forward-backward: Rabiner, 1989).

Step by step through all sentences together, so that the number of NumPy calls is that of words in the longest sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.mentions.steps import by_step

Array = NDArray[np.float64]


def marginals(scores: Array, transitions: Array, lengths: Sequence[int]) -> Array:
    """The probability of each label for each word.

    Args:
        scores: of the labels for each word, one sentence behind the other, ``[words, labels]``.
        transitions: scores of label (row) before label (column), ``[labels, labels]``.
        lengths: words of each sentence, at least 1; they add up to ``words``.

    Returns:
        ``[words, labels]``; each row sums to 1.
    """
    order, blocks = by_step(lengths)
    # Factors of a word or of a sequence change nothing but the sums that are divided by: they keep numbers in range.
    states = np.exp(scores - scores.max(axis=1, keepdims=True))[order]
    steps = np.exp(transitions - transitions.max())
    # The words of a step follow on the first ones of the step before: longer sentences stand first.
    forward, backward = states.copy(), np.ones_like(states)
    for before, here in pairwise(blocks):
        still = forward[before][: here.stop - here.start]
        forward[here] *= (still / still.sum(axis=1, keepdims=True)) @ steps
    for here, after in pairwise(reversed(blocks)):
        coming = (states[here] * backward[here]) @ steps.T
        backward[after][: len(coming)] = coming / coming.sum(axis=1, keepdims=True)
    result = np.empty_like(scores)
    forward *= backward
    result[order] = forward / forward.sum(axis=1, keepdims=True)
    return result
