"""Other agreements and events: real ones for real ones, and made-up titles from heads, subjects and patterns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from pipeline.data.augment.edits import by_entity, mentions_of, replace_mentions
from pipeline.data.augment.gazetteers import Gazetteers, Known, TitleGroup
from pipeline.data.augment.spelling import lookup_key, lower_first, upper_first
from pipeline.document import Document, Mention

# How often a made-up title stays of its group (a memorandum may become a joint statement).
_SAME_GROUP = 0.7
_SLOT = re.compile(r"\{(\w+)\}")
_BETWEEN = re.compile(r"giữa .+? và .+?(?= về | trong | giai đoạn |$)")
_ORDINAL = re.compile(r"(?<=lần thứ )(?:\d+|[IVX]+\b|\w+)$")
_ORDINAL_WORDS = ("nhất", "hai", "ba", "tư", "năm", "sáu", "bảy", "tám", "chín", "mười")
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_LATEST = 2026


@dataclass(frozen=True, slots=True)
class TitleLists:
    """What titles of one type are made of."""

    type: str
    relation: str  # leads from the countries that take part
    real: tuple[Known, ...]
    groups: Mapping[str, TitleGroup]
    alone: Sequence[str] = ()  # titles without a subject that stand for each other
    levels: Sequence[str] = ()
    quoted: Sequence[str] = ()


def replace_agreements(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Draw for each agreement of the article whether it becomes another one."""
    lists = gazetteers.agreements
    parts = TitleLists(
        "AGREEMENT", "PARTY_TO", lists.treaties, lists.groups, alone=lists.partnerships, quoted=lists.quoted
    )
    return _replace_titles(document, share, gazetteers, parts, rng)


