"""Words a second as bars, an SVG that stays the same byte for byte while the figures do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from speed.catalogue import ALL, ENTITIES

# Paul Tol's bright scheme: told apart by colour-blind readers too.
_COLOURS = {ALL: "#4477AA", ENTITIES: "#CCBB44"}
_INK = "#333333"
_STYLE = {
    "svg.hashsalt": "quanhe",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#999999",
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "savefig.facecolor": "white",
}


def draw(results: Mapping[str, Any], path: Path) -> None:
    """Bars from the fastest to the slowest; the line through a bar's end goes from the slowest round to the fastest."""
    rows = sorted(results["rows"], key=lambda row: row["words_per_second"])
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(8, 0.9 + 0.32 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        speeds = [row["words_per_second"] for row in rows]
        errors = [
            [row["words_per_second"] - row["slowest_round"] for row in rows],
            [row["fastest_round"] - row["words_per_second"] for row in rows],
        ]
        colours = [_COLOURS.get(row["finds"], "#BBBBBB") for row in rows]
        axes.barh(range(len(rows)), speeds, color=colours, xerr=errors, ecolor=_INK, error_kw={"linewidth": 0.8})
        axes.set_yticks(range(len(rows)), [row["title"] for row in rows])
        axes.set_xscale("log")
        axes.set_xlim(min(speeds) / 2, max(speeds) * 2.2)
        axes.set_xlabel("words a second (log scale)")
        for place, row in enumerate(rows):
            axes.annotate(
                f"{row['words_per_second']:,.0f}",
                (row["fastest_round"], place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
            )
        shown = [Patch(color=colour, label=finds) for finds, colour in _COLOURS.items()]
        axes.legend(handles=shown, loc="lower right", fontsize=8)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
