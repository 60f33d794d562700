"""Which personal names of an article are one person's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache

from pipeline.document import Mention
from pipeline.facts.groups import Partition, nearest
from pipeline.text.names import Words, is_subsequence, keys, name_key, one_edit_apart, table, words

# Shorter given or family names have real neighbours one letter away (Khanh, Khang).
_MIN_MISSPELT = 5


def link_people(mentions: Sequence[Mention]) -> list[int]:
    """A group number for each mention, equal for one person.

    Two full names are never one person, spelling variants apart. A shorter form joins the nearest full name before it,
    else the first after it, that it abbreviates: the given name, last in Vietnamese (ông Lịch), the family name of
    others (Mattis), the first word (Tôn, Sergei), or a name with middle parts left out or made initials.

    Args:
        mentions: in text order.
    """
    names = [_name(mention.text) for mention in mentions]
    partition = Partition(len(names))
    places: defaultdict[Words, list[int]] = defaultdict(list)
    for position, name in enumerate(names):
        places[name].append(position)
    _join_spellings(places, partition)
    by_word: defaultdict[str, list[Words]] = defaultdict(list)
    for name in places:
        for word in {name[0], name[-1]} if len(name) > 1 else ():
            by_word[word].append(name)
    for name, own in places.items():
        full = _full_names(name, by_word)
        owners = sorted(place for other in full for place in places[other])
        for position in own:
            owner = nearest(owners, position)
            partition.join(own[0] if owner is None else owner, position)
    return [partition.find(position) for position in range(len(names))]


def _name(text: str) -> Words:
    """The words of a name without words of address; a name that is only such words is kept."""
    parts = list(words(name_key(text)))
    honorifics = keys("people", "honorifics")
    while len(parts) > 1 and parts[0] in honorifics:
        del parts[0]
    nicknames = table("people")["nicknames"]
    if len(parts) > 1:
        parts[0] = nicknames.get(parts[0], parts[0])
    return tuple(parts) or (name_key(text),)


def _full_names(name: Words, by_word: dict[str, list[Words]]) -> list[Words]:
    """The names that this one may be a shorter form of."""
    for fits, word in ((_is_end, name[-1]), (_is_beginning, name[0]), (_is_shortened, name[-1])):
        found = [other for other in by_word.get(word, ()) if fits(name, other)]
        if found:
            return found
    return []


def _is_end(short: Words, full: Words) -> bool:
    return len(short) < len(full) and full[-len(short) :] == short


def _is_beginning(short: Words, full: Words) -> bool:
    """One word (Tôn, Sergei) or more of a foreign name; Vietnamese names are never cut at the end."""
    if len(short) >= len(full) or full[: len(short)] != short:
        return False
    return len(short) == 1 or not _is_vietnamese(full)


def _is_shortened(short: Words, full: Words) -> bool:
    """Same last word, and what stands before it left out or given as initials (D. Trump, John F. Kennedy)."""
    if len(short) < 2 or len(short) > len(full) or short == full or short[-1] != full[-1] or _is_vietnamese(full):
        return False
    if len(short) < len(full) and short[0] == full[0] and is_subsequence(short, full):
        return True
    pairs = zip(short[:-1], full[:-1], strict=False)
    return any(len(word) == 1 for word in short) and all(a == b or (len(a) == 1 and b.startswith(a)) for a, b in pairs)


def _join_spellings(places: dict[Words, list[int]], partition: Partition) -> None:
    """Join foreign full names that differ in the order of their words or in one letter of one long word."""
    by_words: dict[Words, Words] = {}
    by_rest: dict[tuple[int, Words], Words] = {}
    for name, own in places.items():
        if len(name) < 2 or _is_vietnamese(name):
            continue
        partition.join(places[by_words.setdefault(tuple(sorted(name)), name)][0], own[0])
        for place, rest in _without_one(name):
            other = by_rest.setdefault((place, rest), name)
            long_enough = min(len(name[place]), len(other[place])) >= _MIN_MISSPELT
            if long_enough and one_edit_apart(name[place], other[place]):
                partition.join(places[other][0], own[0])


def _without_one(name: Words) -> Iterable[tuple[int, Words]]:
    return ((place, (*name[:place], *name[place + 1 :])) for place in range(len(name)))


def _is_vietnamese(name: Words) -> bool:
    return name[0] in _families()


@cache
def _families() -> frozenset[str]:
    return keys("people", "families")
