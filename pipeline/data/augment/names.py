"""Another name for a person, in the naming culture that the old one looks like, and the same in all its mentions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from pipeline.data.augment.edits import by_entity, mentions_of, replace_mentions
from pipeline.data.augment.gazetteers import Culture, Gazetteers, Persons, Strings
from pipeline.data.augment.spelling import looks_vietnamese, lookup_key, without_diacritics
from pipeline.document import Document, Mention

# How many middle names a Vietnamese name has, of those with two to five syllables.
_MIDDLES, _MIDDLE_WEIGHTS = (0, 1, 2, 3), (6, 70, 20, 4)
_SECOND_FAMILY = 0.25
_TRIES = 20
_INITIAL = re.compile(r"[^\W\d_]\.")
_BY_LINE = re.compile(r"(?:[^\W\d_]\. ?)+(?:[^\W\d_]+(?: |$))*")
_INITIALS = "ABCDĐGHKLMNPQSTV"
_WOMAN = re.compile(r"\b(?:bà|Bà|nữ|chị|cô) $")


@dataclass(frozen=True, slots=True)
class NewName:
    """A made-up name.

    Attributes:
        spellings: its words in each spelling of its culture.
        first: how many of them are its first part.
        by_words: it is shortened to its last words (Bích Hợp), not to its last part (van der Meer).
    """

    spellings: tuple[Strings, ...]
    first: tuple[int, ...]
    by_words: bool = False

    def part(self, spelling: int, place: Place) -> str:
        """The words of one spelling that stand for a mention of this shape."""
        words, first = self.spellings[spelling], self.first[spelling]
        if place.whole:
            return " ".join(words)
        if place.head:
            return " ".join(words[:first])
        return " ".join(words[-place.tail :] if self.by_words else words[first:])

    def called_by(self, words: Strings) -> Strings:
        """The words of one spelling that may stand for the whole name."""
        return words[-1:] if self.by_words else (words[0], words[-1])


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of the full name a mention has: all of it, its first part, or its last words."""

    whole: bool = False
    head: bool = False
    tail: int = 0


