"""The lists that replacements are drawn from, as they lie in ``annotations/gazetteers/``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from pipeline.data.augment.country_names import CountryForm, CountryNames
from pipeline.data.augment.spelling import lookup_key
from pipeline.errors import QuanheError
from pipeline.yaml_file import load_model

ListT = TypeVar("ListT", bound=BaseModel)
Strings = tuple[str, ...]
STYLES = ("usual", "official", "transliterated", "joined")


def _spellings(value: Any) -> Any:
    """``"Sydney = Xít-ni, Perth"`` → ``(("Sydney", "Xít-ni"), ("Perth",))``."""
    if not isinstance(value, str):
        return value
    return tuple(tuple(part.strip() for part in item.split("=")) for item in value.split(",") if item.strip())


# Things that have one or more spellings, the usual one first.
Spellings = Annotated[tuple[Strings, ...], BeforeValidator(_spellings)]


class _List(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CountryForms(_List):
    """How one country is written, style by style."""

    usual: Strings
    official: Strings = ()
    transliterated: Strings = ()
    joined: Strings = ()

    def of(self, style: str) -> Strings:
        """The forms of a style; the usual ones when it has none."""
        forms: Strings = getattr(self, style)
        return forms or self.usual


class Countries(_List):
    """ISO 3166-1 code → forms, and names that only look as if they named a country."""

    frequent: Strings
    countries: dict[str, CountryForms]
    protected: Strings = ()

    @cached_property
    def forms(self) -> Mapping[str, CountryForm]:
        """Lookup key of a form → code, style, form. Of two styles with one form the first counts."""
        found: dict[str, CountryForm] = {}
        for style in STYLES:
            for code, country in self.countries.items():
                for form in getattr(country, style):
                    found.setdefault(lookup_key(form), (code, style, form))
        return found

    @cached_property
    def names(self) -> CountryNames:
        """Finds them inside longer names."""
        joined = [(code, form) for code, country in self.countries.items() for form in country.joined]
        return CountryNames(self.forms.values(), joined, self.protected)


class CountryPlaces(_List):
    """Places of one country."""

    capital: Spellings
    cities: Spellings = ()
    provinces: Spellings = ()
    seas: Spellings = ()


class Places(_List):
    """ISO 3166-1 code → places."""

    places: dict[str, CountryPlaces]

    @cached_property
    def forms(self) -> Mapping[str, tuple[str, str, Strings, int]]:
        """Lookup key of a spelling → country code, sort, the place's spellings and which of them it is."""
        found: dict[str, tuple[str, str, Strings, int]] = {}
        for code, country in self.places.items():
            for sort in ("capital", "cities", "provinces", "seas"):
                for spellings in getattr(country, sort):
                    for index, form in enumerate(spellings):
                        found.setdefault(lookup_key(form), (code, sort, spellings, index))
        return found


class Culture(_List):
    """Parts of the names of one naming culture; where there is a second spelling it is in Vietnamese syllables."""

    order: Literal["family-first", "given-first", "either"]
    male: Spellings
    female: Spellings = ()
    family: Spellings
    family_female: Spellings = ()
    second_family: Spellings = ()
    middle: Spellings = ()
    middle_female: Spellings = ()
    endings: Spellings = ()

    @cached_property
    def words(self) -> frozenset[str]:
        """Lookup keys of all words of its given and family names."""
        parts = (*self.male, *self.female, *self.family, *self.family_female)
        return frozenset(lookup_key(word) for part in parts for form in part for word in form.split())


class Persons(_List):
    """Naming cultures, and persons whose names are left alone or must not come about."""

    keep: Strings = ()
    never: Strings = ()
    cultures: dict[str, Culture]


class ByCountry(_List):
    """Entries that not every country has: ISO 3166-1 codes of those that have them, or of those that have not."""

    only: dict[str, Strings] = {}
    not_in: dict[str, Strings] = {}

    def suits(self, entry: str, codes: Collection[str]) -> bool:
        """Whether all these countries have such a thing; when none is known, whether every country has it."""
        if entry in self.only:
            return bool(codes) and set(codes) <= set(self.only[entry])
        return not set(codes) & set(self.not_in.get(entry, ()))


class Ranks(_List):
    """Service → ranks; those of the services set apart seldom come in the place of others."""

    apart: Strings = ()
    services: dict[str, Strings]


class Portfolios(_List):
    """Offices that stand with a portfolio: every head goes with every topic."""

    heads: Strings
    topics: Strings


class Roles(_List):
    """Class of offices → offices."""

    by_country: ByCountry = ByCountry()
    classes: dict[str, Strings]
    portfolios: Portfolios


class Organisations(_List):
    """Kind → names that a country may follow, and kind → whole names."""

    by_country: ByCountry = ByCountry()
    with_country: dict[str, Strings]
    whole: dict[str, Strings]


class Known(_List):
    """A real treaty or series: its full names and its short ones."""

    full: Strings
    short: Strings = ()


class TitleGroup(_List):
    """Titles of one kind: heads, what they may be about, and patterns that join both."""

    heads: Strings
    about: Strings = ("",)
    patterns: Strings


class Agreements(_List):
    """Treaties, forms of partnership, and groups of instruments."""

    treaties: tuple[Known, ...]
    partnerships: Strings
    groups: dict[str, TitleGroup]
    quoted: Strings = ()


class Events(_List):
    """Series, and groups of occasions."""

    series: tuple[Known, ...]
    groups: dict[str, TitleGroup]
    levels: Strings = ()


class Abbreviations(_List):
    """Entity type → long form → short forms."""

    types: dict[str, dict[str, Strings]]


@dataclass(frozen=True)
class Gazetteers:
    """All lists, one a file of the folder."""

    countries: Countries
    places: Places
    persons: Persons
    ranks: Ranks
    roles: Roles
    organisations: Organisations
    agreements: Agreements
    events: Events
    abbreviations: Abbreviations


@cache
def load_gazetteers(folder: Path) -> Gazetteers:
    """Read all lists of a folder.

    Raises:
        QuanheError: the folder or one of its files cannot be read.
        ProblemsError: the mistakes of a file, each with its line.
    """
    if not folder.is_dir():
        raise QuanheError(f"{folder}: no such folder; set data.augment.gazetteers to the folder of the gazetteers")

    def read(name: str, model: type[ListT]) -> ListT:
        return load_model(folder / f"{name}.yaml", model)

    return Gazetteers(
        read("countries", Countries),
        read("places", Places),
        read("persons", Persons),
        read("ranks", Ranks),
        read("roles", Roles),
        read("organisations", Organisations),
        read("agreements", Agreements),
        read("events", Events),
        read("abbreviations", Abbreviations),
    )
