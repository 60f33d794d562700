"""Bar charts of F1 and of false relations by type: the geometry of an inline SVG, which the report's template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.evaluation.negatives import Rate
from pipeline.evaluation.scores import Score
from pipeline.evaluation.tables import RateSection, Section, format_f1, format_rate

_LABEL_WIDTH = 210
_PLOT_WIDTH = 470
_VALUE_WIDTH = 60
_BAR = 13
_BAR_GAP = 3
_ROW_GAP = 12
_TOP = 8
_AXIS = 26


@dataclass(frozen=True, slots=True)
class Bar:
    """One system's share of one type; ``width`` and the interval's ends in user units, ``None`` where undefined."""

    system: int
    y: float
    width: float | None
    low: float | None
    high: float | None
    value: str
    title: str


@dataclass(frozen=True, slots=True)
class BarGroup:
    """The bars of one type, with the height of the middle of its label."""

    label: str
    strong: bool
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the template needs to draw; x of the plot's left edge is ``left``, ``ticks`` are (x, label)."""

    title: str
    width: float
    height: float
    left: float
    bottom: float
    bar: float
    ticks: tuple[tuple[float, str], ...]
    groups: tuple[BarGroup, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """A share in [0, 1] with its interval, and the words that explain it."""

    share: float | None
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True, slots=True)
class _Line:
    """One label with a value for each system."""

    label: str
    strong: bool
    values: tuple[_Value, ...]


def chart(section: Section, names: Sequence[str]) -> Chart:
    """The overall score and each type's as bars from 0 to 1, one a system, with the interval as a line."""
    lines = [
        _Line(
            f"{row.label} ({row.gold})",
            not row.by_type,
            tuple(_f1_value(s, f"{row.label}, {n}", row.gold) for n, s in zip(names, row.scores, strict=True)),
        )
        for index, row in enumerate(section.rows)
        if row.by_type or index == 0
    ]
    return _draw(section.title, lines, len(names))


def rate_chart(section: RateSection, names: Sequence[str]) -> Chart:
    """The shares of false relations in the same form."""
    lines = [
        _Line(
            f"{row.label} ({row.pairs})",
            not row.by_type,
            tuple(_rate_value(r, f"{row.label}, {n}") for n, r in zip(names, row.rates, strict=True)),
        )
        for index, row in enumerate(section.rows)
        if row.by_type or index == 0
    ]
    return _draw(section.title, lines, len(names))


def _f1_value(score: Score | None, what: str, gold: int) -> _Value:
    f1, low, high = (score.f1, score.low, score.high) if score else (None, None, None)
    return _Value(f1, low, high, f"{what}: {format_f1(score)}, {gold} gold")


def _rate_value(rate: Rate | None, what: str) -> _Value:
    share, low, high = (rate.rate, rate.low, rate.high) if rate else (None, None, None)
    return _Value(share, low, high, f"{what}: {format_rate(rate)}, {rate.pairs if rate else 0} pairs")


def _draw(title: str, lines: Sequence[_Line], systems: int) -> Chart:
    groups = []
    y = float(_TOP)
    for line in lines:
        groups.append(_group(line, y, systems))
        y += systems * (_BAR + _BAR_GAP) + _ROW_GAP
    ticks = tuple((_LABEL_WIDTH + _PLOT_WIDTH * share, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1))
    width = _LABEL_WIDTH + _PLOT_WIDTH + _VALUE_WIDTH
    return Chart(title, width, y + _AXIS, _LABEL_WIDTH, y, _BAR, ticks, tuple(groups))


def _group(line: _Line, top: float, systems: int) -> BarGroup:
    bars = [
        Bar(
            system=index,
            y=top + index * (_BAR + _BAR_GAP),
            width=_units(value.share),
            low=_units(value.low),
            high=_units(value.high),
            value="–" if value.share is None else f"{value.share:.2f}",
            title=value.text,
        )
        for index, value in enumerate(line.values)
    ]
    middle = top + (systems * (_BAR + _BAR_GAP) - _BAR_GAP) / 2
    return BarGroup(line.label, line.strong, middle, tuple(bars))


def _units(share: float | None) -> float | None:
    return None if share is None else round(share * _PLOT_WIDTH, 1)
