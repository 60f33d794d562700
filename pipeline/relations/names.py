"""What the names of two mentions say before anything is read: who is whom, and who stands in whose name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pipeline.document import Mention
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

    def __init__(self, mentions: Sequence[Mention]) -> None:
        self._words = [words(name_key(mention.text)) for mention in mentions]
        self._codes = [country_code(mention.text) for mention in mentions]
        self._inside: dict[int, frozenset[str]] = {}
        self.groups = self._group(mentions)

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

    def _group(self, mentions: Sequence[Mention]) -> list[int]:
        first: dict[tuple[str, str | Words], int] = {}
        groups: list[int] = []
        people: defaultdict[str, list[int]] = defaultdict(list)
        for index, mention in enumerate(mentions):
            name = self._codes[index] if mention.type == "COUNTRY" else None
            group = first.setdefault((mention.type, name or self._words[index]), index)
            if mention.type == "PERSON" and group == index:
                group = self._same_person(index, people[mention.type])
                people[mention.type].append(index)
                first[mention.type, self._words[index]] = group
            groups.append(group if group == index else groups[group])
        return groups

    def _same_person(self, index: int, before: Sequence[int]) -> int:
        """The latest mention before whose name this one begins or ends, or the other way round; else itself."""
        mine = self._words[index]
        for other in reversed(before):
            theirs = self._words[other]
            short, long = sorted((mine, theirs), key=len)
            if short and (long[: len(short)] == short or long[-len(short) :] == short):
                return other
        return index


def _contains(long: Words, short: Words) -> bool:
    return any(long[start : start + len(short)] == short for start in range(len(long) - len(short) + 1))
