"""From label scores to spans: the best legal IOB2 sequence, never an illegal one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Span = tuple[int, int, str, float]


def adjacency(labels: Iterable[Sequence[str]]) -> dict[str, float]:
    """How rarely a mention directly follows another of its type: log probability, by type.

    Two names that touch are nearly always one; the classifier, which decides word by word, forgets that in long names.

    Args:
        labels: IOB2 labels of training documents.
    """
    begun: Counter[str] = Counter()
    continued: Counter[str] = Counter()
    for sequence in labels:
        for before, label in pairwise(sequence):
            if label != "O" and before[2:] == label[2:]:
                (begun if label.startswith("B-") else continued)[label[2:]] += 1
    kinds = begun.keys() | continued.keys()
    return {kind: math.log((begun[kind] + 1) / (begun[kind] + continued[kind] + 2)) for kind in sorted(kinds)}


def legal_transitions(labels: Sequence[str], adjacent: Mapping[str, float] | None = None) -> tuple[Scores, Scores]:
    """IOB2's grammar as additive scores, 0 where legal and -inf where not.

    Args:
        adjacent: from ``adjacency``; added where a mention would directly follow another of its type.

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
        elif label.startswith("B-"):
            for row, before in enumerate(labels):
                if before[2:] == label[2:]:
                    transitions[row, column] = (adjacent or {}).get(label[2:], 0.0)
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


def decode(
    scores: Scores, labels: Sequence[str], start: Scores, transitions: Scores, sentences: Iterable[int] = ()
) -> list[Span]:
    """Spans of the best legal labelling of one document.

    Args:
        scores: log probabilities ``[words, labels]``.
        sentences: words that begin a sentence; no span crosses into one.

    Returns:
        ``(first word, last word + 1, type, score)``; the score is the geometric mean of the label probabilities.
    """
    # Most words are surely O; only the stretches between them need the search.
    outside = scores[:, 0] > np.log(0.999)
    breaks = frozenset(sentences)
    spans: list[Span] = []
    word = 0
    while word < len(scores):
        if outside[word]:
            word += 1
            continue
        end = word + 1
        while end < len(scores) and not outside[end] and end not in breaks:
            end += 1
        # Before the stretch stands a sure O or nothing, behind it likewise.
        stretch = scores[word:end].copy()
        if end < len(scores) and end not in breaks:
            stretch[-1] += transitions[:, 0]
        path = viterbi(stretch, start if word == 0 or word in breaks else transitions[0], transitions)
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
