"""Entity scores: strict, partial and span-only, and which gold mention each prediction stands against.

* strict: exact span and type, what seqeval calls ``mode="strict"`` (Nakayama, 2018) and CoNLL-2003 counts.
* partial: some overlap and the same type, each mention used once: ``type`` of SemEval-2013 task 9 (Segura-Bedmar et
  al., 2013), after MUC-5 (Chinchor and Sundheim, 1993).
* span-only: exact span, whatever the type: ``exact`` of the same task.

Mentions of one side are flat: no two overlap (``pipeline.evaluation.pairs.check_pairs``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from pipeline.document import Document, Mention
from pipeline.evaluation.counts import Counts, TypeCounts, count_sets
from pipeline.evaluation.pairs import Pair

MatchKind = Literal["correct", "wrong type", "wrong boundary", "wrong type and boundary", "missed", "spurious"]
NOTHING = "–"
"""Stands for the missing side in a confusion table."""


@dataclass(frozen=True, slots=True)
class Match:
    """A gold mention and what a system has in its place; one of the two is ``None`` when missed or spurious."""

    kind: MatchKind
    gold: Mention | None
    predicted: Mention | None


def strict_counts(gold: Document, predicted: Document) -> TypeCounts:
    """Exact span and type, on raw offsets, over all gold mentions."""
    return count_sets({m.span for m in gold.mentions}, {m.span for m in predicted.mentions}, lambda span: span[2])


def partial_counts(gold: Document, predicted: Document) -> TypeCounts:
    """Overlap with the same type, each mention matched at most once."""
    counts = {}
    for kind in sorted({mention.type for mention in [*gold.mentions, *predicted.mentions]}):
        golds, predictions = _of_type(gold.mentions, kind), _of_type(predicted.mentions, kind)
        counts[kind] = Counts(len(_overlapping(golds, predictions)), len(predictions), len(golds))
    return counts


def span_counts(gold: Document, predicted: Document) -> Counts:
    """Exact span, type ignored."""
    spans = {(m.start, m.end) for m in gold.mentions}
    found = {(m.start, m.end) for m in predicted.mentions}
    return Counts(len(spans & found), len(found), len(spans))


def align(gold: Document, predicted: Document) -> list[Match]:
    """Every mention of both sides exactly once, in text order: exact spans first, then overlaps of the same type, then
    other overlaps, each one to one; what stays alone is missed or spurious."""
    golds = {mention.span: mention for mention in gold.mentions}
    predictions = {mention.span: mention for mention in predicted.mentions}
    matches: list[Match] = []

    def take(kind: MatchKind, pairs: Iterable[tuple[Mention, Mention]]) -> None:
        for one, other in pairs:
            matches.append(Match(kind, golds.pop(one.span), predictions.pop(other.span)))

    take("correct", [(golds[span], predictions[span]) for span in golds.keys() & predictions.keys()])
    at = {(mention.start, mention.end): mention for mention in predictions.values()}
    take("wrong type", [(m, at[m.start, m.end]) for m in list(golds.values()) if (m.start, m.end) in at])
    for kind in sorted({mention.type for mention in golds.values()}):
        take("wrong boundary", _overlapping(_of_type(golds.values(), kind), _of_type(predictions.values(), kind)))
    take("wrong type and boundary", _overlapping(list(golds.values()), list(predictions.values())))
    matches += [Match("missed", mention, None) for mention in golds.values()]
    matches += [Match("spurious", None, mention) for mention in predictions.values()]
    return sorted(matches, key=lambda match: min(m.span for m in (match.gold, match.predicted) if m))


def confusion(matches: Iterable[Match]) -> dict[str, dict[str, int]]:
    """Gold type → predicted type → how many aligned pairs; ``NOTHING`` is the type of a missing side."""
    cells = Counter(
        (match.gold.type if match.gold else NOTHING, match.predicted.type if match.predicted else NOTHING)
        for match in matches
    )
    table: dict[str, dict[str, int]] = {}
    for (gold, predicted), number in sorted(cells.items()):
        table.setdefault(gold, {})[predicted] = number
    return table


def iob2_labels(gold: Sequence[Mention], predicted: Sequence[Mention]) -> tuple[list[str], list[str]]:
    """Both sides as IOB2 labels over the same units: the pieces of text between any two neighbouring edges.

    Cut at every edge of both sides, no span can end inside a unit, so seqeval counts exactly what raw offsets say, also
    where an edge lies inside a word.
    """
    edges = sorted({edge for mention in [*gold, *predicted] for edge in (mention.start, mention.end)})
    position = {edge: index for index, edge in enumerate(edges)}
    sides = []
    for mentions in (gold, predicted):
        labels = ["O"] * max(len(edges) - 1, 0)
        for mention in mentions:
            first, end = position[mention.start], position[mention.end]
            labels[first:end] = [f"B-{mention.type}", *[f"I-{mention.type}"] * (end - first - 1)]
        sides.append(labels)
    return sides[0], sides[1]


def seqeval_scores(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """Strict micro precision, recall and F1 as seqeval counts them; 0 where undefined."""
    if not pairs:
        return 0.0, 0.0, 0.0  # seqeval refuses an empty list
    sides = [iob2_labels(gold.mentions, predicted.mentions) for gold, predicted in pairs]
    precision, recall, f1, _ = precision_recall_fscore_support(
        [gold for gold, _ in sides],
        [predicted for _, predicted in sides],
        average="micro",
        scheme=IOB2,
        zero_division=0,
    )
    return float(precision), float(recall), float(f1)


def _of_type(mentions: Iterable[Mention], kind: str) -> list[Mention]:
    return [mention for mention in mentions if mention.type == kind]


def _overlapping(golds: Sequence[Mention], predictions: Sequence[Mention]) -> list[tuple[Mention, Mention]]:
    """Overlapping mentions paired one to one from left to right.

    As each side is flat, the one of two overlapping mentions that ends first overlaps nothing further on, so taking
    each pair as it comes leaves no other choice that would give more pairs.
    """
    golds, predictions = sorted(golds, key=lambda m: m.start), sorted(predictions, key=lambda m: m.start)
    pairs = []
    i = j = 0
    while i < len(golds) and j < len(predictions):
        gold, predicted = golds[i], predictions[j]
        if gold.end <= predicted.start:
            i += 1
        elif predicted.end <= gold.start:
            j += 1
        else:
            pairs.append((gold, predicted))
            i, j = i + 1, j + 1
    return pairs
