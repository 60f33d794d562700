"""Sets of items that grow together."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence


class Partition:
    """Disjoint sets over the numbers ``0 … size-1`` (path halving: Tarjan and van Leeuwen, 1984)."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def find(self, item: int) -> int:
        """The smallest number of the set that holds the item."""
        parents = self._parents
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    def join(self, first: int, second: int) -> None:
        """Make the sets of two items one."""
        first, second = self.find(first), self.find(second)
        self._parents[max(first, second)] = min(first, second)


def nearest(places: Sequence[int], position: int) -> int | None:
    """The last of the ascending places before a position, else the first after it; ``None`` when there is none."""
    return places[max(bisect(places, position) - 1, 0)] if places else None