def replace_names(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Draw for each person of the article whether they get another name.

    A person whose mentions cannot be told to be parts of one name (misspelt, in two orders) keeps theirs.
    """
    mentions = mentions_of(document, "PERSON")
    maker = _NameMaker(gazetteers.persons, {lookup_key(word) for m in mentions for word in m.text.split()}, rng)
    surfaces: dict[str, str] = {}
    for person in by_entity(mentions):
        if rng.random() < share:
            new = maker.rename(person, woman=any(_is_woman(document.text, mention) for mention in person))
            surfaces |= {mention.id: new[mention.text] for mention in person if mention.text in new}
    return replace_mentions(document, surfaces)


def _is_woman(text: str, mention: Mention) -> bool:
    """Whether the word before or a middle name says so."""
    return bool(_WOMAN.search(text[max(0, mention.start - 5) : mention.start])) or " thị " in mention.text.lower()


class _NameMaker:
    """New names for the persons of one article.

    No two of them share what they may be called by: the last word of a name, and of other than Vietnamese names the
    first. Vietnamese share their family names, which nobody is called by.
    """

    def __init__(self, persons: Persons, taken: set[str], rng: Random) -> None:
        self.persons, self.rng = persons, rng
        self.taken = taken
        self.keep = {lookup_key(name) for name in persons.keep}
        self.never = {lookup_key(name) for name in persons.never}
        self.families = {
            name: {lookup_key(family[0].split()[0]) for family in persons.cultures[name].family}
            for name in ("vietnamese", "minority", "chinese")
        }

    def rename(self, mentions: Sequence[Mention], *, woman: bool) -> dict[str, str]:
        """Old surface → new one for each surface of a person, or nothing."""
        forms = list(dict.fromkeys(mention.text for mention in mentions))
        if self.keep & set(map(lookup_key, forms)):
            return {}
        if all(_BY_LINE.fullmatch(form) for form in forms):
            return {form: self._by_line(form) for form in forms}
        scripts = _scripts(forms)
        full = {script: max((f for f in forms if scripts[f] == script), key=len) for script in set(scripts.values())}
        places = {form: _place(form, full[scripts[form]]) for form in forms}
        if not all(places.values()):
            return {}
        name = self._culture(full, places)
        culture = self.persons.cultures[name]
        spelling = _spellings_needed(name, full)
        found = {form: place for form, place in places.items() if place}
        for _ in range(_TRIES):
            new = self._make(name, culture, max(spelling.values()), found, woman=woman)
            words = {lookup_key(word) for words in new.spellings for word in new.called_by(words)}
            if not words & self.taken and lookup_key(" ".join(new.spellings[0])) not in self.never:
                self.taken |= words
                return {
                    form: _in_case(form, new.part(spelling[scripts[form]], place), full[scripts[form]])
                    for form, place in found.items()
                }
        return {}

    def _by_line(self, form: str) -> str:
        """``T. PHÚ`` → ``H. LỘC``: other initials, other names."""
        pool = self.persons.cultures["vietnamese"]

        def other(match: re.Match[str]) -> str:
            if len(match[0]) == 1:
                return self.rng.choice(_INITIALS)
            name = self.rng.choice((*pool.male, *pool.female))[0]
            return name.upper() if match[0].isupper() else name

        return re.sub(r"[^\W\d_]+", other, form)

    def _culture(self, full: dict[str, str], places: dict[str, Place | None]) -> str:
        """The culture whose words and endings a name has most of; any of those written the same way when none has."""
        words = [lookup_key(word) for form in full.values() for word in form.split()]
        if "syllables" in full:
            if any(place and place.head for place in places.values()) or len(full) > 1:
                return "chinese"  # Ngụy … ông Ngụy: a Vietnamese is never called by the family name
            first = lookup_key(full["syllables"].split()[0])
            return "minority" if first in self.families["minority"] - self.families["vietnamese"] else "vietnamese"
        both = "transliterated" in full
        scores = {
            name: sum(_score(word, culture) for word in words)
            for name, culture in self.persons.cultures.items()
            if not both or _transliterated(culture)
        }
        best = max(scores.values())
        if best == 0:
            western = [name for name in ("english", "french", "german", "russian", "spanish") if name in scores]
            return self.rng.choice(western)
        return max(scores, key=lambda name: scores[name])

    def _make(self, name: str, culture: Culture, spelling: int, places: dict[str, Place], *, woman: bool) -> NewName:
        """A name of the culture that has the spelling and all parts that the mentions need."""

        def draw(parts: Sequence[Strings]) -> Strings:
            return self.rng.choice([part for part in parts if len(part) > spelling])

        longest = max(places, key=len)
        given = draw((culture.female if woman else culture.male) or culture.male)
        family = draw((culture.family_female if woman else ()) or culture.family)
        if name in ("vietnamese", "minority"):
            return self._vietnamese(culture, given[0], family[0], longest, places, woman=woman)
        if culture.second_family and not spelling and self.rng.random() < _SECOND_FAMILY:
            family = (f"{family[0]} {draw(culture.second_family)[0]}",)
        heads = any(place.head for place in places.values())
        tails = any(place.tail for place in places.values())
        first_family = culture.order == "family-first"
        if culture.order == "either":
            first_family = heads or (not tails and self.rng.random() < 0.5)
        parts = (family, given) if first_family else (given, family)
        if len(longest.split()) == 1:  # only ever called by one word
            parts = ((), family)
        count = max(1, min(len(part) for part in parts if part))
        words = [tuple(" ".join(part[i] for part in parts if part).split()) for i in range(count)]
        first = [len(parts[0][i].split()) if parts[0] else 0 for i in range(count)]
        return NewName(tuple(words), tuple(first))

    def _vietnamese(
        self, culture: Culture, given: str, family: str, longest: str, places: dict[str, Place], *, woman: bool
    ) -> NewName:
        old = longest.split()
        if len(old) == 1:
            return NewName(((given,),), (0,), by_words=True)
        if not any(lookup_key(old[0]) in families for families in self.families.values()):  # a pen name
            first = self.rng.choice((*culture.male, *culture.female))[0]
            return NewName(((first, *given.split()),), (1,), by_words=True)
        tail = max((place.tail for place in places.values()), default=1)
        number = max(self.rng.choices(_MIDDLES, _MIDDLE_WEIGHTS)[0], tail - 1)
        first_middle = culture.middle_female if woman else culture.middle
        middle = [self.rng.choice(first_middle if not i else culture.middle)[0] for i in range(number)]
        words = " ".join([family, *dict.fromkeys(middle), given]).split()
        return NewName((tuple(words),), (len(family.split()),), by_words=True)


def _scripts(forms: Sequence[str]) -> dict[str, str]:
    """The script of each form; a part of a longer form (Ma of Ma Jin-gyeol) has the script of the whole."""
    scripts = {form: _script(form) for form in forms}
    for form in forms:
        wholes = [whole for whole in forms if (place := _place(form, whole)) and not place.whole]
        if wholes:
            scripts[form] = _script(max(wholes, key=len))
    return scripts


def _script(form: str) -> str:
    """How a name is written: Vietnamese syllables, syllables joined by hyphens for a foreign name, or Latin letters."""
    words = form.split()
    if all(looks_vietnamese(word) for word in words):
        return "syllables"
    pieces = [piece for word in words for piece in word.split("-")]
    hyphened = any("-" in word and word.split("-")[1][:1].islower() for word in words)
    korean = all(len(word.split("-")) <= 2 for word in words) and form.isascii()
    return "transliterated" if hyphened and not korean and all(map(str.isalpha, pieces)) else "latin"


def _place(form: str, full: str) -> Place | None:
    """Which part of a full name a form is, whatever its letter case and diacritics."""
    short, long = _words(form), _words(full)
    if short == long:
        return Place(whole=True)
    if len(short) < len(long) and short == long[-len(short) :]:
        return Place(tail=len(short))
    if len(short) < len(long) and short == long[: len(short)]:
        return Place(head=True)
    return None


def _words(form: str) -> list[str]:
    return without_diacritics(lookup_key(form)).split()


def _spellings_needed(culture: str, full: dict[str, str]) -> dict[str, int]:
    """Script → which spelling of a part it is: the lists put the original one first, for Chinese the Vietnamese one."""
    if culture == "chinese":
        return {script: int(script != "syllables") for script in full}
    return {script: int(script == "transliterated") for script in full}


def _transliterated(culture: Culture) -> bool:
    return any(len(part) > 1 for part in culture.male) and any(len(part) > 1 for part in culture.family)


def _score(word: str, culture: Culture) -> float:
    """How much a word of a name looks like a culture's: one of its words, or one with an ending of theirs."""
    if word in culture.words:
        return 3.0
    pieces = word.rsplit("-", 1)
    ends = [ending[0] for ending in culture.endings if word.endswith(ending[0]) or pieces[-1] == ending[0]]
    return max((len(ending) / 3 for ending in ends), default=0.0)


def _in_case(form: str, new: str, full: str) -> str:
    """Capitals and missing diacritics of the old form for the new one."""
    if form.isupper() and len(form) > 1:
        new = new.upper()
    plain = form == without_diacritics(form) and full != without_diacritics(full)
    return without_diacritics(new) if plain else new
