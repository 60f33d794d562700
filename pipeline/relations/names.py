"""What the names of two mentions say before anything is read: who is whom, and who stands in whose name."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.document import Mention
from pipeline.schema import Schema
from pipeline.text.countries import country_code
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
        self._inside: dict[int, frozenset[str]] = {}
        self.groups = self._group(mentions, schema)

    def stands_in(self, part: int, whole: int) -> bool:
        """Whether the name of one mention stands in the other's: Việt Nam in "Đối thoại Việt - Anh lần thứ 2".

        Args:
            part, whole: indices of mentions.
        """
        short, long = self._words[part], self._words[whole]
        if not short or len(short) >= len(long):
            return False
        return _contains(long, short) or (self._codes[part] is not None and self._codes[part] in self._countries(whole))

    def _countries(self, mention: int) -> frozenset[str]:
        """Codes of the countries that a longer name holds."""
        if mention not in self._inside:
            long = self._words[mention]
            runs = (
                " ".join(long[start:end])
                for start in range(len(long))
                for end in range(start + 1, min(start + _COUNTRY_WORDS, len(long)) + 1)
            )
            self._inside[mention] = frozenset(code for run in runs if (code := country_code(run)))
        return self._inside[mention]

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


def _contains(long: Words, short: Words) -> bool:
    return any(long[start : start + len(short)] == short for start in range(len(long) - len(short) + 1))
