"""Which names of events and agreements mean one occasion or one instrument."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from pipeline.facts.groups import Partition
from pipeline.facts.organisations import expand
from pipeline.facts.scene import Scene
from pipeline.text.countries import country_code
from pipeline.text.names import Words, aliases, is_subsequence, keys, name_key, table, words

# The words of a country name beside a dash, at most.
_COUNTRY_WORDS = 4
# Titles are compared with at most so many longer ones of the same first word: keeps odd documents linear.
_MAX_LONGER = 100
_NUMBERS = {"nhất": 1, "nhì": 2, "hai": 2, "ba": 3, "tư": 4, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7, "bẩy": 7, "tám": 8,
            "chín": 9, "mười": 10, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9,
            "x": 10, "xi": 11, "xii": 12, "xiii": 13, "xiv": 14, "xv": 15}  # fmt: skip
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_ORDINAL = re.compile(rf"(?<!\w)(phiên |vòng |)(?:(?:lần|kỳ|khoá) )?(?:thứ ({_NUMBER})|(?<=lần )({_NUMBER}))(?!\w)")
# The cue that a title means the series, not one of its meetings: "cơ chế Đối thoại X", "Đối thoại X là cơ chế".
_SERIES = "cơ chế"
_YEARS = re.compile(r"(?<!\w)(?:năm )?((?:19|20)\d\d(?:-(?:19|20)\d\d)?)$")


@dataclass(frozen=True, slots=True)
class Title:
    """A title taken apart.

    Attributes:
        content: its words without function words, numbers and year; a pair of countries is one sorted word.
        ordinal: which of a series (``lần thứ 4``), or the cue that the series itself is meant.
        session: which part of one meeting (``phiên thứ hai``).
        years: the bare year or years it ends with.
    """

    content: Words
    ordinal: str = ""
    session: str = ""
    years: str = ""

    def agrees(self, other: Title) -> bool:
        """Whether ordinal, session and years are the same as far as both have them."""
        pairs = ((self.ordinal, other.ordinal), (self.session, other.session), (self.years, other.years))
        return all(not a or not b or a == b for a, b in pairs)


def link_titles(scene: Scene, positions: list[int]) -> list[int]:
    """A group number for each mention, equal for one title.

    Titles are equal when their content and their numbers are (lần thứ 4, lần thứ tư; Việt - Anh, Anh - Việt Nam); an
    abbreviation in brackets means the title before it; a shorter title means the longer one of the article that it is
    contained in, as long as only one is and no distinguishing word is left out (mở rộng, toàn diện).

    Args:
        positions: of the mentions, in text order.
    """
    titles = [_read(scene, position) for position in positions]
    partition = Partition(len(titles))
    first: dict[Title, int] = {}
    for index, title in enumerate(titles):
        partition.join(first.setdefault(title, index), index)
    numbers = {position: index for index, position in enumerate(positions)}
    for position, other in scene.definitions(positions):
        partition.join(numbers[position], numbers[other])
    by_word: defaultdict[str, list[Title]] = defaultdict(list)
    for title in sorted(first, key=_size, reverse=True):
        longer = _containing(title, by_word)
        editions = [other for other in longer if other.ordinal != _SERIES]
        owners = {partition.find(first[other]) for other in editions or longer}
        if len(owners) == 1:
            partition.join(owners.pop(), first[title])
        for word in _first_words(title):
            by_word[word].append(title)
    return [partition.find(index) for index in range(len(titles))]


def _read(scene: Scene, position: int) -> Title:
    title = parse_title(scene.mentions[position].text)
    if title.ordinal or title.session or title.years:
        return title
    before, after = scene.before(position).rstrip(' "“'), scene.after(position).lstrip(' "”')
    is_series = before.endswith(_SERIES) or after.startswith((f"là {_SERIES}", f"là một {_SERIES}"))
    return replace(title, ordinal=_SERIES) if is_series else title


def _size(title: Title) -> tuple[int, int]:
    return len(title.content), sum(map(bool, (title.ordinal, title.session, title.years)))


def _first_words(title: Title) -> Iterable[str]:
    """Under which words a longer title is looked up: its first, and foreign ones (Shangri-La)."""
    return {title.content[0], *(word for word in title.content if word.isascii())} if title.content else ()


def _containing(title: Title, by_word: dict[str, list[Title]]) -> list[Title]:
    if not title.content:
        return []
    head = title.content[0]
    candidates = by_word.get(head, [])[-_MAX_LONGER:]
    is_foreign = all(word.isascii() for word in title.content)
    return [
        other
        for other in candidates
        if (other.content[0] == head or is_foreign)
        and title.agrees(other)
        and is_subsequence(title.content, other.content)
        and not _is_qualified(title.content, other.content)
    ]


def _is_qualified(short: Words, long: Words) -> bool:
    """Whether the words that the longer title has more make another thing of it."""
    rest = list(long)
    for word in short:
        rest.remove(word)
    more = f" {' '.join(rest)} "
    return any(
        f" {word} " in more
        for beginning, found in _qualifiers().items()
        if " ".join(long).startswith(beginning)
        for word in found
    )


@cache
def _qualifiers() -> dict[str, tuple[str, ...]]:
    section = table("titles")["qualifiers"]
    return {name_key(beginning): tuple(map(name_key, found)) for beginning, found in section.items()}


@lru_cache(maxsize=2048)
def parse_title(text: str) -> Title:
    """Take a title apart; a known short name stands for the full one."""
    key = expand(name_key(text))
    key = name_key(aliases("titles").get(key, key))
    found: dict[str, str] = {}

    def note(match: re.Match[str]) -> str:
        number = match.group(2) or match.group(3)
        found.setdefault("session" if match.group(1) else "ordinal", str(_NUMBERS.get(number, number)))
        return ""

    key = _ORDINAL.sub(note, key).strip(" ,-")
    years = _YEARS.search(key)
    if years:
        key = key[: years.start()].rstrip(" ,-")
    function = keys("titles", "function")
    content = tuple(word for word in _with_pairs(key) if word not in function)
    year = years.group(1) if years else ""
    return Title(content or words(key), found.get("ordinal", ""), found.get("session", ""), year)


def _with_pairs(key: str) -> Words:
    """The words of a key, two countries with a dash between made one word in alphabetic order."""
    parts = key.split("-")
    result: list[str] = list(words(parts[0]))
    for part in parts[1:]:
        right = list(words(part))
        left_code, left_length = _country_at([*reversed(result)], reverse=True)
        right_code, right_length = _country_at(right)
        if left_code and right_code:
            result[len(result) - left_length :] = ["-".join(sorted((left_code, right_code)))]
            right = right[right_length:]
        result += right
    return tuple(result)


def _country_at(found: list[str], reverse: bool = False) -> tuple[str | None, int]:
    """The code of the longest country name at the beginning, and how many words it has."""
    for length in range(min(_COUNTRY_WORDS, len(found)), 0, -1):
        name = found[:length]
        code = country_code(" ".join(reversed(name) if reverse else name))
        if code:
            return code, length
    return None, 0
