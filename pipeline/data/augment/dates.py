"""Other dates in other forms: an article's days, months and years move together, so that what agreed still agrees."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from pipeline.data.augment.edits import mentions_of, replace_mentions
from pipeline.data.augment.spelling import upper_first
from pipeline.document import Document

# Years before this one are history (1954, 1982), not news: they stay.
_FIRST_YEAR, _LAST_YEAR = 2000, 2029
# Length of a month whose year is not said.
_COMMON_YEAR = 2019
_TRIES = 40
_MONTH = r"(?P<month>1[0-2]|0?[1-9])"
_IN_YEAR = r"(?P<year>(?:19|20)\d\d)"
_TAILS = (
    re.compile(rf"(?P<day>\d\d?) ?[/.-] ?{_MONTH}(?: ?[/.-] ?{_IN_YEAR})?"),
    re.compile(rf"(?P<day>\d\d?) tháng {_MONTH}(?: năm {_IN_YEAR})?"),
)
_LEAD = re.compile(r"(?P<day>\d\d?)(?P<join> đến | và | tới |, | ?[-–] ?)")
_TWO = re.compile(r"(?P<first>.+?)(?P<join> đến | và | tới | [-–] )(?P<last>.+)")
_PART = r"(?P<part>(?:(?:nửa )?(?:đầu|cuối)|giữa|trung tuần|thượng tuần|hạ tuần) )?"
_MONTHS = re.compile(rf"{_PART}tháng {_MONTH}(?:(?: ?[/.-] ?| năm ){_IN_YEAR})?")
_QUARTERS = re.compile(rf"{_PART}quý (?P<quarter>[1-4]|IV|I{{1,3}})(?:(?: ?[/.-] ?| năm ){_IN_YEAR})?")
_YEAR = re.compile(rf"(?P<part>(?:(?:(?:nửa )?(?:đầu|cuối)|giữa|mùa \w+|\d tháng đầu) )?(?:năm )?){_IN_YEAR}")
_YEARS = re.compile(r"(?P<first>20\d\d)(?P<join> ?[-–] ?| đến )(?P<last>20\d\d)")
_LISTED = (" và ", ", ")
_ROMAN = ("I", "II", "III", "IV")


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much the dates of an article move; months turn round at the end of the year."""

    days: int = 0
    months: int = 0
    years: int = 0

    def month(self, month: int) -> int:
        return (month - 1 + self.months) % 12 + 1

    def year(self, year: int | None) -> int | None:
        """The year moved, but for one that stays because it is history."""
        return year if year is None or year < _FIRST_YEAR else year + self.years

    def fits(self, year: int | None) -> bool:
        """Whether a moved year is one of the news: neither history, which stays, nor too far ahead."""
        return year is None or year < _FIRST_YEAR or _FIRST_YEAR <= year + self.years <= max(year, _LAST_YEAR)


@dataclass(frozen=True, slots=True)
class Style:
    """How an article writes its dates.

    Attributes:
        mark: between the numbers of a date.
        words: ``27 tháng 5 năm 2019``, not ``27-5-2019``.
        dash: between the ends of a range.
        to: ``3 đến 5-6``, not ``3 - 5.6``.
        roman: ``quý III``.
    """

    mark: str
    words: bool
    dash: str
    to: bool
    roman: bool

    def range(self) -> str:
        """What joins two numbers of which the second goes on with a mark: never the same dash twice."""
        return " đến " if self.to or (self.mark == "-" and not self.words) else self.dash

    def year(self, year: int | None) -> str:
        """The end of an expression whose last part is the year."""
        if year is None:
            return ""
        return f" năm {year}" if self.words else f"{self.mark}{year}"


@dataclass(frozen=True, slots=True)
class Days:
    """One or more days of one month: ``27-5``, ``3 đến 5/6/2016``, ``24 và 25/1``."""

    days: tuple[int, ...]
    joins: tuple[str, ...]
    month: int
    year: int | None

    def moved(self, shift: Shift) -> Days | None:
        if self.year is not None and self.year < _FIRST_YEAR:
            return self
        month, year = shift.month(self.month), shift.year(self.year)
        days = tuple(day + shift.days for day in self.days)
        if not shift.fits(self.year) or min(days) < 1 or max(days) > _month_length(month, year):
            return None
        return replace(self, days=days, month=month, year=year)

    def written(self, style: Style) -> str:
        text = str(self.days[0])
        for join, day in zip(self.joins, self.days[1:], strict=True):
            text += f"{join if join in _LISTED else style.range()}{day}"
        return text + (f" tháng {self.month}" if style.words else f"{style.mark}{self.month}") + style.year(self.year)


@dataclass(frozen=True, slots=True)
class TwoDates:
    """``31/8 và 1/9``, ``22/8 đến 4/9``."""

    first: Days
    join: str
    last: Days

    def moved(self, shift: Shift) -> TwoDates | None:
        first, last = self.first.moved(shift), self.last.moved(shift)
        if first is None or last is None or (self.first.month < self.last.month) != (first.month < last.month):
            return None
        return replace(self, first=first, last=last)

    def written(self, style: Style) -> str:
        return f"{self.first.written(style)}{self.join}{self.last.written(style)}"


@dataclass(frozen=True, slots=True)
class Month:
    """``tháng 5/2019``, ``cuối tháng 9``."""

    part: str
    month: int
    year: int | None

    def moved(self, shift: Shift) -> Month | None:
        if not shift.fits(self.year):
            return None
        if self.year is not None and self.year < _FIRST_YEAR:
            return self
        return replace(self, month=shift.month(self.month), year=shift.year(self.year))

    def written(self, style: Style) -> str:
        return f"{self.part}tháng {self.month}{style.year(self.year)}"


