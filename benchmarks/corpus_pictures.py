"""Pictures of the labelled corpus, as SVG that stays the same byte for byte while the corpus does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
from babel import Locale
from corpus_counts import HELD_BACK, KINDS, Article, Counts, country_articles
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.errors import QuanheError
from pipeline.schema import Schema

# Paul Tol's bright scheme: told apart by colour-blind readers too.
COLOURS = {"train": "#4477AA", "dev": "#CCBB44", "test": "#228833", HELD_BACK: "#EE6677"}
INK = "#333333"
STYLE = {
    "svg.hashsalt": "quanhe",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#999999",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "savefig.facecolor": "white",
}
# Panels that lie as on a map: columns from west to east, in each from north to south.
REGIONS = {
    "Americas": "CA US MX CU PA CO VE PE BO BR CL AR",
    "Northern and western Europe": "IS NO SE FI DK EE LV LT IE GB NL BE LU DE AT CH LI FR MC",
    "Africa": "MA DZ TN LY EG SD SS ET ER DJ SO KE UG RW BI TZ CD CG CF TD CM GA NG NE ML BF SN GH CI GN LR SL BJ TG "
    "GM MR AO ZM MW MZ ZW BW NA ZA LS SZ MG MU SC",
    "Southern and eastern Europe": "ES PT IT MT PL CZ SK HU SI HR BA RS ME XK AL MK GR RO BG MD UA BY RU",
    "Middle East, Caucasus": "TR CY SY LB IL PS JO IQ IR KW SA QA BH AE OM YE GE AM AZ",
    "Central and South Asia": "KZ UZ TM KG TJ AF PK IN NP BT BD LK MV",
    "East Asia": "MN CN KP KR JP TW HK MO",
    "South-East Asia": "VN LA KH TH MM MY SG BN ID PH TL",
    "Oceania": "AU NZ PG FJ TO WS SB VU PW FM MH KI NR TV",
}
COLUMNS = (
    ("Americas",),
    ("Northern and western Europe", "Africa"),
    ("Southern and eastern Europe", "Middle East, Caucasus"),
    ("Central and South Asia",),
    ("East Asia", "South-East Asia", "Oceania"),
)
SHORT_NAMES = {"CF": "Central African Rep.", "MM": "Myanmar", "PS": "Palestine", "AE": "UAE"}
# Việt Nam stands in most articles; its bar is cut here so that the others can be told apart.
LONGEST_BAR = 80
# In inches: the height of a bar with its gap, the width of a column and of the names in it.
ROW, COLUMN, NAMES = 0.175, 2.75, 1.25


def draw_all(articles: Sequence[Article], counts: Mapping[str, Counts], schema: Schema, folder: Path) -> list[Path]:
    """Draw every picture into a folder; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    authored = [article for article in articles if article.authored]
    paths = []
    with matplotlib.rc_context(STYLE):
        figures = {
            "mentions": draw_mentions(counts, schema),
            "relations": draw_relations(counts, schema),
            "kinds": draw_kinds(authored),
            "countries": draw_countries(authored),
            "lengths": draw_lengths(articles),
        }
        for name, figure in figures.items():
            paths.append(folder / f"{name}.svg")
            figure.savefig(paths[-1], bbox_inches="tight", metadata={"Date": None})
    return paths


def _axes(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height))
    axes = figure.subplots()
    axes.set_title(title, pad=12)
    axes.tick_params(length=0)
    return figure, axes


def _stacked(
    axes: Axes,
    labels: Sequence[str],
    parts: Mapping[str, Sequence[int]],
    colours: Mapping[str, str],
    remarks: Sequence[str] = (),
) -> None:
    """Horizontal bars, the first label at the top, with the sum and a remark at the end of each."""
    rows = range(len(labels))
    left = [0] * len(labels)
    for part, values in parts.items():
        axes.barh(rows, values, left=left, color=colours[part], height=0.72, label=part)
        left = [start + value for start, value in zip(left, values, strict=True)]
    for row, end, remark in zip(rows, left, remarks or [""] * len(labels), strict=True):
        axes.text(end + max(left) * 0.008, row, f"{end}{remark}", va="center", fontsize=8)
    axes.set_xlim(0, max(left) * (1.2 if remarks else 1.08))
    axes.set_yticks(list(rows), labels)
    axes.invert_yaxis()
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="#E5E5E5", linewidth=0.7)
    axes.set_axisbelow(True)


def draw_mentions(counts: Mapping[str, Counts], schema: Schema) -> Figure:
    """Mentions per type, by split."""
    figure, axes = _axes(7.6, 3.8, "Mentions by type and split")
    kinds = sorted(schema.entities, key=lambda kind: -sum(c.mentions[kind] for c in counts.values()))
    _stacked(axes, kinds, {part: [c.mentions[k] for k in kinds] for part, c in counts.items()}, COLOURS)
    axes.legend(loc="lower right")
    return figure


