"""A document's mentions in text order, with what stands around them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from pipeline.document import Document, Mention
from pipeline.schema import Linking, Schema
from pipeline.text.names import is_abbreviation
from pipeline.text.normalise import normalise

# How far around a mention its surroundings are read, in characters.
_REACH = 40
_BRACKET = re.compile(r" *\( *")
# A line break ends what belongs together: these patterns match blanks only.
_JOINED = re.compile(r" *(?:,|và|-|–|—|/) *")
_OWNED = re.compile(r" *(?:của *)?")
_MANY_BEFORE = re.compile(
    r"(?<![\w/.-])(?<!thứ )(?<!ngày )(?<!tháng )(?<!năm )(?<!lần )(?<!số )(?<!cấp )"
    r"(hai|ba|bốn|các|những|nhiều|mọi|mỗi|\d{1,3})(?: vị| ngài| ông| bà)? *$",
    re.IGNORECASE,
)
_MANY_AFTER = re.compile(
    r" *(?:và (?:quân đội|nhân dân) )?(?:của )?(hai|ba|bốn|các|những|mỗi|\d+) (?:nước|bên|quốc gia|phía)(?!\w)",
    re.IGNORECASE,
)


class Scene:
    """Mentions in text order, their link kinds, and the labels found so far.

    Attributes:
        mentions: sorted by start.
        kinds: how each is linked.
        labels: for each mention what its entity is known by, ``None`` until its type is linked.
        types: entity type → positions of its mentions, both in text order.
    """

    def __init__(self, document: Document, schema: Schema) -> None:
        normalised = normalise(document.text)
        # Usually normal text has the raw offsets; else each piece is normalised when it is read.
        self._has_raw_offsets = normalised.starts is None
        self._text = normalised.text if self._has_raw_offsets else document.text
        self.mentions: list[Mention] = sorted(document.mentions, key=lambda mention: (mention.start, mention.end))
        self.kinds: list[Linking] = [schema.link_kind(mention.type) for mention in self.mentions]
        self.labels: list[Hashable] = [None] * len(self.mentions)
        self.types: dict[str, list[int]] = {}
        for position, mention in enumerate(self.mentions):
            self.types.setdefault(mention.type, []).append(position)

    def kind(self, position: int) -> Linking | None:
        """How the mention at a position is linked; ``None`` past the last mention."""
        return self.kinds[position] if 0 <= position < len(self.kinds) else None

    def gap(self, position: int) -> str:
        """The text between a mention and the next one, normalised; cut when it is long, and at a line break."""
        start = self.mentions[position].end
        return self._line(start, min(self.mentions[position + 1].start, start + _REACH))

    def before(self, position: int) -> str:
        """The text just before a mention, back to the mention before or the beginning of its line at most."""
        start = self.mentions[position].start
        previous = self.mentions[position - 1].end if position else 0
        line = self._text[max(previous, start - _REACH) : start].rpartition("\n")[2]
        return line if self._has_raw_offsets else normalise(line).text

    def after(self, position: int) -> str:
        """The text just after a mention, to the end of its line at most."""
        end = self.mentions[position].end
        return self._line(end, end + _REACH)

    def _line(self, start: int, end: int) -> str:
        line, line_break, _ = self._text[start:end].partition("\n")
        return (line if self._has_raw_offsets else normalise(line).text) + line_break

    def joined_countries(self, position: int) -> frozenset[Hashable]:
        """Labels of the countries listed right after a mention: none, one, or several (``Việt Nam và Canada``)."""
        found: list[Hashable] = []
        following = position + 1
        while self.kind(following) == "country":
            gap = self.gap(following - 1)
            if not (_JOINED.fullmatch(gap) if found else _OWNED.fullmatch(gap)):
                break
            found.append(self.labels[following])
            following += 1
        return frozenset(found)

    def shared_by(self, position: int) -> str:
        """How many hold what a mention names, when it is one thing of several: ``hai``, ``các``, ``20``, or empty.

        ``hai Bộ trưởng``, ``Bộ Quốc phòng hai nước`` and ``Bộ trưởng Quốc phòng Việt - Mỹ`` name several at once.
        """
        match = _MANY_BEFORE.search(self.before(position)) or _MANY_AFTER.match(self.after(position))
        if match:
            return match.group(1).casefold()
        count = len(self.joined_countries(position))
        return {0: "", 1: "", 2: "hai"}.get(count, str(count))

    def definitions(self, positions: list[int]) -> Iterator[tuple[int, int]]:
        """Pairs of mentions of one type where the second, in brackets, abbreviates the first or the other way round.

        A date may stand between: Công ước Luật Biển 1982 (UNCLOS).
        """
        members = set(positions)
        for position in positions:
            second = position + 1
            gap = self.gap(position) if second < len(self.mentions) else ""
            if self.kind(second) == "date" and second + 1 < len(self.mentions) and not gap.strip():
                gap = self.gap(second)
                second += 1
            if second not in members or not _BRACKET.fullmatch(gap):
                continue
            if is_abbreviation(self.mentions[position].text) != is_abbreviation(self.mentions[second].text):
                yield position, second
