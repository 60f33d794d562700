"""True positives, predicted and gold: the three numbers that every score is made of, kept for each article."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeVar

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many were right, how many a system found, how many there were to find.

    A ratio without a denominator is undefined (``None``): precision with nothing predicted, recall without gold, F1
    with neither.
    """

    tp: int = 0
    predicted: int = 0
    gold: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.predicted + other.predicted, self.gold + other.gold)

    @property
    def precision(self) -> float | None:
        return self.tp / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        return self.tp / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        return 2 * self.tp / (self.predicted + self.gold) if self.predicted + self.gold else None


TypeCounts = dict[str, Counts]
"""Counts of one article, by entity or relation type."""


def total(counts: Iterable[Counts]) -> Counts:
    """The sum: micro scores come from it."""
    return sum(counts, Counts())


def count_sets(gold: AbstractSet[ItemT], predicted: AbstractSet[ItemT], type_of: Callable[[ItemT], str]) -> TypeCounts:
    """Counts by type where an item is right when it is in both sets (equal items are of one type)."""
    counts: TypeCounts = {}
    for item in gold | predicted:
        in_gold, in_predicted = item in gold, item in predicted
        one = Counts(int(in_gold and in_predicted), int(in_predicted), int(in_gold))
        counts[type_of(item)] = counts.get(type_of(item), Counts()) + one
    return counts


def micro(counts: Mapping[str, Counts]) -> Counts:
    """One article's counts over all types."""
    return total(counts.values())
