"""What the names of two mentions say before anything is read: who is whom, and who stands in whose name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.document import Mention
from pipeline.schema import Schema
from pipeline.text.countries import country_code, key_code
from pipeline.text.names import Words, name_key, words

# Words of the longest country name that is looked for in a title.
_COUNTRY_WORDS = 4


class Names:
    """The names of a document's mentions.

    This is a rough first look; the facts stage links entities with all that the relations tell.

    Attributes:
        groups: for each mention a number, equal for mentions of one type whose names look like one thing's: equal names
            but for spelling, names of one country, a person's name and its last or first words.
    """

    def __init__(self, mentions: Sequence[Mention], schema: Schema) -> None:
        self._words = [words(name_key(mention.text)) for mention in mentions]
        self._codes = [country_code(mention.text) for mention in mentions]
        self.groups = self._group(mentions, schema)
        distinct: dict[tuple[Words, str | None], int] = {}
        numbers = [distinct.setdefault(name, len(distinct)) for name in zip(self._words, self._codes, strict=True)]
        self._numbers, self._count = np.array(numbers, dtype=np.int64), len(distinct)
        self._inside = np.unique(
            np.array([first * self._count + second for first, second in _inside(distinct)] or [-1])
        )

    def share(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the name of one mention stands in the other's: Việt Nam in "Đối thoại Việt - Anh lần thứ 2".

        Args:
            first, second: indices of mentions, ``[pairs]``.
        """
        one, other = self._numbers[first], self._numbers[second]
        return np.isin(one * self._count + other, self._inside) | np.isin(other * self._count + one, self._inside)

    def _group(self, mentions: Sequence[Mention], schema: Schema) -> list[int]:
        first: dict[tuple[str, str | Words], int] = {}
        people = _People()
        groups: list[int] = []
        for index, mention in enumerate(mentions):
            linking = schema.link_kind(mention.type)
            name = (self._codes[index] if linking == "country" else None) or self._words[index]
            group = first.setdefault((mention.type, name), index)
            if linking == "person" and group == index:
                group = first[mention.type, name] = people.find(self._words[index], index)
            groups.append(group)
        return groups


class _People:
    """Finds a person's earlier mention by the first or last words of the name."""

    def __init__(self) -> None:
        self._whole: dict[Words, int] = {}
        self._edges: dict[Words, int] = {}

    def find(self, name: Words, number: int) -> int:
        """The latest name that begins or ends with this one, or that this one begins or ends with; else ``number``."""
        sides = [part for length in range(1, len(name) + 1) for part in (name[:length], name[-length:])]
        found = max([self._edges.get(name, -1), *(self._whole.get(part, -1) for part in sides)])
        group = number if found < 0 else found
        self._whole[name] = group
        self._edges.update(dict.fromkeys(sides, group))
        return group


def _inside(distinct: Mapping[tuple[Words, str | None], int]) -> Iterator[tuple[int, int]]:
    """Numbers of names and of longer ones that hold their words, or name their country in another way."""
    by_words: defaultdict[Words, list[int]] = defaultdict(list)
    by_code: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for (name, code), number in distinct.items():
        if name:
            by_words[name].append(number)
            if code is not None:
                by_code[code].append((len(name), number))
    lengths = sorted({len(name) for name in by_words})
    for (long, _), whole in distinct.items():
        for length in lengths:
            for start in range(len(long) - length + 1 if length < len(long) else 0):
                for part in by_words.get(long[start : start + length], ()):
                    yield part, whole
        for code in countries_in(long) if by_code and len(long) > 1 else ():
            for length, part in by_code.get(code, ()):
                if length < len(long):
                    yield part, whole


@lru_cache(maxsize=8192)
def countries_in(name: Words) -> frozenset[str]:
    """Codes of the countries that a name of several words holds."""
    runs = (
        " ".join(name[start:end])
        for start in range(len(name))
        for end in range(start + 1, min(start + _COUNTRY_WORDS, len(name)) + 1)
    )
    return frozenset(code for run in runs if (code := key_code(run)))