def draw_relations(counts: Mapping[str, Counts], schema: Schema) -> Figure:
    """Relations per type over all splits: within a sentence and across sentences."""
    figure, axes = _axes(7.6, 4.2, "Relations by type: within a sentence and across sentences")
    total = {kind: sum(c.relations[kind] for c in counts.values()) for kind in schema.relations}
    crossing = {kind: sum(c.crossing[kind] for c in counts.values()) for kind in schema.relations}
    kinds = sorted(total, key=lambda kind: -total[kind])
    parts = {
        "one sentence": [total[kind] - crossing[kind] for kind in kinds],
        "across sentences": [crossing[kind] for kind in kinds],
    }
    colours = {"one sentence": COLOURS["train"], "across sentences": COLOURS[HELD_BACK]}
    _stacked(axes, kinds, parts, colours, [f", {crossing[kind] / total[kind]:.0%} across" for kind in kinds])
    axes.legend(loc="lower right")
    return figure


def draw_kinds(authored: Sequence[Article]) -> Figure:
    """Authored articles by kind, by split; an article of two kinds stands in both bars."""
    figure, axes = _axes(7.6, 6.4, "Authored articles by kind (some are of two kinds)")
    tables = {part: Counter(k for a in authored if a.part == part for k in a.kinds) for part in COLOURS}
    kinds = sorted(KINDS, key=lambda kind: -sum(table[kind] for table in tables.values()))
    _stacked(axes, [KINDS[kind] for kind in kinds], {p: [t[k] for k in kinds] for p, t in tables.items()}, COLOURS)
    axes.legend(loc="lower right")
    return figure


def draw_countries(authored: Sequence[Article]) -> Figure:
    """Countries by the number of authored articles that name them, in panels that lie as regions do on a map."""
    articles = country_articles(authored)
    if homeless := {code for code in articles if len(code) == 2} - set(" ".join(REGIONS.values()).split()):
        raise QuanheError(f"no region for {', '.join(sorted(homeless))}; add it to REGIONS in {Path(__file__).name}")
    regions = {region: _region(articles, codes.split()) for region, codes in REGIONS.items()}
    height = max(sum(len(regions[region]) + 2 for region in column) for column in COLUMNS) * ROW + 0.5
    width = len(COLUMNS) * COLUMN
    figure = Figure(figsize=(width, height))
    total = sum(len(code) == 2 for code in articles)
    title = f"{total} countries in {len(authored)} authored articles: how many articles name each"
    figure.text(0, 1, title, ha="left", va="top", fontsize=11, fontweight="bold")
    for place, column in enumerate(COLUMNS):
        top = height - 0.5
        for region in column:
            size = len(regions[region]) * ROW
            left, bottom = place * COLUMN + NAMES, top - ROW - size
            box = (left / width, bottom / height, (COLUMN - NAMES) / width, size / height)
            _panel(figure.add_axes(box), region, regions[region])
            top = bottom - ROW
    return figure


def _region(articles: Mapping[str, int], codes: Sequence[str]) -> list[tuple[str, int]]:
    return sorted(((code, articles[code]) for code in codes if articles.get(code)), key=lambda row: (-row[1], row[0]))


def _panel(axes: Axes, region: str, rows: Sequence[tuple[str, int]]) -> None:
    """One region: a bar a country, all panels on one scale."""
    names = {**Locale.parse("en").territories, **SHORT_NAMES}
    axes.set_title(region, fontsize=9.5, pad=3)
    for place, (_, articles) in enumerate(rows):
        shown = min(articles, LONGEST_BAR)
        axes.barh(place, shown, color=COLOURS["train"], height=0.74)
        cut = " (cut)" if articles > LONGEST_BAR else ""
        axes.text(shown + 1, place, f"{articles}{cut}", va="center", fontsize=7)
    axes.set_yticks(range(len(rows)), [names[code] for code, _ in rows], fontsize=7.5)
    axes.set_xlim(0, LONGEST_BAR * 1.3)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for spine in ("left", "bottom"):
        axes.spines[spine].set_visible(False)


def draw_lengths(articles: Sequence[Article]) -> Figure:
    """How long the articles are."""
    figure, axes = _axes(7.6, 3.2, "Length of the articles, in words (syllables)")
    groups = {
        "authored, train": ([a.words for a in articles if a.authored and a.part == "train"], COLOURS["train"]),
        "authored, dev and test": ([a.words for a in articles if a.part in ("dev", "test")], COLOURS["test"]),
        "authored, held back": ([a.words for a in articles if a.part == HELD_BACK], COLOURS[HELD_BACK]),
        "seeds": ([a.words for a in articles if not a.authored], "#AA3377"),
    }
    longest = max(article.words for article in articles)
    bins = [edge + 0.5 for edge in range(150, longest + 25, 25)]
    kept = {name: group for name, group in groups.items() if group[0]}
    axes.hist(
        [words for words, _ in kept.values()], bins, stacked=True, color=[c for _, c in kept.values()], label=list(kept)
    )
    for limit in (150, 450):
        axes.axvline(limit + 0.5, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_ylabel("articles")
    axes.set_xlabel("dashed: 150 and 450; later articles were made longer on purpose")
    axes.grid(axis="y", color="#E5E5E5", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(loc="upper right")
    return figure
