"""Other ranks, offices and organisations: members of one list stand for each other, the same all through an article."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random

from pipeline.data.augment.edits import by_entity, mentions_of, replace_mentions, whole_changes
from pipeline.data.augment.gazetteers import Gazetteers, Portfolios, Strings
from pipeline.data.augment.spelling import lookup_key, spelt_like
from pipeline.document import Document, Mention

# How often a rank stays within its service, and how often else it goes to a service that is set apart.
_SAME_SERVICE, _APART = 0.7, 0.15
# How often a portfolio changes together with the office.
_NEW_TOPIC = 0.6
_SLOT = re.compile(r"\{(?:(\d+)-(\d+)|province)\}")


class Swap:
    """Draws once for each thing of an article whether, and by what, it is replaced.

    Different things never get the same replacement, nor one that the article already has.
    """

    def __init__(self, share: float, rng: Random, present: Iterable[str]) -> None:
        self.share, self.rng = share, rng
        self.taken = {lookup_key(text) for text in present}
        self.drawn: dict[str, str] = {}

    def __call__(self, plain: str, pool: Callable[[], Sequence[str]]) -> str:
        """What stands for ``plain``, which may be itself; ``pool`` is asked once."""
        key = lookup_key(plain)
        if key not in self.drawn:
            self.drawn[key] = plain
            others = [other for other in pool() if lookup_key(other) not in self.taken]
            if others and self.rng.random() < self.share:
                self.drawn[key] = self.rng.choice(others)
                self.taken.add(lookup_key(self.drawn[key]))
        return self.drawn[key]


def members(lists: Mapping[str, Strings]) -> dict[str, list[tuple[str, str]]]:
    """Lookup key → each list that has it: the list's name and the spelling there."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, items in lists.items():
        for item in items:
            found.setdefault(lookup_key(item), []).append((name, item))
    return found