def replace_events(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Draw for each event of the article whether it becomes another one."""
    lists = gazetteers.events
    parts = TitleLists("EVENT", "PARTICIPATES_IN", lists.series, lists.groups, levels=lists.levels)
    return _replace_titles(document, share, gazetteers, parts, rng)


def _replace_titles(
    document: Document, share: float, gazetteers: Gazetteers, lists: TitleLists, rng: Random
) -> Document:
    surfaces: dict[str, str] = {}
    maker = _TitleMaker(lists, gazetteers, rng)
    taken = {lookup_key(mention.text) for mention in mentions_of(document, lists.type)}
    for mentions in by_entity(mentions_of(document, lists.type)):
        if rng.random() >= share:
            continue
        parties = _parties(document, mentions, lists.relation)
        new = maker.replace(mentions, parties)
        # Two things of an article stay two: a title that another one has is not given.
        if maker.fits(new, parties) and taken.isdisjoint(map(lookup_key, new.values())):
            taken |= {lookup_key(text) for text in new.values()}
            surfaces |= {mention.id: new[mention.text] for mention in mentions if mention.text in new}
    return replace_mentions(document, surfaces)


def _parties(document: Document, mentions: Sequence[Mention], relation: str) -> list[str]:
    """The countries that the article says take part, as it mostly writes them."""
    ids = {mention.id for mention in mentions}
    heads = {r.head for r in document.relations if r.type == relation and r.tail in ids}
    groups = by_entity(mentions_of(document, "COUNTRY"))
    involved = [group for group in groups if any(mention.id in heads for mention in group)]
    return [Counter(mention.text for mention in group).most_common(1)[0][0] for group in involved]


class _TitleMaker:
    """New titles for the mentions of one entity."""

    def __init__(self, lists: TitleLists, gazetteers: Gazetteers, rng: Random) -> None:
        self.lists, self.gazetteers, self.rng = lists, gazetteers, rng
        self.real = {lookup_key(form): known for known in lists.real for form in (*known.full, *known.short)}

    def replace(self, mentions: Sequence[Mention], parties: Sequence[str]) -> dict[str, str]:
        """Old surface → new one for every surface of an entity; empty when they cannot be told apart."""
        surfaces = list(dict.fromkeys(mention.text for mention in mentions))
        real = [self._split_real(surface) for surface in surfaces]
        if any(real):
            return self._another_real(surfaces, real, parties) if all(real) else {}
        if all(lookup_key(surface) in map(lookup_key, self.lists.alone) for surface in surfaces):
            return self._spread(surfaces, self.rng.choice(self.lists.alone))
        if len({lookup_key(surface) for surface in surfaces}) == 1:
            title = self._made_up(surfaces[0], parties)
            return self._spread(surfaces, title) if title else {}
        return {}

    def fits(self, new: Mapping[str, str], parties: Sequence[str]) -> bool:
        """Whether new titles name the countries that the old ones do, since they may be all that says who takes part,
        and of others only the parties."""
        return all(self._codes(old) <= self._codes(text) <= self._codes(old, *parties) for old, text in new.items())

    def _codes(self, *texts: str) -> set[str]:
        """The countries that texts name."""
        return {form[0] for text in texts for _, _, form in self.gazetteers.countries.names.find(text)}

    def _split_real(self, surface: str) -> tuple[Known, str] | None:
        """A real title, and what stands behind its name: ADMM-13, Đối thoại Shangri-La lần thứ 17."""
        words = re.split(r"(?=[ -])", surface)
        for end in range(len(words), 0, -1):
            known = self.real.get(lookup_key("".join(words[:end])))
            rest = "".join(words[end:])
            if known and (not rest or re.fullmatch(r"-\d+|(?: |-)?\d{4}| lần thứ \w+", rest)):
                return known, rest
        return None

    def _another_real(
        self, surfaces: Sequence[str], real: Sequence[tuple[Known, str] | None], parties: Sequence[str]
    ) -> dict[str, str]:
        found = [item for item in real if item]
        old = {id(known) for known, _ in found}
        if len(old) > 1:
            return {}
        needs_short = any(self._is_short(surface, item) for surface, item in zip(surfaces, found, strict=True))
        pool = [known for known in self.lists.real if id(known) not in old and (known.short or not needs_short)]
        # EVFTA does not spell Việt Nam, and is Việt Nam's all the same.
        may_name = self._codes(*surfaces, *parties)
        drawn = self.rng.sample(pool, len(pool))
        new = next((known for known in drawn if self._codes(*known.full, *known.short) <= may_name), None)
        if new is None:
            return {}
        full = self.rng.choice(new.full)
        rests = {rest: self._new_rest(rest) for _, rest in found}
        return {
            surface: (self.rng.choice(new.short) if self._is_short(surface, item) else full) + rests[item[1]]
            for surface, item in zip(surfaces, found, strict=True)
        }

    @staticmethod
    def _is_short(surface: str, item: tuple[Known, str]) -> bool:
        known, rest = item
        return lookup_key(surface.removesuffix(rest)) in map(lookup_key, known.short)

    def _new_rest(self, rest: str) -> str:
        """Another number of the series, another year."""
        if re.fullmatch(r"(?: |-)?\d{4}", rest):
            return rest[:-4] + str(self.rng.randint(2010, _LATEST))
        rest = re.sub(r"(?<=^-)\d+", lambda _: str(self.rng.randint(2, 40)), rest)
        return _ORDINAL.sub(lambda _: self._ordinal().removeprefix("lần thứ "), rest)

    def _made_up(self, surface: str, parties: Sequence[str]) -> str:
        """Another title for one that begins with a known head, empty for others."""
        key = lookup_key(surface)
        heads = {name: group for name, group in self.lists.groups.items() if _begins_with(key, group.heads)}
        if not heads:
            alone = [title for title in self.lists.alone if key.startswith(f"{lookup_key(title)} ")]
            pair = self._pair(surface, parties)
            return " ".join(filter(None, (self.rng.choice(self.lists.alone), pair))) if alone else ""
        values = self._values(surface, parties)
        # Countries that the old title names stay in the new one: it may be all that says they take part.
        named = bool(self._pair(surface, ()) or self._sides(surface, ()))
        fitting = {name: self._patterns(group, values, named=named) for name, group in self.lists.groups.items()}
        own = sorted(name for name in heads if fitting[name])
        names = own if own and self.rng.random() < _SAME_GROUP else sorted(name for name in fitting if fitting[name])
        if not names:
            return ""
        name = self.rng.choice(names)
        group = self.lists.groups[name]
        values["head"] = self.rng.choice(group.heads)
        values["about"] = self.rng.choice(group.about).replace("{number}", str(self.rng.randint(2, 64)))
        return _SLOT.sub(lambda match: values[match[1]], self.rng.choice(fitting[name]))

    @staticmethod
    def _patterns(group: TitleGroup, values: Mapping[str, str], *, named: bool) -> list[str]:
        """The patterns of a group whose slots can be filled; only those with countries if they must be named."""
        filled = [p for p in group.patterns if all(values.get(slot, slot) for slot in _SLOT.findall(p))]
        return [p for p in filled if "{pair}" in p or "{sides}" in p] if named else filled

    def _values(self, surface: str, parties: Sequence[str]) -> dict[str, str]:
        """What slots other than head and subject are filled with; empty where there is nothing."""
        return {
            "pair": self._pair(surface, parties),
            "sides": self._sides(surface, parties),
            "period": self._period(),
            "ordinal": self._ordinal(),
            "year": str(self.rng.randint(2014, _LATEST)),
            "level": self.rng.choice(self.lists.levels) if self.lists.levels else "",
            "quoted": self.rng.choice(self.lists.quoted) if self.lists.quoted else "",
        }

    def _pair(self, surface: str, parties: Sequence[str]) -> str:
        """Two countries with a dash between, as the old title has them, or else the two parties of the article."""
        found = self.gazetteers.countries.names.find(surface)
        for (start, end, _), (second, last, _) in pairwise(found):
            if re.fullmatch(r" ?[-–] ?", surface[end:second]):
                return surface[start:last]
        return self.rng.choice(("{} - {}", "{}-{}", "{} – {}")).format(*parties) if len(parties) == 2 else ""

    def _sides(self, surface: str, parties: Sequence[str]) -> str:
        """``giữa A và B``, as the old title has it, or with the two parties of the article."""
        match = _BETWEEN.search(surface)
        if match:
            return match.group()
        return f"giữa {parties[0]} và {parties[1]}" if len(parties) == 2 else ""

    def _period(self) -> str:
        first = self.rng.randint(2012, _LATEST - 5)
        dash = self.rng.choice((" - ", "-", " – "))
        length = self.rng.randint(2, 5)
        return self.rng.choice((f"giai đoạn {first}{dash}{first + length}", f"đến năm {first + length}"))

    def _ordinal(self) -> str:
        number = self.rng.choice(
            (str(self.rng.randint(2, 40)), str(self.rng.randint(2, 15)), self.rng.choice(_ORDINAL_WORDS),
             self.rng.choice(_ROMAN))
        )  # fmt: skip
        return f"lần thứ {number}"

    def _spread(self, surfaces: Sequence[str], title: str) -> dict[str, str]:
        """The new title for spellings of the old one that differ in letter case: each keeps its first letter's case."""
        return {
            surface: title.upper() if surface.isupper() and " " in surface
            else (upper_first if surface[0].isupper() else lower_first)(title)
            for surface in surfaces
        }  # fmt: skip


def _begins_with(key: str, heads: Sequence[str]) -> bool:
    return any(key == lookup_key(head) or key.startswith(f"{lookup_key(head)} ") for head in heads)
