"""Which names of ministries, armed forces and other bodies mean one organisation."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from pipeline.facts.groups import Partition, nearest
from pipeline.facts.scene import Scene
from pipeline.text.countries import country_code
from pipeline.text.names import aliases, is_abbreviation, keys, name_key, starts_with, table, words

# The longest way to name a country, in words: Vương quốc Liên hiệp Anh và Bắc Ireland.
_COUNTRY_WORDS = 8
_HOME = "VN"
# Between an institution and a country that a list shares: "Quốc hội, Chính phủ và nhân dân Lào".
_LISTED = re.compile(r" *(?:,|,? ?và|,? ?và nhân dân|và quân đội) *")
_PAPER = re.compile(r"(?:báo|ảnh|nguồn|tin|theo)[ :]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Organisation:
    """What an organisation is known by.

    Attributes:
        name: key of the name without its country.
        country: label of the country, or name of the body, that it belongs to, when that is known.
        many: how many are meant, when several are (``hai Bộ Quốc phòng``).
    """

    name: str
    country: Hashable = None
    many: str = ""


def link_organisations(scene: Scene, positions: list[int]) -> list[Hashable]:
    """A label for each mention, equal for one organisation.

    Names are compared without spelling and abbreviation, and apart from the country they end with, are followed by
    (``của Anh``) or share in a list. A name without country means Vietnam's institution where a Vietnamese paper would
    say so (Bộ Quốc phòng), as long as the article speaks of Vietnam; otherwise the nearest full name that it shortens.

    Args:
        scene: countries are linked already.
        positions: of the mentions, in text order.
    """
    countries = {
        name_key(scene.mentions[position].text): scene.labels[position]
        for position, kind in enumerate(scene.kinds)
        if kind == "country"
    }
    found = [_read(scene, position, countries) for position in positions]
    _share_countries(scene, positions, found)
    at_home = _HOME in countries.values() or any(organisation.country == _HOME for organisation in found)
    full: defaultdict[str, list[int]] = defaultdict(list)
    for index, organisation in enumerate(found):
        if organisation.country is not None and not organisation.many:
            found[index] = replace(organisation, name=_plain_force(organisation.name, organisation.country))
            for name in {organisation.name, found[index].name}:
                full[name].append(index)
    resolved = [_resolve(organisation, index, found, full, at_home) for index, organisation in enumerate(found)]
    return _join_abbreviations(scene, positions, resolved)


def _read(scene: Scene, position: int, countries: dict[str, Hashable]) -> Organisation:
    key = expand(name_key(scene.mentions[position].text))
    if key in keys("organisations", "papers") and _PAPER.search(scene.before(position)):
        return Organisation(f"báo {key}")
    known = aliases("organisations").get(key)
    if known:
        return Organisation(name_key(known))
    name, country = _split(key, countries)
    many = scene.shared_by(position)
    if country is None and not many:
        country = next(iter(scene.joined_countries(position)), None)
    return Organisation(name, country, many)


@lru_cache(maxsize=4096)
def expand(key: str) -> str:
    """A key with the short forms inside it written out: ``hđba lhq`` → ``hội đồng bảo an liên hợp quốc``."""
    pattern, full = _parts()
    return pattern.sub(lambda match: full[match.group()], key)


@cache
def _parts() -> tuple[re.Pattern[str], dict[str, str]]:
    full = {name_key(short): name_key(name) for short, name in table("organisations")["parts"].items()}
    alternatives = "|".join(map(re.escape, sorted(full, key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)"), full


def _split(key: str, countries: dict[str, Hashable]) -> tuple[str, Hashable]:
    """Cut off what a name ends with: its country, or a known body it belongs to (Hội đồng Bảo an Liên hợp quốc)."""
    parts = key.split(" ")
    bodies = aliases("organisations")
    for start in range(max(1, len(parts) - _COUNTRY_WORDS), len(parts)):
        ending = " ".join(parts[start:])
        country = countries.get(ending) or country_code(ending) or bodies.get(ending)
        if country is not None:
            return " ".join(parts[:start]), country
    return key, None


def _plain_force(name: str, country: Hashable) -> str:
    """The name of an armed force without what tells nothing beside its country."""
    same = table("organisations")["same"].get(f"{name}, {country}")
    if same:
        return name_key(same)
    forces = keys("organisations", "forces")
    ornaments = keys("organisations", "ornaments")
    force = next((force for force in forces if name.startswith(f"{force} ")), None)
    return force if force and name[len(force) + 1 :] in ornaments else name


def _share_countries(scene: Scene, positions: list[int], found: list[Organisation]) -> None:
    """Give the members of a list the country that stands at its end (Đảng, Nhà nước và Quân đội Lào)."""
    for index in range(len(positions) - 1, -1, -1):
        position = positions[index]
        organisation = found[index]
        if organisation.country is not None or organisation.many or not is_home(organisation.name):
            continue
        if scene.kind(position + 1) is None or not _LISTED.fullmatch(scene.gap(position)):
            continue
        following = position + 1
        if scene.kind(following) == "country" and "nhân dân" in scene.gap(position):
            found[index] = replace(organisation, country=scene.labels[following])
        elif index + 1 < len(positions) and positions[index + 1] == following and is_home(found[index + 1].name):
            found[index] = replace(organisation, country=found[index + 1].country)


@lru_cache(maxsize=4096)
def is_home(name: str) -> bool:
    """Whether Vietnam has an institution of this name, which its papers name without the country."""
    parts = words(name)
    if "hoàng gia" in name:
        return False
    return any(starts_with(parts, words(beginning)) for beginning in keys("organisations", "home"))


def _resolve(
    organisation: Organisation, index: int, found: list[Organisation], full: dict[str, list[int]], at_home: bool
) -> Organisation:
    """Find the country of a name that is given without one."""
    if organisation.country is not None or organisation.many:
        return organisation
    name = _plain_force(organisation.name, _HOME) if is_home(organisation.name) else organisation.name
    candidates = full.get(name) or full.get(organisation.name) or []
    if is_home(name) and at_home:
        has_home = any(found[candidate].country == _HOME for candidate in candidates)
        return Organisation(name, _HOME) if has_home else Organisation(name)
    owner = nearest(candidates, index)
    return Organisation(organisation.name) if owner is None else found[owner]


def _join_abbreviations(scene: Scene, positions: list[int], found: list[Organisation]) -> list[Hashable]:
    """Join names with the abbreviations that the article defines or that are their initials."""
    partition = Partition(len(found))
    first: dict[Organisation, int] = {}
    initials: dict[str, int] = {}
    for index, organisation in enumerate(found):
        partition.join(first.setdefault(organisation, index), index)
        key = expand(name_key(scene.mentions[positions[index]].text))
        for text in (key, organisation.name):
            initials.setdefault("".join(word[0] for word in words(text)), index)
    numbers = {position: index for index, position in enumerate(positions)}
    for position, other in scene.definitions(positions):
        partition.join(numbers[position], numbers[other])
    for index, position in enumerate(positions):
        text = scene.mentions[position].text
        if len(text) > 2 and is_abbreviation(text):
            partition.join(initials.get(text.casefold(), index), index)
    return [found[partition.find(index)] for index in range(len(found))]
