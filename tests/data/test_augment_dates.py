"""Other dates: always possible ones, and what agreed still agrees."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import marked

from pipeline.data.augment.dates import Days, Quarter, Shift, Style, parse_date, replace_dates

PLAIN = Style(mark="-", words=False, dash=" - ", to=False, roman=True)
WORDS = Style(mark="/", words=True, dash="-", to=True, roman=False)


@pytest.mark.parametrize(
    ("text", "plain", "words"),
    [
        ("27/5", "27-5", "27 tháng 5"),
        ("27.5.2019", "27-5-2019", "27 tháng 5 năm 2019"),
        ("3 đến 5/6", "3 đến 5-6", "3 đến 5 tháng 6"),
        ("14-16/8", "14 đến 16-8", "14 đến 16 tháng 8"),
        ("12, 13 và 14/9", "12, 13 và 14-9", "12, 13 và 14 tháng 9"),
        ("1-5 đến 16-8", "1-5 đến 16-8", "1 tháng 5 đến 16 tháng 8"),
        ("tháng 3/2018", "tháng 3-2018", "tháng 3 năm 2018"),
        ("cuối tháng 11", "cuối tháng 11", "cuối tháng 11"),
        ("Quý 4/2019", "quý IV-2019", "quý 4 năm 2019"),
        ("đầu năm 2019", "đầu năm 2019", "đầu năm 2019"),
        ("2018 – 2020", "2018 - 2020", "2018-2020"),
    ],
)
def test_dates_are_understood_in_every_form_and_written_in_any(text, plain, words):
    expression = parse_date(text)
    assert expression is not None
    assert (expression.written(PLAIN), expression.written(WORDS)) == (plain, words)


@pytest.mark.parametrize(
    "text", ["Giáng sinh 2019", "30/2", "31-4-2019", "15/13", "5-3/2", "tháng 13", "tuần sau", "quý V", ""]
)
def test_what_is_no_possible_date_is_left_alone(text):
    assert parse_date(text) is None


@given(st.integers(1, 28), st.integers(1, 12), st.integers(2001, 2025), st.integers(0, 3), st.integers(0, 2**32))
def test_moved_dates_are_possible_and_move_together(day, month, year, more, seed):
    last = min(day + more, 28)
    span = f"{day} đến {last}/{month}/{year}" if last > day else f"{day}/{month}/{year}"
    texts = [span, f"{last}-{month}", f"tháng {month}-{year}", f"năm {year}", "năm 1954"]
    changed = replace_dates(marked(", ".join(f"[{text}|DATE]" for text in texts)), 1.0, Random(seed))
    days, single, in_month, in_year, past = (parse_date(mention.text) for mention in changed.mentions)
    assert isinstance(days, Days) and isinstance(single, Days)
    assert days.moved(Shift()) == days
    assert len(days.days) == (2 if last > day else 1)
    assert days.days[-1] == single.days[0] and days.days[-1] - days.days[0] == last - day
    assert days.month == single.month == in_month.month
    assert days.year == in_month.year == in_year.first
    assert past.first == 1954


@given(st.integers(1, 12), st.integers(2000, 2029), st.integers(0, 11), st.integers(-9, 9))
def test_a_month_stays_in_its_quarter_and_a_year_in_the_news(month, year, months, years):
    shift = Shift(months=months, years=years)
    quarter = parse_date(f"quý {(month + 2) // 3}/{year}").moved(shift)
    moved = parse_date(f"tháng {month}/{year}").moved(shift)
    whole, day = (parse_date(f"{before}{year}").moved(shift) for before in ("năm ", f"1/{month}/"))
    assert (moved is None) == (whole is None) == (day is None) == (not 2000 <= year + years <= 2029)
    assert (quarter is None) == (moved is None or months % 3 > 0)
    if quarter:
        assert (quarter.quarter, quarter.year) == ((moved.month + 2) // 3, moved.year)


def test_history_does_not_move_and_nothing_moves_into_it():
    document = marked("[năm 2003|DATE], [năm 1994|DATE], [quý I/1994|DATE], [tháng 5/1994|DATE]")
    for seed in range(60):
        new, *history = (mention.text for mention in replace_dates(document, 1.0, Random(seed)).mentions)
        assert new.startswith("năm 20")
        assert [parse_date(text) for text in history] == [parse_date(m.text) for m in document.mentions[1:]]


def test_capitals_are_kept():
    document = marked("[Tháng 5-2019|DATE]: [NĂM 2019|DATE]. [Quý III|DATE]")
    for seed in range(20):
        month, year, quarter = (mention.text for mention in replace_dates(document, 1.0, Random(seed)).mentions)
        assert month.startswith("Tháng ") and re.fullmatch(r"NĂM 20\d\d", year)
        assert isinstance(parse_date(quarter), Quarter) and quarter.startswith("Quý ")


def test_an_article_is_moved_as_a_whole_or_not_at_all():
    document = marked("[3-6|DATE] và [tháng 7|DATE]")
    results = [replace_dates(document, 0.5, Random(seed)) is document for seed in range(100)]
    assert 30 < sum(results) < 70
