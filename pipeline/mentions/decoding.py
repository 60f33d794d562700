"""From label scores to spans: the best legal IOB2 sequence, never an illegal one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.mentions.steps import Indices, by_step

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


def best_paths(scores: Scores, starts: Scores, transitions: Scores, lengths: Indices) -> Indices:
    """As ``viterbi``, for many sequences at once.

    Args:
        scores: log probabilities, one sequence behind the other, ``[words, labels]``.
        starts: added to the scores of each sequence's first word, ``[sequences, labels]``.
        transitions: ``[labels, labels]``.
        lengths: words of each sequence, at least 1; at least one sequence.

    Returns:
        The label of each word, ``[words]``.
    """
    order, steps = by_step(lengths)
    best = scores[order]  # in place of a word's scores come those of the best sequence up to it
    best[steps[0]] += starts[np.argsort(-lengths, kind="stable")]
    back = np.zeros(best.shape, dtype=np.int64)
    towards = np.ascontiguousarray(transitions.T)  # [to, from]: the search runs over what lies side by side
    for before, here in pairwise(steps):
        # [sequences, to, from]
        candidates = best[before][: here.stop - here.start, None, :] + towards
        back[here] = candidates.argmax(axis=2)
        best[here] += np.take_along_axis(candidates, back[here][:, :, None], axis=2)[:, :, 0]
    path = best.argmax(axis=1)  # of the last words; the others follow from what comes behind them
    for here, before in pairwise(reversed(steps)):
        labels = path[here]
        path[before][: len(labels)] = back[here][np.arange(len(labels)), labels]
    result: Indices = np.empty_like(path)
    result[order] = path
    return result


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
    unsure = scores[:, 0] <= np.log(0.999)
    if not unsure.any():
        return []
    cuts = np.zeros(len(scores) + 1, dtype=bool)  # before these words a sentence begins
    cuts[[word for word in sentences if word < len(scores)]] = True
    cuts[0] = True
    firsts = np.flatnonzero(unsure & (cuts[:-1] | ~np.roll(unsure, 1)))
    lasts = np.flatnonzero(unsure & (cuts[1:] | ~np.roll(unsure, -1) | (np.arange(len(scores)) == len(scores) - 1)))
    words = np.flatnonzero(unsure)
    lengths = lasts - firsts + 1
    # Before a stretch stands a sure O or nothing, behind it likewise.
    stretches = scores[words]
    ends = np.cumsum(lengths) - 1
    followed = (lasts + 1 < len(scores)) & ~cuts[lasts + 1]
    stretches[ends[followed]] += transitions[:, 0]
    starts = np.where(cuts[firsts][:, None], start, transitions[0])
    path = best_paths(stretches, starts, transitions, lengths)
    chosen = scores[words, path]
    return _spans(words.tolist(), path.tolist(), chosen, labels, set((ends - lengths + 1).tolist()))


def _spans(
    words: Sequence[int], path: Sequence[int], scores: Scores, labels: Sequence[str], begins: Container[int]
) -> list[Span]:
    """Spans of labelled words; ``begins`` are the places in ``words`` where another stretch begins."""
    spans: list[tuple[int, int, str]] = []
    inside = ""
    for place, number in enumerate(path):
        label = labels[number]
        if label == inside and place not in begins:
            first, _, kind = spans[-1]
            spans[-1] = first, place + 1, kind
        elif label != "O":
            spans.append((place, place + 1, label[2:]))
        inside = f"I-{label[2:]}"
    if not spans:
        return []
    edges = np.array([edge for first, last, _ in spans for edge in (first, last)])
    # A sum from each edge to the next; every second one is that of a span. The zero lets the last edge stand.
    sums = np.add.reduceat(np.append(scores, np.float32(0)), edges)[::2]
    means = np.exp(sums / np.diff(edges)[::2].astype(np.float32)).tolist()
    return [
        (words[first], words[last - 1] + 1, kind, mean) for (first, last, kind), mean in zip(spans, means, strict=True)
    ]
