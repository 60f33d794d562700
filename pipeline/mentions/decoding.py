"""From label scores to spans: the best legal IOB2 sequence, never an illegal one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Span = tuple[int, int, str, float]


def legal_transitions(labels: Sequence[str]) -> tuple[Scores, Scores]:
    """IOB2's grammar as additive scores, 0 where legal and -inf where not.

    Returns:
        ``start [labels]`` (``I-X`` cannot begin) and ``transitions [labels, labels]`` from row to column
        (``I-X`` only follows ``B-X`` or ``I-X``).
    """
    start = np.zeros(len(labels), dtype=np.float32)
    transitions = np.zeros((len(labels), len(labels)), dtype=np.float32)
    for column, label in enumerate(labels):
        if label.startswith("I-"):
            start[column] = -np.inf
            for row, before in enumerate(labels):
                if before not in (label, f"B-{label[2:]}"):
                    transitions[row, column] = -np.inf
    return start, transitions


def viterbi(scores: Scores, start: Scores, transitions: Scores) -> list[int]:
    """The label sequence of the highest total score (Viterbi, 1967).

    Args:
        scores: log probabilities ``[words, labels]``.
        start, transitions: from ``legal_transitions``.
    """
    if not len(scores):
        return []
    best = scores[0] + start
    back = np.zeros(scores.shape, dtype=np.int64)
    for word in range(1, len(scores)):
        candidates = best[:, None] + transitions
        back[word] = candidates.argmax(axis=0)
        best = candidates.max(axis=0) + scores[word]
    path = [int(best.argmax())]
    for word in range(len(scores) - 1, 0, -1):
        path.append(int(back[word, path[-1]]))
    return path[::-1]


def decode(scores: Scores, labels: Sequence[str], start: Scores, transitions: Scores) -> list[Span]:
    """Spans of the best legal labelling of one document.

    Args:
        scores: log probabilities ``[words, labels]``.

    Returns:
        ``(first word, last word + 1, type, score)``; the score is the geometric mean of the label probabilities.
    """
    # Most words are surely O; only the stretches between them need the search.
    outside = scores[:, 0] > np.log(0.999)
    spans: list[Span] = []
    word = 0
    while word < len(scores):
        if outside[word]:
            word += 1
            continue
        end = word
        while end < len(scores) and not outside[end]:
            end += 1
        path = viterbi(scores[word:end], start, transitions)
        spans.extend(_spans(path, scores[word:end], labels, word))
        word = end
    return spans


def _spans(path: Sequence[int], scores: Scores, labels: Sequence[str], offset: int) -> list[Span]:
    spans: list[Span] = []
    index = 0
    while index < len(path):
        label = labels[path[index]]
        if label == "O":
            index += 1
            continue
        end = index + 1
        while end < len(path) and labels[path[end]] == f"I-{label[2:]}":
            end += 1
        mean = np.mean([scores[i, path[i]] for i in range(index, end)])
        spans.append((offset + index, offset + end, label[2:], float(np.exp(mean))))
        index = end
    return spans
