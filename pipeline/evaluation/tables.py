"""Score tables: one list of rows, shown as plain text (rich), Markdown or HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from pipeline.evaluation.bootstrap import Difference
from pipeline.evaluation.negatives import FalseRelations, Rate
from pipeline.evaluation.scores import RelationScores, Score, Scores, Table

UNDEFINED = "–"
NEGATIVES_TITLE = "False relations on hard negatives"
NEGATIVES_ABOUT = (
    "Pairs that merely occur together in held-back articles, and the share of them linked all the same. Less is "
    "better, but a system that links nothing has no false relation: read it beside the recall of relations."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a score table: the scores of the systems side by side.

    Attributes:
        by_type: a row of one type, under the overall row of its measure.
        gold: how many there were to find.
    """

    label: str
    by_type: bool
    gold: int
    scores: tuple[Score | None, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of entities, relations or facts."""

    title: str
    rows: tuple[Row, ...]


def score_sections(systems: Mapping[str, Scores]) -> list[Section]:
    """All scores, by section; a section that no system has is left out."""
    sections = [
        Section(
            "Entities",
            (
                *_table_rows("strict", [s.entities.strict for s in systems.values()]),
                *_score_row("partial (same type, overlap)", [s.entities.partial.micro for s in systems.values()]),
                *_score_row("span only (type ignored)", [s.entities.spans for s in systems.values()]),
            ),
        ),
        Section("Relations, mention level", _relation_rows(systems, lambda scores: scores.relations)),
        Section("Relations between gold mentions", _relation_rows(systems, lambda scores: scores.relations_on_gold)),
        Section("Facts, article level", _table_rows("all facts", [s.facts for s in systems.values()])),
    ]
    return [section for section in sections if section.rows]


@dataclass(frozen=True, slots=True)
class RateRow:
    """Shares of false relations side by side."""

    label: str
    by_type: bool
    rates: tuple[Rate | None, ...]

    @property
    def pairs(self) -> str:
        """How many each is of: ``296``, or ``251–255`` where the systems differ."""
        numbers = sorted({rate.pairs for rate in self.rates if rate})
        return f"{numbers[0]}–{numbers[-1]}" if len(numbers) > 1 else "".join(map(str, numbers))


@dataclass(frozen=True, slots=True)
class RateSection:
    """The rows of one way of reading the hard negatives."""

    title: str
    rows: tuple[RateRow, ...]


def rate_sections(systems: Mapping[str, Scores]) -> list[RateSection]:
    """False relations on hard negatives by way of reading; none when no system was scored on any."""
    read = {name: scores.negatives.by_reading if scores.negatives else {} for name, scores in systems.items()}
    titles = dict.fromkeys(title for tables in read.values() for title in tables)
    return [RateSection(title, _rate_rows([tables.get(title) for tables in read.values()])) for title in titles]


def _rate_rows(tables: Sequence[FalseRelations | None]) -> tuple[RateRow, ...]:
    types = dict.fromkeys(kind for table in tables if table for kind in table.types)
    rows = [RateRow("all pairs", False, tuple(table.micro if table else None for table in tables))]
    if any(table.found.pairs < table.micro.pairs for table in tables if table):
        rows.append(RateRow("pairs whose ends were found", False, tuple(t.found if t else None for t in tables)))
    rows += [RateRow(kind, True, tuple(t.types.get(kind) if t else None for t in tables)) for kind in types]
    return tuple(rows)


def _relation_rows(systems: Mapping[str, Scores], part: Callable[[Scores], RelationScores | None]) -> tuple[Row, ...]:
    parts = [part(scores) for scores in systems.values()]
    rows = _table_rows("strict", [p.strict if p else None for p in parts])
    return rows + _score_row("pairs never seen in training", [p.unseen if p else None for p in parts])


def _table_rows(label: str, tables: Sequence[Table | None]) -> tuple[Row, ...]:
    """The overall row, then one row a type that any system's table has."""
    types = list(dict.fromkeys(kind for table in tables if table for kind in table.types))
    rows = _score_row(label, [table.micro if table else None for table in tables])
    for kind in types:
        rows += _score_row(kind, [table.types.get(kind) if table else None for table in tables], by_type=True)
    return rows


def _score_row(label: str, scores: Sequence[Score | None], by_type: bool = False) -> tuple[Row, ...]:
    gold = max((score.gold for score in scores if score), default=None)
    return () if gold is None else (Row(label, by_type, gold, tuple(scores)),)


def format_share(value: float | None) -> str:
    """``0.812``, or a dash for what is undefined."""
    return UNDEFINED if value is None else f"{value:.3f}"


def format_interval(low: float | None, high: float | None, sign: str = "") -> str:
    """``[0.771–0.848]``; with ``sign="+"`` the bounds carry signs and stand apart: ``[-0.010, +0.031]``."""
    if low is None or high is None:
        return ""
    return f"[{low:+.3f}, {high:+.3f}]" if sign else f"[{low:.3f}–{high:.3f}]"


def format_f1(score: Score | None) -> str:
    """``0.812 [0.771–0.848]``."""
    if score is None:
        return UNDEFINED
    return f"{format_share(score.f1)} {format_interval(score.low, score.high)}".strip()


def format_rate(rate: Rate | None) -> str:
    """``0.105 [0.075–0.145]``."""
    return UNDEFINED if rate is None else f"{format_share(rate.rate)} {format_interval(rate.low, rate.high)}".strip()


def format_difference(difference: Difference) -> str:
    """``+0.120 [+0.050, +0.203]``."""
    if difference.value is None:
        return UNDEFINED
    return f"{difference.value:+.3f} {format_interval(difference.low, difference.high, sign='+')}".strip()


def rich_table(systems: Mapping[str, Scores], confidence: float) -> RichTable:
    """The table for a terminal: F1 with its interval for each system; precision and recall too when there is one."""
    detailed = len(systems) == 1
    table = RichTable(box=box.SIMPLE, pad_edge=False, header_style="bold")
    table.add_column(Text(""))
    table.add_column(Text("gold"), justify="right")
    for name in systems:
        for title in ["P", "R"] if detailed else []:
            table.add_column(Text(title), justify="right")
        table.add_column(Text(f"{name}\nF1 [{_percent(confidence)}]"), no_wrap=True)
    for section in score_sections(systems):
        table.add_section()
        table.add_row(Text(section.title, style="bold"))
        for row in section.rows:
            cells = [Text(f"{'    ' if row.by_type else '  '}{row.label}"), Text(str(row.gold))]
            for score in row.scores:
                if detailed:
                    cells += [Text(format_share(value)) for value in _precision_recall(score)]
                cells.append(Text(format_f1(score), style="" if row.by_type else "bold"))
            table.add_row(*cells)
    return table


def print_table(systems: Mapping[str, Scores], confidence: float) -> None:
    """Print the scores and the false relations on stdout, wide enough to be read when stdout is no terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=60 + 26 * len(systems))
    console.print(rich_table(systems, confidence))
    if rate_sections(systems):
        console.print(rich_rate_table(systems, confidence))


def rich_rate_table(systems: Mapping[str, Scores], confidence: float) -> RichTable:
    """False relations for a terminal: for each system how many pairs were linked, and their share."""
    table = RichTable(title=NEGATIVES_TITLE, title_justify="left", box=box.SIMPLE, pad_edge=False, header_style="bold")
    table.add_column(Text(""))
    table.add_column(Text("pairs"), justify="right")
    for name in systems:
        table.add_column(Text("false"), justify="right")
        table.add_column(Text(f"{name}\nshare [{_percent(confidence)}]"), no_wrap=True)
    for section in rate_sections(systems):
        table.add_section()
        table.add_row(Text(section.title, style="bold"))
        for row in section.rows:
            cells = [Text(f"{'    ' if row.by_type else '  '}{row.label}"), Text(row.pairs)]
            for rate in row.rates:
                cells += [Text(str(rate.false) if rate else UNDEFINED)]
                cells.append(Text(format_rate(rate), style="" if row.by_type else "bold"))
            table.add_row(*cells)
    return table


def markdown_tables(systems: Mapping[str, Scores], confidence: float) -> str:
    """The same as Markdown, one table a section, with precision and recall of every system; then false relations."""
    parts = []
    for section in score_sections(systems):
        header = ["", "gold"]
        for name in systems:
            header += [f"{name} P", "R", f"F1 [{_percent(confidence)}]"]
        lines = [_markdown_row(header), _markdown_row(["---", *["---:"] * (len(header) - 1)])]
        for row in section.rows:
            cells = [_markdown_label(row), str(row.gold)]
            for score in row.scores:
                cells += [*(format_share(value) for value in _precision_recall(score)), format_f1(score)]
            lines.append(_markdown_row(cells, escape=False))
        parts.append(f"### {section.title}\n\n" + "\n".join(lines))
    parts += _markdown_rates(systems, confidence)
    return "\n\n".join(parts) + "\n"


def _markdown_rates(systems: Mapping[str, Scores], confidence: float) -> list[str]:
    """Heading and a table for each way of reading the hard negatives, or nothing."""
    parts = []
    for section in rate_sections(systems):
        header = [section.title, "pairs"]
        for name in systems:
            header += [f"{name} false", f"share [{_percent(confidence)}]"]
        lines = [_markdown_row(header), _markdown_row(["---", *["---:"] * (len(header) - 1)])]
        for row in section.rows:
            cells = [_markdown_label(row), row.pairs]
            for rate in row.rates:
                cells += [str(rate.false) if rate else UNDEFINED, format_rate(rate)]
            lines.append(_markdown_row(cells, escape=False))
        parts.append("\n".join(lines))
    return [f"### {NEGATIVES_TITLE}\n\n{NEGATIVES_ABOUT}", *parts] if parts else []


def _markdown_label(row: Row | RateRow) -> str:
    return markdown_escape(row.label) if row.by_type else f"**{markdown_escape(row.label)}**"


def markdown_differences(first: str, differences: Mapping[str, Mapping[str, Difference]], confidence: float) -> str:
    """A table of the first system's F1 minus each other's; empty when there is no other."""
    if not differences:
        return ""
    measures = list(dict.fromkeys(measure for row in differences.values() for measure in row))
    lines = [_markdown_row([f"F1 difference [{_percent(confidence)}]", *measures])]
    lines.append(_markdown_row(["---", *["---:"] * len(measures)]))
    for other, row in differences.items():
        cells = [format_difference(row[measure]) if measure in row else UNDEFINED for measure in measures]
        lines.append(_markdown_row([f"{first} − {other}", *cells]))
    return "\n".join(lines) + "\n"


def markdown_escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line; an underscore inside a word needs no escape there."""
    return re.sub(r"([\\`*{}\[\]<>#|~&]|(?<!\w)_|_(?!\w))", r"\\\1", " ".join(text.split()))


def _markdown_row(cells: Sequence[str], escape: bool = True) -> str:
    shown = [cell.replace("|", "\\|") for cell in cells] if escape else list(cells)
    return f"| {' | '.join(shown)} |"


def _precision_recall(score: Score | None) -> tuple[float | None, float | None]:
    return (score.precision, score.recall) if score else (None, None)


def _percent(confidence: float) -> str:
    return f"{100 * confidence:g} %"
