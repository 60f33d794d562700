"""``report.json``, ``report.md`` and ``report.html``: systems side by side and every error in its sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict

from pipeline.config import EvaluationConfig
from pipeline.errors import QuanheError
from pipeline.evaluation import tables
from pipeline.evaluation.bootstrap import Difference
from pipeline.evaluation.charts import chart, rate_chart
from pipeline.evaluation.entities import NOTHING
from pipeline.evaluation.markdown import LEGEND, markdown_errors
from pipeline.evaluation.misses import (
    ENTITY_KINDS,
    FACT_KINDS,
    NEGATIVE_KINDS,
    RELATION_KINDS,
    Miss,
    MissGroup,
    entity_misses,
    fact_misses,
    group_misses,
    negative_misses,
    relation_misses,
)
from pipeline.evaluation.negatives import NegativeReadings, score_negatives
from pipeline.evaluation.pairs import Pair
from pipeline.evaluation.relations import SeenPairs
from pipeline.evaluation.scores import DEFAULT_SEED, Scores, compare, score_system
from pipeline.schema import Schema


class Report(BaseModel):
    """What ``report.json`` holds.

    Attributes:
        about: free lines on what was evaluated, e.g. model, data, config hash.
        articles: ids, in order.
        resamples, confidence, seed: of the bootstrap.
        systems: name → scores; the first is the one that the report is about.
        differences: other system → measure → F1 of the first minus F1 of the other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: dict[str, str]
    articles: list[str]
    resamples: int
    confidence: float
    seed: int
    systems: dict[str, Scores]
    differences: dict[str, dict[str, Difference]]


@dataclass(frozen=True, slots=True)
class ErrorPart:
    """The errors of one system in entities, relations, facts or hard negatives, ready to be shown.

    Attributes:
        slug: prefix of the anchors.
        kinds: kind → what it means, only those that occur.
        types: only those that occur, in the schema's order.
    """

    title: str
    slug: str
    kinds: dict[str, str]
    types: tuple[str, ...]
    groups: tuple[MissGroup, ...]

    @property
    def number(self) -> int:
        return sum(len(group.misses) for group in self.groups)

    def count(self, kind: str = "", type: str = "") -> int:
        """Errors of a kind, of a type, or of both."""
        return sum(len(g.misses) for g in self.groups if kind in ("", g.kind) and type in ("", g.type))


