"""Bar charts of F1 by type: the geometry of an inline SVG, which the report's template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.evaluation.tables import Row, Section, format_f1

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
    """One system's F1 of one type; ``width`` and the interval's ends in user units, ``None`` where undefined."""

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


def chart(section: Section, names: Sequence[str]) -> Chart:
    """The overall score and each type's as bars from 0 to 1, one a system, with the interval as a line."""
    rows = [row for index, row in enumerate(section.rows) if row.by_type or index == 0]
    groups = []
    y = float(_TOP)
    for row in rows:
        groups.append(_group(row, y, names))
        y += len(names) * (_BAR + _BAR_GAP) + _ROW_GAP
    ticks = tuple((_LABEL_WIDTH + _PLOT_WIDTH * share, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1))
    width = _LABEL_WIDTH + _PLOT_WIDTH + _VALUE_WIDTH
    return Chart(section.title, width, y + _AXIS, _LABEL_WIDTH, y, _BAR, ticks, tuple(groups))


def _group(row: Row, top: float, names: Sequence[str]) -> BarGroup:
    bars = []
    for index, (name, score) in enumerate(zip(names, row.scores, strict=True)):
        f1, low, high = (score.f1, score.low, score.high) if score else (None, None, None)
        bars.append(
            Bar(
                system=index,
                y=top + index * (_BAR + _BAR_GAP),
                width=_units(f1),
                low=_units(low),
                high=_units(high),
                value="–" if f1 is None else f"{f1:.2f}",
                title=f"{row.label}, {name}: {format_f1(score)}, {row.gold} gold",
            )
        )
    middle = top + (len(names) * (_BAR + _BAR_GAP) - _BAR_GAP) / 2
    return BarGroup(f"{row.label} ({row.gold})", not row.by_type, middle, tuple(bars))


def _units(share: float | None) -> float | None:
    return None if share is None else round(share * _PLOT_WIDTH, 1)
