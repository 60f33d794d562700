from __future__ import annotations

import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.facts.dates import date_interval, date_key, partial_date

INTERVALS = {
    "29/6/2018": "2018-06-29",
    "29-6-2018": "2018-06-29",
    "29.6.2018": "2018-06-29",
    "ngày 27 tháng 5 năm 2019": "2019-05-27",
    "2018-06-29": "2018-06-29",
    "thứ Hai, 5/6/2018": "2018-06-05",
    "tháng 7/2021": "2021-07",
    "Tháng 4-2017": "2017-04",
    "tháng mười hai năm 2019": "2019-12",
    "tháng Năm năm 2019": "2019-05",
    "7/2021": "2021-07",
    "năm 2017": "2017",
    "2020": "2020",
    "2018 - 2020": "2018/2020",
    "giai đoạn 2017–2022": "2017/2022",
    "3 đến 5/6/2016": "2016-06-03/2016-06-05",
    "3-5/6/2016": "2016-06-03/2016-06-05",
    "3 đến ngày 8-10-2017": "2017-10-03/2017-10-08",
    "30/11 đến 2/12/2018": "2018-11-30/2018-12-02",
    "24 và 25/1/2018": "2018-01-24/2018-01-25",
    "tháng 3 đến tháng 5/2019": "2019-03/2019-05",
    "tháng 12/2018 đến tháng 2/2019": "2018-12/2019-02",
    "11/9/1973-11/9/2023": "1973-09-11/2023-09-11",
    "quý III/2019": "2019-07/2019-09",
    "quý 4 năm 2019": "2019-10/2019-12",
    "nửa đầu năm 2020": "2020-01/2020-06",
    "6 tháng cuối năm 2020": "2020-07/2020-12",
    "đầu năm 2022": "2022-01/2022-04",
    "giữa năm 2022": "2022-05/2022-08",
    "cuối năm 2022": "2022-09/2022-12",
    "đầu tháng 5/2019": "2019-05-01/2019-05-10",
    "trung tuần tháng 5/2019": "2019-05-11/2019-05-20",
    "cuối tháng 2/2020": "2020-02-21/2020-02-29",
    "thập niên 1990": "1990/1999",
    "thế kỷ XXI": "2001/2100",
    "cuối năm 2018 đến đầu năm 2019": "2018-09/2019-04",
}
# No year, no such day, or no date at all: nothing is guessed.
OPEN = ["29/6", "3-10", "10-4", "29 đến 31/10", "tháng ba", "23", "31/2/2019", "29/13/2020", "13/2021", "3 và 5/6/2018",
        "quý I", "29/6/18", "hôm nay", "", "-", "đến", "5/6/2018 - 3/6/2018", "năm", "năm 20188"]  # fmt: skip


@pytest.mark.parametrize(("text", "interval"), INTERVALS.items())
def test_intervals(text: str, interval: str) -> None:
    assert date_interval(text) == interval


@pytest.mark.parametrize("text", OPEN)
def test_no_interval_without_a_year_or_a_real_day(text: str) -> None:
    assert date_interval(text) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [("29/6", "29-6"), ("29/6/2018", "ngày 29 tháng 6 năm 2018"), ("năm 2020", "2020"), ("tháng ba", "Tháng 3")],
)
def test_one_date_has_one_key(first: str, second: str) -> None:
    assert date_key(first) == date_key(second)


@pytest.mark.parametrize(("first", "second"), [("29/6", "26/9"), ("tháng ba", "đầu tháng ba"), ("29/6", "29/6/2018")])
def test_other_dates_have_other_keys(first: str, second: str) -> None:
    assert date_key(first) != date_key(second)


@given(st.dates(datetime.date(1000, 1, 1), datetime.date(2199, 12, 31)), st.sampled_from("/-."))
def test_every_day_is_read(day: datetime.date, mark: str) -> None:
    written = f"{day.day}{mark}{day.month}{mark}{day.year}"
    assert date_interval(written) == day.isoformat()
    assert date_interval(f"ngày {day.day} tháng {day.month} năm {day.year}") == day.isoformat()
    partial = partial_date(f"{day.day}/{day.month}")
    assert partial is not None and (partial.day, partial.month, partial.year) == (day.day, day.month, None)


@given(st.dates(datetime.date(1990, 1, 1), datetime.date(2030, 1, 1)), st.integers(1, 800))
def test_every_range_is_read(first: datetime.date, length: int) -> None:
    last = first + datetime.timedelta(length)
    written = f"{first.day}/{first.month}/{first.year} - {last.day}/{last.month}/{last.year}"
    assert date_interval(written) == f"{first.isoformat()}/{last.isoformat()}"


@given(st.text(alphabet="0123456789/-. ngàythánăquýđếvIX", max_size=30))
def test_odd_strings_have_a_key_and_a_well_formed_interval_or_none(text: str) -> None:
    assert isinstance(date_key(text), str)
    interval = date_interval(text)
    for part in interval.split("/") if interval else ():
        datetime.date.fromisoformat(part + "-01-01"[len(part) - 4 if len(part) > 4 else 0 :])


def test_overlong_strings_cost_nothing() -> None:
    start = time.perf_counter()
    for text in ("ngày " * 100_000, "1" * 500_000, "- " * 200_000, "tháng " * 100_000 + "2019", "thứ hai, " * 100_000):
        assert date_interval(text) is None
    assert time.perf_counter() - start < 1