def write_report(
    folder: str | Path,
    systems: Mapping[str, Sequence[Pair]],
    schema: Schema,
    settings: EvaluationConfig,
    *,
    seen_pairs: SeenPairs | None = None,
    on_gold: Mapping[str, Sequence[Pair]] | None = None,
    negatives: NegativeReadings | None = None,
    seed: int = DEFAULT_SEED,
    title: str = "quanhe: evaluation",
    about: Mapping[str, str] | None = None,
) -> Report:
    """Score every system, compare the first with the others, and write the three files.

    Args:
        folder: made when it does not exist; files of an earlier report in it are replaced.
        systems: name → every article as (gold, predicted). Errors are listed for the first one.
        schema: order of the types, and which relations have no direction.
        settings: of the bootstrap.
        seen_pairs: see ``score_system``; one for all systems, which share their training data.
        on_gold: name → the same articles with relations predicted between gold mentions.
        negatives: the held-back articles with hard negatives as every system read them.
        seed: of the bootstrap.
        title: heading of the report.
        about: lines to show under the heading, name → text.

    Raises:
        QuanheError: no system is given, the pairs cannot be scored, or a file cannot be written.
    """
    if not systems:
        raise QuanheError("nothing to report: give write_report at least one system")
    report = make_report(
        systems,
        schema,
        settings,
        seen_pairs=seen_pairs,
        on_gold=on_gold or {},
        negatives=negatives,
        seed=seed,
        about=about or {},
    )
    parts = error_parts(next(iter(systems)), systems, schema, negatives)
    contents = {
        "report.json": json.dumps(report.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n",
        "report.md": render_markdown(report, parts, title),
        "report.html": render_html(report, parts, title),
    }
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8", newline="\n")
    except OSError as error:
        raise QuanheError(f"{error.filename}: cannot be written ({error.strerror}); choose another folder") from error
    return report


def make_report(
    systems: Mapping[str, Sequence[Pair]],
    schema: Schema,
    settings: EvaluationConfig,
    *,
    seen_pairs: SeenPairs | None,
    on_gold: Mapping[str, Sequence[Pair]],
    negatives: NegativeReadings | None,
    seed: int,
    about: Mapping[str, str],
) -> Report:
    """Scores and differences without writing anything; arguments as for ``write_report``."""
    scores = {
        name: score_system(
            pairs,
            schema,
            settings,
            seen_pairs=seen_pairs,
            on_gold=on_gold.get(name),
            negatives=score_negatives(negatives, name, schema, settings.confidence) if negatives else None,
            seed=seed,
        )
        for name, pairs in systems.items()
    }
    first, *others = scores
    return Report(
        about=dict(about),
        articles=[gold.id for gold, _ in systems[first]],
        resamples=settings.resamples,
        confidence=settings.confidence,
        seed=seed,
        systems=scores,
        differences={name: compare(scores[first], scores[name], settings, seed) for name in others},
    )


def error_parts(
    system: str, systems: Mapping[str, Sequence[Pair]], schema: Schema, negatives: NegativeReadings | None = None
) -> list[ErrorPart]:
    """All errors of one system; without relations in the schema only those of entities."""
    pairs, types = systems[system], list(schema.relations)
    parts = [_error_part("Entity errors", ENTITY_KINDS, list(schema.entities), entity_misses(pairs, schema))]
    if schema.relations:
        parts.append(_error_part("Relation errors", RELATION_KINDS, types, relation_misses(pairs, schema)))
        parts.append(_error_part("Fact errors", FACT_KINDS, types, fact_misses(pairs, schema)))
    if negatives:
        misses = negative_misses(negatives, system, schema)
        parts.append(_error_part("Hard negatives linked", NEGATIVE_KINDS, types, misses))
    return parts


def _error_part(title: str, kinds: Mapping[str, str], types: Sequence[str], misses: Sequence[Miss]) -> ErrorPart:
    groups = group_misses(misses, kinds, types)
    present = {group.type for group in groups}
    ordered = [kind for kind in types if kind in present] + sorted(present - set(types))
    occurring = {kind: about for kind, about in kinds.items() if any(group.kind == kind for group in groups)}
    return ErrorPart(title, slug(title.lower()), occurring, tuple(ordered), tuple(groups))


def render_markdown(report: Report, parts: Sequence[ErrorPart], title: str) -> str:
    """The text of ``report.md``."""
    first = next(iter(report.systems))
    lines = [f"# {title}", ""]
    lines += [f"- {tables.markdown_escape(name)}: {tables.markdown_escape(text)}" for name, text in facts_of(report)]
    lines += ["", "## Scores", "", tables.markdown_tables(report.systems, report.confidence)]
    differences = tables.markdown_differences(first, report.differences, report.confidence)
    if differences:
        lines += ["### Differences", "", differences]
    lines += [f"## Errors of {tables.markdown_escape(first)}", "", LEGEND, ""]
    lines += [markdown_errors(part.title, part.groups, part.kinds) for part in parts]
    return "\n".join(lines)


def facts_of(report: Report) -> list[tuple[str, str]]:
    """The lines under the heading: what the caller says, then articles and intervals."""
    percent = f"{100 * report.confidence:g} %"
    return [
        *report.about.items(),
        ("articles", str(len(report.articles))),
        (
            "intervals",
            f"{percent} bootstrap percentile intervals by article, {report.resamples} resamples, seed {report.seed}"
            + ("; Wilson intervals on hard negatives" if tables.rate_sections(report.systems) else ""),
        ),
    ]


def render_html(report: Report, parts: Sequence[ErrorPart], title: str) -> str:
    """The text of ``report.html``: one file without scripts or anything loaded from elsewhere."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": tables.format_share,
        "interval": tables.format_interval,
        "difference": tables.format_difference,
        "slug": slug,
    }
    sections = tables.score_sections(report.systems)
    rate_sections = tables.rate_sections(report.systems)
    names = list(report.systems)
    page: str = environment.get_template("report.html").render(
        title=title,
        report=report,
        names=names,
        about=facts_of(report),
        sections=sections,
        rate_sections=rate_sections,
        negatives_title=tables.NEGATIVES_TITLE,
        negatives_about=tables.NEGATIVES_ABOUT,
        charts=[chart(section, names) for section in sections],
        rate_charts=[rate_chart(section, names) for section in rate_sections],
        confusion=report.systems[names[0]].entities.confusion,
        confusion_types=_confusion_types(report.systems[names[0]]),
        nothing=NOTHING,
        parts=parts,
    )
    return page


def _confusion_types(scores: Scores) -> list[str]:
    """The types that occur in the confusion table, in the order of the schema, then the missing side."""
    cells = scores.entities.confusion
    present = set(cells) | {kind for row in cells.values() for kind in row}
    return [kind for kind in [*scores.entities.strict.types, NOTHING] if kind in present]


def slug(text: str) -> str:
    """Text as part of an HTML id: letters and digits kept, everything else a hyphen."""
    return re.sub(r"[^\w]+", "-", text).strip("-") or "x"
