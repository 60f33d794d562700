"""Which mentions of an office mean one office, told apart by holder, organisation and country."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from pipeline.document import Relation
from pipeline.facts.groups import Partition
from pipeline.facts.offices import Office, read_offices
from pipeline.facts.scene import Scene
from pipeline.text.names import Words, starts_with

_HOME = "VN"


@dataclass(slots=True)
class _Seat:
    """An office as gathered so far; ``index`` is one of its mentions."""

    index: int
    title: Words
    place: Hashable = None
    countries: frozenset[Hashable] = frozenset()


def link_roles(scene: Scene, positions: list[int], relations: Iterable[Relation]) -> list[int]:
    """A group number for each mention, equal for one office.

    One holder's offices are one where one title begins the other and their places agree; equal titles at one place, or
    at none, are one whoever holds them; a title alone means the nearest office before it that it begins, else the first
    after it. Offices of several people at once (hai Bộ trưởng) are their own.

    Args:
        scene: people, countries and organisations are linked already.
        positions: of the mentions, in text order.
        relations: of the document; they tell holders and places more surely than the text beside the mention.
    """
    offices = read_offices(scene, positions, relations)
    partition = Partition(len(offices))
    seats = _merge_seats(_held_seats(offices, partition), partition)
    seats += _placed_seats(offices, seats, partition)
    by_root = {partition.find(seat.index): seat for seat in seats}
    seat_of = {
        index: by_root[partition.find(index)] for index in range(len(offices)) if partition.find(index) in by_root
    }
    _join_bare(offices, seat_of, partition)
    _join_several(offices, partition, at_home=_HOME in scene.labels)
    return [partition.find(index) for index in range(len(offices))]


def _fit(first: Words, second: Words) -> bool:
    """Whether one title begins the other (Bộ trưởng, Bộ trưởng Quốc phòng)."""
    return starts_with(first, second) or starts_with(second, first)


def _held_seats(offices: list[Office], partition: Partition) -> list[_Seat]:
    """The offices of people, each person's gathered first."""
    by_holder: defaultdict[Hashable, list[_Seat]] = defaultdict(list)
    for index, office in enumerate(offices):
        if office.holder is None:
            continue
        own = by_holder[office.holder]
        for seat in own:
            places = {seat.place, office.place} - {None}
            if _fit(seat.title, office.title) and len(places) < 2:
                partition.join(seat.index, index)
                seat.title = max(seat.title, office.title, key=len)
                seat.place = next(iter(places), None)
                break
        else:
            own.append(_Seat(index, office.title, office.place))
    return sorted((seat for own in by_holder.values() for seat in own), key=lambda seat: seat.index)


def _merge_seats(seats: list[_Seat], partition: Partition) -> list[_Seat]:
    """Make equal titles at one place, or at none, one office whoever holds them."""
    merged: dict[tuple[Words, Hashable], _Seat] = {}
    for seat in seats:
        partition.join(merged.setdefault((seat.title, seat.place), seat).index, seat.index)
    return list(merged.values())


def _placed_seats(offices: list[Office], seats: list[_Seat], partition: Partition) -> list[_Seat]:
    """Give mentions with a place but no holder to the seats they fit; the seats made for the others.

    Seats without a place are taken for Vietnam's: a Vietnamese paper says of others where they belong.
    """
    by_place: defaultdict[Hashable, list[_Seat]] = defaultdict(list)
    for seat in seats:
        by_place[seat.place].append(seat)
    new: list[_Seat] = []
    for index, office in enumerate(offices):
        if office.holder is not None or office.many or office.place is None:
            continue
        candidates = [*by_place[office.place], *(by_place[None] if office.place == _HOME else ())]
        found = next((seat for seat in candidates if _fit(seat.title, office.title)), None)
        if found is None:
            found = _Seat(index, office.title, office.place)
            by_place[office.place].append(found)
            new.append(found)
        found.title = max(found.title, office.title, key=len)
        partition.join(found.index, index)
    return new


def _join_bare(offices: list[Office], seat_of: dict[int, _Seat], partition: Partition) -> None:
    """Give titles alone to the nearest seat before them, else the first after them, else to each other."""
    left = {index for index, office in enumerate(offices) if not office.many and index not in seat_of}
    for order in (range(len(offices)), range(len(offices) - 1, -1, -1)):
        left = _join_along(order, left, offices, seat_of, partition)
    first: dict[Words, int] = {}
    for index in sorted(left, key=lambda index: (-len(offices[index].title), index)):
        title = offices[index].title
        owner = first.get(title, index)
        for length in range(1, len(title) + 1):
            first.setdefault(title[:length], owner)
        partition.join(owner, index)


def _join_along(
    order: Iterable[int], left: set[int], offices: list[Office], seat_of: dict[int, _Seat], partition: Partition
) -> set[int]:
    """Walk over the mentions and join each one left to the last seat passed that it fits; those that found none."""
    unresolved: set[int] = set()
    beginnings: dict[Words, tuple[int, int]] = {}  # beginning of a seat's title → step, index of the last one passed
    wholes: dict[Words, tuple[int, int]] = {}
    for step, index in enumerate(order):
        title = offices[index].title
        if index in left:
            fitting = [beginnings.get(title), *(wholes.get(title[:length]) for length in range(1, len(title)))]
            last = max((passed for passed in fitting if passed), default=None)
            if last is None:
                unresolved.add(index)
                continue
            seat_of[index] = seat_of[last[1]]
            partition.join(seat_of[index].index, index)
        if index in seat_of:
            whole = seat_of[index].title
            wholes[whole] = step, index
            for length in range(1, len(whole) + 1):
                beginnings[whole[:length]] = step, index
    return unresolved


def _join_several(offices: list[Office], partition: Partition, at_home: bool) -> None:
    """Join mentions of the same several offices (hai Bộ trưởng, Bộ trưởng Quốc phòng hai nước)."""
    seats: defaultdict[str, list[_Seat]] = defaultdict(list)
    for index, office in enumerate(offices):
        if not office.many:
            continue
        own = seats[office.many]
        for seat in own:
            if _fit(seat.title, office.title) and _same_several(seat.countries, office.countries, at_home):
                partition.join(seat.index, index)
                seat.title = max(seat.title, office.title, key=len)
                seat.countries = seat.countries or office.countries
                break
        else:
            own.append(_Seat(index, office.title, countries=office.countries))


def _same_several(first: frozenset[Hashable], second: frozenset[Hashable], at_home: bool) -> bool:
    """Whether two groups of countries may be one; where only one is named, the other is Vietnam's and its partner's."""
    if first and second:
        return first == second
    named = first | second
    return not named or not at_home or _HOME in named