@dataclass(frozen=True, slots=True)
class Quarter:
    """``quý III``, ``quý 4/2019``."""

    part: str
    quarter: int
    year: int | None

    def moved(self, shift: Shift) -> Quarter | None:
        # Only whole quarters: the month of the quarter that the article also names must stay in it.
        if shift.months % 3 or not shift.fits(self.year):
            return None
        if self.year is not None and self.year < _FIRST_YEAR:
            return self
        quarter = (self.quarter - 1 + shift.months // 3) % 4 + 1
        return replace(self, quarter=quarter, year=shift.year(self.year))

    def written(self, style: Style) -> str:
        number = _ROMAN[self.quarter - 1] if style.roman else self.quarter
        return f"{self.part}quý {number}{style.year(self.year)}"


@dataclass(frozen=True, slots=True)
class Years:
    """``năm 2019``, ``đầu năm 2019``, ``2018 - 2020``; ``last`` is the first year again when there is only one."""

    part: str
    first: int
    join: str
    last: int

    def moved(self, shift: Shift) -> Years | None:
        first, last = shift.year(self.first), shift.year(self.last)
        assert first and last
        return replace(self, first=first, last=last) if shift.fits(self.first) and shift.fits(self.last) else None

    def written(self, style: Style) -> str:
        if not self.join:
            return f"{self.part}{self.first}"
        return f"{self.first}{self.join if 'đến' in self.join else style.dash}{self.last}"


DateExpression = Days | TwoDates | Month | Quarter | Years


def replace_dates(document: Document, share: float, rng: Random) -> Document:
    """Move all dates of an article and write them in another form, with a probability for the article as a whole."""
    if rng.random() >= share:
        return document
    style = Style(
        mark=rng.choice("-//."),
        words=rng.random() < 0.2,
        dash=rng.choice((" - ", "-", " – ")),
        to=rng.random() < 0.6,
        roman=rng.random() < 0.7,
    )
    mentions = mentions_of(document, "DATE")
    parsed = {mention.text: expression for mention in mentions if (expression := parse_date(mention.text))}
    moved = _move(parsed, rng)
    surfaces = {}
    for mention in mentions:
        if mention.text in moved:
            text = moved[mention.text].written(style)
            first = next(character for character in mention.text if not character.isspace())
            surfaces[mention.id] = _in_case(mention.text, text) if first.isalpha() else text
    return replace_mentions(document, surfaces)


def _in_case(surface: str, text: str) -> str:
    if surface.isupper():
        return text.upper()
    return upper_first(text) if surface[0].isupper() else text


def _move(parsed: dict[str, DateExpression], rng: Random) -> dict[str, DateExpression]:
    """The expressions moved by a shift that leaves all of them possible, or where they are when none is found."""
    for _ in range(_TRIES):
        shift = Shift(rng.randint(-27, 27), rng.randint(0, 11), rng.randint(-9, 9))
        moved = {text: expression.moved(shift) for text, expression in parsed.items()}
        possible = {text: expression for text, expression in moved.items() if expression is not None}
        if len(possible) == len(moved):
            return possible
    return parsed


def parse_date(text: str) -> DateExpression | None:
    """A date expression in any form of the news, ``None`` for one that is not understood (Giáng sinh 2019)."""
    key = text.lower()
    days = _days(key)
    if days:
        return days
    if match := _YEARS.fullmatch(key):
        return Years("", int(match["first"]), match["join"], int(match["last"]))
    if match := _YEAR.fullmatch(key):
        return Years(match["part"], int(match["year"]), "", int(match["year"]))
    if match := _MONTHS.fullmatch(key):
        return Month(match["part"] or "", int(match["month"]), _int(match["year"]))
    if match := _QUARTERS.fullmatch(text if text[:1].islower() else text[:1].lower() + text[1:]):
        quarter = match["quarter"]
        return Quarter(match["part"] or "", _ROMAN.index(quarter) + 1 if quarter in _ROMAN else int(quarter),
                       _int(match["year"]))  # fmt: skip
    if (match := _TWO.fullmatch(key)) and (first := _days(match["first"])) and (last := _days(match["last"])):
        return TwoDates(first, match["join"], last)
    return None


def _days(key: str) -> Days | None:
    """A date, or days of one month with their month at the end: ``3-10`` is a date, ``3-10/5`` eight days."""
    days: list[int] = []
    joins: list[str] = []
    rest = key
    while True:
        for tail in _TAILS:
            if match := tail.fullmatch(rest):
                found = Days((*days, int(match["day"])), tuple(joins), int(match["month"]), _int(match["year"]))
                return found if found.moved(Shift()) and _is_list(found) else None
        lead = _LEAD.match(rest)
        if lead is None:
            return None
        days.append(int(lead["day"]))
        joins.append(lead["join"])
        rest = rest[lead.end() :]


def _is_list(found: Days) -> bool:
    """Whether the days follow each other, as an enumeration or as one range."""
    rising = all(first < second for first, second in pairwise(found.days))
    return rising and (len(found.joins) < 2 or all(join in _LISTED for join in found.joins))


def _int(text: str | None) -> int | None:
    return int(text) if text else None


def _month_length(month: int, year: int | None) -> int:
    return calendar.monthrange(year or _COMMON_YEAR, month)[1]
