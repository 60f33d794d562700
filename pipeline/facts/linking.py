"""Mentions → entities: which mentions of a document name the same thing, and what it is called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from functools import cache

from pipeline.document import Document, Entity, Mention, Relation
from pipeline.facts.dates import date_interval, date_key, partial_date
from pipeline.facts.organisations import link_organisations
from pipeline.facts.people import link_people
from pipeline.facts.roles import link_roles
from pipeline.facts.scene import Scene
from pipeline.facts.titles import link_titles
from pipeline.schema import Linking, Schema
from pipeline.text.countries import country_name, guess_country
from pipeline.text.names import aliases, display_name, name_key

# Offices need to know people, countries and organisations; organisations need to know countries.
_ORDER: tuple[Linking, ...] = ("country", "date", "name", "person", "organisation", "role", "title")


def link_entities(document: Document, schema: Schema) -> None:
    """Give every mention its entity and fill ``Document.entities``.

    Entities are numbered ``E1``, ``E2``, … by their first mention; only mentions of one type share an entity. How they
    find each other is said by the schema's ``linking``: by plain name where it says nothing. Countries get the
    attribute ``iso``, dates ``interval`` where the text gives enough.

    Args:
        document: ``mentions`` (in any order) and ``entities`` are replaced; ``relations`` are read, and help to tell
            apart offices of one title.
        schema: how each type is linked.
    """
    scene = Scene(document, schema)
    for kind in _ORDER:
        for name, positions in scene.types.items():
            if schema.link_kind(name) == kind:
                _label(scene, kind, positions, document.relations)
    groups: defaultdict[tuple[str, Hashable], list[int]] = defaultdict(list)
    for position, mention in enumerate(scene.mentions):
        groups[mention.type, scene.labels[position]].append(position)
    document.entities = [
        _entity(f"E{number}", [scene.mentions[position] for position in positions], scene.kinds[positions[0]])
        for number, positions in enumerate(groups.values(), 1)
    ]
    owners = {mention_id: entity.id for entity in document.entities for mention_id in entity.mentions}
    document.mentions = [
        Mention(m.id, m.start, m.end, m.type, m.text, m.score, owners[m.id]) for m in document.mentions
    ]


def _label(scene: Scene, kind: Linking, positions: list[int], relations: list[Relation]) -> None:
    """Set the labels of all mentions of one type."""
    mentions = [scene.mentions[position] for position in positions]
    labels: Iterable[Hashable]
    if kind == "person":
        labels = [mentions[group].id for group in link_people(mentions)]
    elif kind == "organisation":
        labels = link_organisations(scene, positions)
    elif kind == "role":
        labels = link_roles(scene, positions, relations)
    elif kind == "title":
        labels = link_titles(scene, positions)
    elif kind == "date":
        labels = _link_dates(mentions)
    elif kind == "country":
        labels = [guess_country(mention.text) or name_key(mention.text) for mention in mentions]
    else:
        labels = [_place_key(name_key(mention.text)) for mention in mentions]
    for position, label in zip(positions, labels, strict=True):
        scene.labels[position] = label


def _place_key(key: str) -> str:
    return _places().get(key, key)


@cache
def _places() -> dict[str, str]:
    return {key: name_key(name) for key, name in aliases("places").items()}


def _link_dates(mentions: list[Mention]) -> list[str]:
    """Keys of the dates; a day without month or year is the one date of the article that completes it."""
    found = [date_key(mention.text) for mention in mentions]
    dates = [partial_date(mention.text) for mention in mentions]
    days = [(index, date) for index, date in enumerate(dates) if date and date.day is not None]
    with_month = [(index, date) for index, date in days if date.month is not None]
    full: defaultdict[tuple[int | None, int | None], set[str]] = defaultdict(set)
    for index, date in with_month:
        if date.year is not None:
            full[date.day, date.month].add(found[index])
    for index, date in with_month:
        if date.year is None and len(full[date.day, date.month]) == 1:
            found[index] = next(iter(full[date.day, date.month]))
    for index, date in with_month:
        full[date.day, None].add(found[index])
    for index, date in days:
        if date.month is None and len(full[date.day, None]) == 1:
            found[index] = next(iter(full[date.day, None]))
    return found


def _entity(entity_id: str, mentions: list[Mention], kind: Linking) -> Entity:
    texts = [mention.text for mention in mentions]
    name, attributes = display_name(texts), {}
    if kind == "country":
        code = guess_country(texts[0])
        if code:
            name, attributes = country_name(code), {"iso": code}
    elif kind in ("organisation", "title"):
        name = aliases("organisations" if kind == "organisation" else "titles").get(name_key(name), name)
    elif kind == "date":
        interval = next(filter(None, map(date_interval, texts)), None)
        attributes = {"interval": interval} if interval else {}
    return Entity(entity_id, mentions[0].type, name, tuple(m.id for m in mentions), attributes)
