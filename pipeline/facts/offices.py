"""What the text around a mention of an office tells of it: whose it is, and of which organisation or country."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from pipeline.document import Relation
from pipeline.facts.organisations import Organisation
from pipeline.facts.scene import Scene
from pipeline.text.names import Words, name_key, words

_OF = re.compile(" *(?:(?:của|tại) *)?")
# Gaps of an apposition. After the office: "Thủ tướng X"; apart from it: "Bộ trưởng Quốc phòng Anh, ông X".
_CLOSE = re.compile(r" (?:ông |bà |ngài |đồng chí |cố )*(?:\( ?)?")
_APART = re.compile(r" *[,–—-] (?:ông |bà |ngài |đồng chí )*")
_FORMER = "(?:nguyên |cựu |cố )*"
# Before it: "X, Thứ trưởng", "X - nguyên Tư lệnh", "X làm Trưởng đoàn".
_AFTER_NAME = re.compile(rf" *(?:[,–—-] |[,–—-]? ?(?:kiêm|làm|là|hiện là|giữ chức|đồng thời là) ){_FORMER}")
# Between two offices of one person.
_CHAIN = re.compile(rf" *(?:, |,? kiêm |[,–—-]? ?làm |[–—-] )(?:đồng thời là )?{_FORMER}")


@dataclass(slots=True)
class Office:
    """What one mention tells of the office it names.

    Attributes:
        title: its words, a ministry's field included (Bộ trưởng + Bộ Quốc phòng → bộ trưởng quốc phòng).
        place: label of the country or organisation.
        holder: label of the person.
        many: how many are meant when several are (``hai Bộ trưởng``), empty for one office.
        countries: the countries named with several offices.
    """

    title: Words
    place: Hashable = None
    holder: Hashable = None
    many: str = ""
    countries: frozenset[Hashable] = frozenset()


def read_offices(scene: Scene, positions: list[int], relations: Iterable[Relation]) -> list[Office]:
    """Gather what is known of each mention of an office.

    A relation from a person to an office, or from an office to an organisation or country, counts first, the one with
    the best score where there are several; then what stands beside the mention.

    Args:
        scene: people, countries and organisations are linked already.
        positions: of the mentions, in text order.
        relations: of the document.
    """
    places, holders = _from_relations(scene, relations)
    offices = [_read(scene, position, places.get(position)) for position in positions]
    _find_holders(scene, positions, offices)
    for position, office in zip(positions, offices, strict=True):
        office.holder = None if office.many else holders.get(position, office.holder)
    return offices


def _from_relations(scene: Scene, relations: Iterable[Relation]) -> tuple[dict[int, Hashable], dict[int, Hashable]]:
    """Places and holders by the position of the office."""
    places: dict[int, Hashable] = {}
    holders: dict[int, Hashable] = {}
    numbers = {mention.id: position for position, mention in enumerate(scene.mentions)}
    for relation in sorted(relations, key=lambda relation: relation.score):  # the best one is set last
        head, tail = numbers.get(relation.head), numbers.get(relation.tail)
        if head is None or tail is None:
            continue
        if scene.kinds[head] == "person" and scene.kinds[tail] == "role":
            holders[tail] = scene.labels[head]
        elif scene.kinds[head] == "role" and scene.kinds[tail] in ("organisation", "country"):
            places[head] = scene.labels[tail]
    return places, holders


def _read(scene: Scene, position: int, place: Hashable) -> Office:
    office = Office(words(name_key(scene.mentions[position].text)), many=scene.shared_by(position))
    following = scene.joined_countries(position)
    if office.many:
        office.countries = following
        return office
    if place is None and following:
        place = next(iter(following))
    elif place is None and scene.kind(position + 1) == "organisation" and _OF.fullmatch(scene.gap(position)):
        place = scene.labels[position + 1]
    _set_place(office, place)
    return office


def _set_place(office: Office, place: Hashable) -> None:
    """Take an organisation or country as the office's place; a ministry becomes field and country."""
    office.place = place
    if not isinstance(place, Organisation):
        return
    kind, *field = words(place.name) or ("",)
    if place.many:
        office.many, office.place = place.many, None
    elif kind == "bộ" and field:
        office.place = place.country
        if office.title[-len(field) :] != tuple(field):
            office.title += tuple(field)


def _after_place(scene: Scene, position: int) -> int:
    """The first position after an office that is not the place it belongs to (Đại sứ Việt Nam tại Hoa Kỳ)."""
    following = position + 1
    while scene.kind(following) in ("organisation", "country") and _OF.fullmatch(scene.gap(following - 1)):
        following += 1
    return following


def _find_holders(scene: Scene, positions: list[int], offices: list[Office]) -> None:
    """Read holders off the text: a name right after the office, else one before it, else one after a comma."""
    follows = [_after_place(scene, position) for position in positions]
    later: dict[int, Hashable] = {}
    for index in range(len(positions) - 1, -1, -1):
        if offices[index].many:
            continue
        name, is_close = _name_after(scene, follows[index])
        if name is not None and not is_close:
            later[index] = name
        elif name is not None:
            offices[index].holder = name
        elif follows[index] in positions[index + 1 : index + 2] and scene.gap(follows[index] - 1) == ", ":
            offices[index].holder = offices[index + 1].holder  # Phó Thủ tướng, Bộ trưởng Ngoại giao X
    for index, position in enumerate(positions):
        office = offices[index]
        if office.many or office.holder is not None:
            continue
        gap = scene.gap(position - 1) if position else ""
        if scene.kind(position - 1) == "person" and _AFTER_NAME.fullmatch(gap):
            office.holder = scene.labels[position - 1]
        elif index and follows[index - 1] == position and _CHAIN.fullmatch(gap):
            office.holder = offices[index - 1].holder
        if office.holder is None:
            office.holder = later.get(index)


def _name_after(scene: Scene, following: int) -> tuple[Hashable, bool]:
    """Label of the person named at a position or after a rank that stands there, and whether no comma is between."""
    if scene.kind(following) is None:
        return None, False
    gap = scene.gap(following - 1)
    is_close = bool(_CLOSE.fullmatch(gap))
    if not is_close and not _APART.fullmatch(gap):
        return None, False
    if (
        scene.kind(following) == "name"
        and scene.kind(following + 1) == "person"
        and _CLOSE.fullmatch(scene.gap(following))
    ):
        following += 1
    return (scene.labels[following], is_close) if scene.kind(following) == "person" else (None, False)
