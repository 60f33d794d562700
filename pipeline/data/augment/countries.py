"""Another country through the whole article, with the organisations, titles and places that bear its name."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from pipeline.data.augment.edits import by_entity, mentions_of, replace_mentions, whole_changes
from pipeline.data.augment.gazetteers import Countries, Gazetteers, Strings
from pipeline.data.augment.spelling import lookup_key, spelt_like
from pipeline.document import Document, Mention

_HOME = "VN"
# How often one of the countries that news is about is drawn, and not any other.
_FREQUENT = 0.5
# What may bear a country's name.
_BEARERS = ("ORG", "EVENT", "AGREEMENT", "LOCATION")


def replace_countries(
    document: Document, share: float, gazetteers: Gazetteers, rng: Random, *, keep_home: float
) -> Document:
    """Draw for each country of the article whether it becomes another one.

    Args:
        share: probability for each country.
        keep_home: probability that Việt Nam is spared when its turn comes.
    """
    countries = gazetteers.countries
    codes = _named(document, countries)
    spared = _half_known(document, countries)
    movable = [code for code in codes if code not in spared]
    chosen = [code for code in movable if rng.random() < share and not (rng.random() < keep_home and code == _HOME)]
    targets = _draw(countries, codes, len(chosen), rng)
    if not targets:
        return document
    present = _places(document, gazetteers)
    exchange = _Exchange(gazetteers, dict(zip(chosen, targets, strict=False)), present, rng)
    surfaces = {mention.id: exchange(mention, document.text) for mention in document.mentions}
    places = mentions_of(document, "LOCATION")
    whole = whole_changes(places, surfaces)
    return replace_mentions(document, surfaces | {m.id: whole.get(m.id, m.text) for m in places})


def _named(document: Document, countries: Countries) -> list[str]:
    """Codes of the countries that mentions name, alone or inside the name of something else, in text order."""
    codes: dict[str, None] = {}
    for mention in document.mentions:
        if mention.type == "COUNTRY":
            known = countries.forms.get(lookup_key(mention.text))
            codes |= {known[0]: None} if known else {}
        elif mention.type in _BEARERS:
            codes |= {form[0]: None for _, _, form in countries.names.find(mention.text)}
    return list(codes)


def _half_known(document: Document, countries: Countries) -> set[str]:
    """Codes of countries that the article also names in a form that no list has (misspelt, without diacritics)."""
    codes: set[str] = set()
    for mentions in by_entity(mentions_of(document, "COUNTRY")):
        known = [countries.forms.get(lookup_key(mention.text)) for mention in mentions]
        codes |= {form[0] for form in known if form} if None in known else set()
    return codes


def _draw(countries: Countries, present: list[str], number: int, rng: Random) -> list[str]:
    """That many different countries that the article does not name."""
    drawn: list[str] = []
    others = [code for code in countries.countries if code not in present and code != _HOME]
    while len(drawn) < min(number, len(others)):
        pool = countries.frequent if rng.random() < _FREQUENT else others
        code = rng.choice(pool)
        if code in others and code not in drawn:
            drawn.append(code)
        elif set(countries.frequent) <= {*present, *drawn}:
            drawn.append(next(code for code in others if code not in drawn))
    return drawn


def _places(document: Document, gazetteers: Gazetteers) -> set[Strings]:
    """The places that the article names, which none of its others may become."""
    known = (gazetteers.places.forms.get(lookup_key(m.text)) for m in mentions_of(document, "LOCATION"))
    return {place[2] for place in known if place}


class _Exchange:
    """New texts for the mentions of one article; the same old form or place becomes the same new one everywhere."""

    def __init__(
        self, gazetteers: Gazetteers, new_codes: Mapping[str, str], present: set[Strings], rng: Random
    ) -> None:
        self.gazetteers, self.new_codes, self.present, self.rng = gazetteers, new_codes, present, rng
        # A country with two usual names gets two of the new one's, as far as that has two.
        self.turn = {code: rng.randrange(8) for code in sorted(new_codes)}
        self.places: dict[tuple[str, Strings], Strings] = {}

    def __call__(self, mention: Mention, article: str) -> str:
        """The new text of a mention; the old one when it names none of the countries."""
        text, countries = mention.text, self.gazetteers.countries
        if mention.type == "COUNTRY":
            if known := countries.forms.get(lookup_key(text)):
                form = countries.names.in_place(known, article, mention.start, mention.end)
                return spelt_like(text, form[2], self._form(*form))
            return text
        if mention.type == "LOCATION" and (place := self.gazetteers.places.forms.get(lookup_key(text))):
            return self._place(text, *place)
        return countries.names.replace(text, self._form) if mention.type in _BEARERS else text

    def _form(self, code: str, style: str, form: str) -> str:
        new_code = self.new_codes.get(code)
        if new_code is None:
            return form
        countries = self.gazetteers.countries.countries
        forms = countries[new_code].of(style)
        return forms[(countries[code].of(style).index(form) + self.turn[code]) % len(forms)]

    def _place(self, text: str, code: str, sort: str, spellings: Strings, index: int) -> str:
        new_code = self.new_codes.get(code)
        if new_code is None:
            return text
        if (code, spellings) not in self.places:
            new = self.gazetteers.places.places[new_code]
            if sort == "seas" and not new.seas:
                return text
            pool = new.capital if sort == "capital" or not new.cities else new.cities
            taken = self.present | set(self.places.values())
            self.places[code, spellings] = self.rng.choice([p for p in pool if p not in taken] or [spellings])
        new_spellings = self.places[code, spellings]
        return spelt_like(text, spellings[index], new_spellings[min(index, len(new_spellings) - 1)])


def replace_places(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Draw for each place of the article whether it becomes another one of its country; a "thủ đô X" stays."""
    mentions = mentions_of(document, "LOCATION")
    present = _places(document, gazetteers)
    capitals = {lookup_key(m.text) for m in mentions if document.text.endswith("thủ đô ", 0, m.start)}
    new: dict[Strings, Strings] = {}
    surfaces: dict[str, str] = {}
    for mention in mentions:
        known = gazetteers.places.forms.get(lookup_key(mention.text))
        if known is None or not capitals.isdisjoint(map(lookup_key, known[2])):
            continue
        code, sort, spellings, index = known
        if spellings not in new:
            place = gazetteers.places.places[code]
            pool = {"provinces": place.provinces, "seas": place.seas}.get(sort, (*place.capital, *place.cities))
            others = [other for other in pool if other not in present and other not in new.values()]
            new[spellings] = rng.choice(others) if others and rng.random() < share else spellings
        if new[spellings] != spellings:
            form = new[spellings][min(index, len(new[spellings]) - 1)]
            surfaces[mention.id] = spelt_like(mention.text, spellings[index], form)
    return replace_mentions(document, whole_changes(mentions, surfaces))
