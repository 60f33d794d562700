"""What may follow what, and how gladly: IOB2's grammar with what a model has learnt about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.mentions.decoding import Scores, legal_transitions

Transitions = Mapping[str, Sequence[float] | Sequence[Sequence[float]]]


def learnt_grammar(labels: Sequence[str], values: Transitions) -> tuple[Scores, Scores]:
    """IOB2's grammar with learnt scores, as ``legal_transitions`` gives it.

    Args:
        values: from ``transitions.Transitions.values``: ``start [labels]`` and ``between [labels][labels]``.
    """
    start, between = legal_transitions(labels)
    return start + np.asarray(values["start"], np.float32), between + np.asarray(values["between"], np.float32)


def grammar(
    labels: Sequence[str], learnt: Transitions | None, adjacency: Mapping[str, float] | None
) -> tuple[Scores, Scores]:
    """The grammar of a model that has learnt transitions, or else counted how often mentions touch."""
    return learnt_grammar(labels, learnt) if learnt else legal_transitions(labels, adjacency)
