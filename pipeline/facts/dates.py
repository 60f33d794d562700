"""Vietnamese date expressions → ISO 8601 intervals, where the text alone gives enough.

A part of a period is given a fixed extent: a third of a year (đầu, giữa, cuối năm: January–April, May–August,
September–December), ten days of a month (đầu or thượng tuần 1–10, giữa or trung tuần 11–20, cuối or hạ tuần from 21
on), half a year (nửa đầu, 6 tháng đầu năm). Nothing is guessed: a day and month without a year have no interval.
"""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass
from functools import lru_cache

from pipeline.text.names import name_key

# A longer string is no date, whatever it holds.
_MAX_LENGTH = 80
_NUMBERS = {
    word: number
    for number, forms in enumerate(
        ("một giêng i nhất", "hai ii nhì", "ba iii", "tư bốn iv", "năm v", "sáu vi", "bảy bẩy vii", "tám viii",
         "chín ix", "mười x", "mười-một xi", "mười-hai chạp xii"), 1
    )
    for word in forms.split()
}  # fmt: skip
_MONTH = r"(?:\d{1,2}|mười một|mười hai|" + "|".join(word for word in _NUMBERS if "-" not in word) + ")"
_DAY = r"(?:(?:ngày |mùng |mồng )*\d{1,2})"
_YEAR = r"(?:1\d|2[01])\d\d"
_IN_YEAR = rf"(?: ?[/.,-] ?| năm | )(?P<year>{_YEAR})"
_LEAD = re.compile(
    r"(?:(?:thứ (?:hai|ba|tư|năm|sáu|bảy)|chủ nhật|ngày|sáng|trưa|chiều|tối|đêm|giai đoạn|nhiệm kỳ"
    r"|từ|vào|trong|hồi),? )+"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<year>{_YEAR})-(?P<month>\d\d)-(?P<day>\d\d)",
        rf"(?P<day>{_DAY})(?: ?[/.-] ?| ?,? tháng ?)(?P<month>{_MONTH})(?:{_IN_YEAR})?",
        rf"(?:(?P<part>đầu|giữa|cuối|thượng tuần|trung tuần|hạ tuần) )?tháng (?P<month>{_MONTH})(?:{_IN_YEAR})?",
        rf"(?P<month>\d{{1,2}})[/.-](?P<year>{_YEAR})",
        rf"quý (?P<quarter>[1-4]|iv|i{{1,3}}|một|hai|ba|tư|bốn|nhất)(?:{_IN_YEAR})?",
        rf"(?P<half>nửa|6 tháng|sáu tháng) (?P<part>đầu|cuối|sau)(?: của)? năm (?P<year>{_YEAR})",
        rf"(?:những tháng |các tháng )?(?P<part>đầu|giữa|cuối) năm (?P<year>{_YEAR})",
        rf"(?:thập niên|thập kỷ|thập kỉ|những năm) (?P<decade>{_YEAR})",
        r"thế kỷ (?:thứ )?(?P<century>\d\d|xviii|xix|xxi|xx)",
        rf"(?:cả |năm )*(?P<year>{_YEAR})",
        rf"(?P<day>{_DAY})",
    )
)
# "29-31/10" is a range, "3-10" is the third of October: only what is no single date is cut in two.
_RANGE = re.compile(r" (?:đến|tới|và|cho đến) |,? ?- ?")
_TEN_DAYS = {"đầu": (1, 10), "thượng tuần": (1, 10), "giữa": (11, 20), "trung tuần": (11, 20)}
_ROMAN = {"xviii": 18, "xix": 19, "xx": 20, "xxi": 21}


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from ``first`` to ``last``, told to the ``day``, ``month`` or ``year``."""

    first: datetime.date
    last: datetime.date
    unit: str

    def __str__(self) -> str:
        """One date of reduced precision, or two with a slash between (ISO 8601-1)."""
        length = {"year": 4, "month": 7, "day": 10}[self.unit]
        first, last = self.first.isoformat()[:length], self.last.isoformat()[:length]
        return first if first == last else f"{first}/{last}"


@dataclass(frozen=True, slots=True)
class PartialDate:
    """What the text gives of a date; ``None`` is what it leaves open."""

    day: int | None = None
    month: int | None = None
    year: int | None = None
    part: str = ""

    def period(self) -> Period | None:
        """The period meant, ``None`` when the year is open or there is no such day."""
        if self.year is None:
            return None
        if self.month is None:
            return _part_of_year(self.year, self.part)
        if not 1 <= self.month <= 12:
            return None
        length = calendar.monthrange(self.year, self.month)[1]
        if self.day is not None:
            return _days(self.year, self.month, self.day, self.day) if 1 <= self.day <= length else None
        if self.part:
            return _days(self.year, self.month, *_TEN_DAYS.get(self.part, (21, length)))
        return _months(self.year, self.month, self.month)


def date_interval(text: str) -> str | None:
    """The ISO 8601 interval of a date expression: ``2018-06-29``, ``2021-07``, ``2017``, ``2016-06-03/2016-06-05``.

    Returns:
        ``None`` when the year is not in the text or the expression is not understood.
    """
    period = _period(_key(text))
    return str(period) if period else None


def partial_date(text: str) -> PartialDate | None:
    """A single date with parts left open (``29/6``, ``tháng ba``), ``None`` for anything else."""
    single = _single(_key(text))
    return single if isinstance(single, PartialDate) else None


def date_key(text: str) -> str:
    """What two date expressions of one article have in common when they mean the same: interval, parts or words."""
    period, partial = _period(_key(text)), partial_date(text)
    if period:
        return str(period)
    if partial and not partial.part:
        return f"{partial.year or '-'}-{partial.month or '-'}-{partial.day or '-'}"
    return _key(text)


@lru_cache(maxsize=4096)
def _period(key: str) -> Period | None:
    single = _single(key)
    if isinstance(single, PartialDate):
        return single.period()
    return single or _range(key)


def _key(text: str) -> str:
    key = name_key(text[: _MAX_LENGTH + 1])
    lead = _LEAD.match(f"{key} ")
    return key[lead.end() :] if lead and lead.end() < len(key) else key


@lru_cache(maxsize=4096)
def _single(key: str) -> PartialDate | Period | None:
    """The one date or named period that the whole key writes."""
    if len(key) > _MAX_LENGTH:
        return None
    for pattern in _PATTERNS:
        match = pattern.fullmatch(key)
        if match:
            return _read({name: value for name, value in match.groupdict().items() if value})
    return None


def _read(found: dict[str, str]) -> PartialDate | Period | None:
    if "century" in found:
        century = _ROMAN.get(found["century"]) or int(found["century"])
        return Period(datetime.date(100 * century - 99, 1, 1), datetime.date(100 * century, 12, 31), "year")
    if "decade" in found:
        first = int(found["decade"])
        return Period(datetime.date(first, 1, 1), datetime.date(first + 9, 12, 31), "year") if first % 10 == 0 else None
    year = int(found["year"]) if "year" in found else None
    if "quarter" in found:
        quarter = _number(found["quarter"])
        return _months(year, 3 * quarter - 2, 3 * quarter) if year else None
    if "half" in found and year:
        return _months(year, 1, 6) if found["part"] == "đầu" else _months(year, 7, 12)
    return PartialDate(
        int(found["day"].split()[-1]) if "day" in found else None,
        _number(found["month"]) if "month" in found else None,
        year,
        found.get("part", ""),
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _NUMBERS[text.replace(" ", "-")]


def _range(key: str) -> Period | None:
    """Two dates with a connecting word or dash between; the first takes what it leaves open from the second."""
    if len(key) > _MAX_LENGTH:
        return None
    for cut in _RANGE.finditer(key):
        left, right = _single(_key(key[: cut.start()])), _single(_key(key[cut.end() :]))
        last = right.period() if isinstance(right, PartialDate) else right
        if left is None or right is None or last is None:
            continue
        if isinstance(left, PartialDate) and isinstance(right, PartialDate):
            left = _complete(left, right)
        first = left.period() if isinstance(left, PartialDate) else left
        if first is None or first.first > last.first:
            continue
        consecutive = (last.first - first.last).days <= 1
        if cut.group().strip() == "và" and not consecutive:
            return None  # two dates, not all between them
        unit = min(first.unit, last.unit, key=("day", "month", "year").index)
        return Period(first.first, last.last, unit)
    return None


def _complete(left: PartialDate, right: PartialDate) -> PartialDate:
    if left.year is None and left.month is None and left.day is not None:
        return PartialDate(left.day, right.month, right.year) if right.day is not None else left
    return PartialDate(left.day, left.month, right.year, left.part) if left.year is None else left


def _days(year: int, month: int, first: int, last: int) -> Period:
    return Period(datetime.date(year, month, first), datetime.date(year, month, last), "day")


def _months(year: int, first: int, last: int) -> Period:
    end = datetime.date(year, last, calendar.monthrange(year, last)[1])
    return Period(datetime.date(year, first, 1), end, "month")


def _part_of_year(year: int, part: str) -> Period | None:
    if not part:
        return Period(datetime.date(year, 1, 1), datetime.date(year, 12, 31), "year")
    first = {"đầu": 1, "giữa": 5, "cuối": 9}.get(part)
    return _months(year, first, first + 3) if first else None