def replace_ranks(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Draw for each rank of the article whether it becomes another one, of its own service more often than not."""
    services = gazetteers.ranks.services
    known = members(services)
    mentions = mentions_of(document, "RANK")
    # "Tướng" points back to a general: a colonel, an admiral or a count would not do there.
    bound = {mention.entity for mention in mentions if lookup_key(mention.text) not in known}
    swap = Swap(share, rng, (mention.text for mention in mentions))
    surfaces: dict[str, str] = {}

    def pool(rank: str) -> list[str]:
        names = [name for name, _ in known[rank]]
        entities = {mention.entity for mention in mentions if lookup_key(mention.text) == rank}
        if entities & bound or rng.random() < _SAME_SERVICE:
            return list(services[names[0]])
        apart = rng.random() < _APART
        return list(services[rng.choice(sorted(n for n in services if apart or n not in gazetteers.ranks.apart))])

    for mention in mentions:
        key = lookup_key(mention.text)
        if key in known:
            plain = known[key][0][1]
            new = swap(plain, lambda key=key: pool(key))  # type: ignore[misc]
            surfaces[mention.id] = _respelt(mention.text, plain, new)
    return replace_mentions(document, whole_changes(mentions, surfaces))


def _respelt(surface: str, plain: str, new: str) -> str:
    """The new text as the article spells the old one, which stays as it is when it is not replaced."""
    return surface if new == plain else spelt_like(surface, plain, new)


def replace_roles(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Draw for each office of the article whether it becomes another one of its class, a portfolio with it or alone."""
    classes, portfolios = gazetteers.roles.classes, gazetteers.roles.portfolios
    known = members(classes)
    mentions = mentions_of(document, "ROLE")
    bare = {lookup_key(mention.text) for mention in mentions}
    offices = [office for key in sorted(bare) if (office := _office(key, portfolios))]
    swap = Swap(share, rng, [*bare, *(head for head, _ in offices)])
    topics = Swap(share * _NEW_TOPIC, rng, (topic for _, topic in offices))
    led = {lookup_key(head) for head, _ in offices}
    states = _states(document, gazetteers)
    surfaces: dict[str, str] = {}
    for mention in mentions:
        key = lookup_key(mention.text)
        office = _office(key, portfolios)
        if office:  # before the classes: "Thứ trưởng Ngoại giao" is in both, and its head may stand alone elsewhere
            head, topic = office
            new_topic = topics(topic, lambda: portfolios.topics)
            # "Bộ trưởng" pointing back to "Bộ trưởng Quốc phòng": the new head too must be able to stand alone.
            alone = lookup_key(head) in bare
            heads = [other for other in portfolios.heads if not alone or lookup_key(other) in known]
            new = f"{swap(head, lambda heads=heads: heads)} {new_topic}"  # type: ignore[misc]
            surfaces[mention.id] = _respelt(mention.text, f"{head} {topic}", new)
        elif key in known:
            name, plain = known[key][0] if len(known[key]) == 1 else rng.choice(known[key])
            pool = [head for head in portfolios.heads if lookup_key(head) in known] if key in led else classes[name]
            suiting = [other for other in pool if gazetteers.roles.by_country.suits(other, states.get(key, ()))]
            new = swap(plain, lambda suiting=suiting: suiting)  # type: ignore[misc]
            surfaces[mention.id] = _respelt(mention.text, plain, new)
    return replace_mentions(document, whole_changes(mentions, surfaces))


def _states(document: Document, gazetteers: Gazetteers) -> dict[str, set[str]]:
    """Lookup key of an office → codes of the countries that it is said to be of."""
    texts = {mention.id: mention.text for mention in document.mentions}
    states: dict[str, set[str]] = {}
    for relation in document.relations:
        if relation.type == "ROLE_AT":
            codes = {form[0] for _, _, form in gazetteers.countries.names.find(texts[relation.tail])}
            states.setdefault(lookup_key(texts[relation.head]), set()).update(codes)
    return states


def _office(key: str, portfolios: Portfolios) -> tuple[str, str] | None:
    """Head and topic of an office with its portfolio, spelt as the gazetteer does."""
    topics = {lookup_key(topic): topic for topic in portfolios.topics}
    for head in sorted(portfolios.heads, key=len, reverse=True):
        before, _, after = key.partition(f"{lookup_key(head)} ")
        if not before and after in topics:
            return head, topics[after]
    return None


def replace_organisations(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Draw for each organisation of the article whether it becomes another one of its kind.

    The country that an organisation's name ends in stays: Bộ Quốc phòng Úc → Bộ Ngoại giao Úc.
    """
    lists = gazetteers.organisations
    kinds = {**lists.whole, **lists.with_country}
    plain_names = {name: tuple(i for i in items if "{" not in i) for name, items in kinds.items()}
    known = members(plain_names)
    patterns = [(name, _slot_pattern(item)) for name, items in kinds.items() for item in items if "{" in item]
    provinces = [spellings[0] for spellings in gazetteers.places.places["VN"].provinces]
    mentions = mentions_of(document, "ORG")
    bases = {mention.id: _without_country(mention, gazetteers)[0] for mention in mentions}
    swap = Swap(share, rng, (text for mention in mentions for text in (mention.text, bases[mention.id])))
    states: dict[str, set[str]] = {}
    for mention in mentions:
        codes = (form[0] for _, _, form in gazetteers.countries.names.find(mention.text))
        states.setdefault(lookup_key(bases[mention.id]), set()).update(codes)
    # Called by two names (Liên hợp quốc, LHQ): both would have to change together.
    several = {m.id for g in by_entity(mentions) if len({lookup_key(bases[m.id]) for m in g}) > 1 for m in g}
    surfaces: dict[str, str] = {}

    def pool(name: str, key: str) -> list[str]:
        suiting = (item for item in kinds[name] if lists.by_country.suits(item, states[key]))
        return [_fill(item, provinces, rng) for item in suiting]

    for mention in mentions:
        if mention.id in several:
            continue
        base, country = _without_country(mention, gazetteers)
        key = lookup_key(base)
        if key in known and (not country or known[key][0][0] in lists.with_country):
            name, plain = known[key][0]
        elif not country and (match := next((n for n, p in patterns if p.fullmatch(base)), None)):
            name, plain = match, base
        else:
            continue
        new = swap(plain, lambda name=name, key=key: pool(name, key))  # type: ignore[misc]
        surfaces[mention.id] = _respelt(base, plain, new) + country
    return replace_mentions(document, whole_changes(mentions, surfaces))


def _without_country(mention: Mention, gazetteers: Gazetteers) -> tuple[str, str]:
    """An organisation's name in two: without the country at its end, and that with the blank before it."""
    for start, end, _ in gazetteers.countries.names.find(mention.text):
        if end == len(mention.text) and mention.text[:start].endswith(" ") and mention.text[:start].strip():
            cut = len(mention.text[:start].rstrip())
            return mention.text[:cut], mention.text[cut:]
    return mention.text, ""


def _slot_pattern(item: str) -> re.Pattern[str]:
    """``Quân khu {1-9}`` → what matches Quân khu 7."""
    parts = _SLOT.split(item)  # literal, low, high, literal …; low is None for a province
    pattern = re.escape(parts[0])
    for low, literal in zip(parts[1::3], parts[3::3], strict=True):
        pattern += (r"\d+" if low else r"[^\W\d_][\w -]+") + re.escape(literal)
    return re.compile(pattern)


def _fill(item: str, provinces: Sequence[str], rng: Random) -> str:
    """Put numbers and provinces in."""
    return _SLOT.sub(lambda m: str(rng.randint(int(m[1]), int(m[2]))) if m[1] else rng.choice(provinces), item)
