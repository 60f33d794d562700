"""``quanhe suggest``: which unlabelled articles teach a model most, labelled by it as far as it can."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, get_args

import typer

from pipeline.config import load_config
from pipeline.data.overlap import NEAR_DUPLICATE, overlaps, shingles
from pipeline.document import Document
from pipeline.errors import Problem, QuanheError
from pipeline.inputs.records import DEFAULT_NAMES, FieldNames, Record, Skipped
from pipeline.inputs.sources import KNOWN_SUFFIXES, check_arguments, read_items
from pipeline.interchange import brat, doccano, label_studio
from pipeline.interchange.articles import Notes, Options
from pipeline.interchange.files import check_target, staged
from pipeline.interchange.label_config import doccano_labels, label_studio_config
from pipeline.manifest import Manifest, text_hash
from pipeline.outputs.batch import print_report
from pipeline.outputs.progress import ProgressLine
from pipeline.schema import Schema

if TYPE_CHECKING:  # torch comes with it, and a command line with a mistake should not wait for that
    from pipeline.uncertainty import Measure, UncertainExtractor, Uncertainty

Tool = Literal["brat", "label-studio", "doccano"]
NameT = TypeVar("NameT", bound=str)
TOOLS: tuple[Tool, ...] = get_args(Tool)
MEASURES: tuple[Measure, ...] = ("entropy", "confidence", "margin")
_COLUMNS = (
    "rank",
    "id",
    "place",
    "words",
    "per_word",
    "mentions",
    "facts",
    "found_mentions",
    "found_relations",
    "chosen",
)


@dataclass(slots=True)
class Ranked:
    """An article in the ranking.

    Attributes:
        place: file, or file and line, that it was read from.
        copy_of: the id of a chosen article that says nearly the same in the same words.
    """

    document: Document
    uncertainty: Uncertainty
    place: str = ""
    copy_of: str = ""
    chosen: bool = False


@dataclass(slots=True)
class Suggestion:
    """What came of it: the whole ranking, most uncertain first, and what was left out of it."""

    ranking: list[Ranked]
    notes: Notes = field(default_factory=Counter)
    failed: int = 0

    @property
    def chosen(self) -> list[Ranked]:
        return [item for item in self.ranking if item.chosen]


def rank(
    extractor: UncertainExtractor,
    documents: Sequence[Document],
    batch: int = 16,
    advance: Callable[[int], None] = lambda articles: None,
) -> list[Ranked]:
    """Articles by falling uncertainty per word; of equal ones, the one that was given first.

    Args:
        documents: unlabelled; they are filled with what the model finds.
        batch: articles that the model gets at a time.
        advance: gets the number of articles done since it was called last.
    """
    ranking = []
    for start in range(0, len(documents), batch):
        part = documents[start : start + batch]
        ranking += [Ranked(document, uncertainty) for document, uncertainty in extractor.extract(part)]
        advance(len(part))
    return sorted(ranking, key=lambda item: -item.uncertainty.per_word)


def choose(ranking: Sequence[Ranked], number: int) -> None:
    """Mark the first articles of a ranking, passing over near-copies of those already marked."""
    copies: dict[int, list[int]] = {}
    for pair in overlaps([shingles(item.document) for item in ranking]):
        if pair.share >= NEAR_DUPLICATE:
            copies.setdefault(pair.second, []).append(pair.first)
    chosen = 0
    for index, item in enumerate(ranking):
        same = next((ranking[other].document.id for other in copies.get(index, ()) if ranking[other].chosen), "")
        item.copy_of = same
        if chosen < number and not same:
            item.chosen = True
            chosen += 1


def suggest(
    inputs: Sequence[str],
    extractor: UncertainExtractor,
    manifest: Manifest,
    output: Path,
    *,
    top: int = 20,
    tool: Tool = "label-studio",
    names: FieldNames = DEFAULT_NAMES,
    batch: int = 16,
    report: Callable[[str], None] = print_report,
    advance: Callable[[int], None] = lambda articles: None,
) -> Suggestion:
    """Rank unlabelled articles by a model's uncertainty; write the first ones pre-labelled, and the ranking.

    Args:
        inputs: files, folders, globs, or ``-`` for stdin, as ``quanhe extract`` takes them.
        manifest: of the model: articles that it was trained on are left out.
        output: a folder, new or empty: ``ranking.csv``, and what the tool imports.
        top: how many articles to write.
        report: gets a line for everything that cannot be read.
        advance: gets the number of articles that the model has read since it was called last.

    Raises:
        QuanheError: nothing can be read or written, or ids cannot be file names; the folder is then not made.
    """
    check_target(output)
    check_arguments(inputs)
    result = Suggestion([])
    records = _records(inputs, names, manifest, result, report)
    if not records:
        left_out = "; ".join(f"{kind}: {number}" for kind, number in result.notes.items()) or f"{result.failed} failed"
        raise QuanheError(f"no article to suggest ({left_out}); give articles that the model has not seen")
    documents = [record.document for record in records]
    if tool == "brat":
        brat.file_names(documents, "txt")  # better to fail before the model has read them all
    places = {id(record.document): record.place for record in records}
    result.ranking = rank(extractor, documents, batch, advance)
    for item in result.ranking:
        item.place = places[id(item.document)]
    choose(result.ranking, top)
    last = max(place for place, item in enumerate(result.ranking) if item.chosen)
    result.notes["near-copies of chosen articles, passed over"] += sum(bool(i.copy_of) for i in result.ranking[:last])
    with staged([output]) as (folder,):
        folder.mkdir()
        (folder / "ranking.csv").write_text(_table(result.ranking), encoding="utf-8", newline="")
        result.notes += _write(result.chosen, folder, tool, extractor.schema, manifest.name)
    result.notes = +result.notes
    return result


def _records(
    inputs: Sequence[str], names: FieldNames, manifest: Manifest, result: Suggestion, report: Callable[[str], None]
) -> list[Record]:
    """The articles worth ranking; everything else is reported or counted."""
    seen = {*manifest.training.articles.values(), *manifest.dev_articles.values()}
    records = []
    for item in read_items(inputs, names):
        if isinstance(item, Problem):
            result.failed += 1
            report(str(item))
        elif isinstance(item, Skipped):
            result.notes["files of other kinds, hidden, or without a record"] += 1
        elif not item.document.text.strip():
            result.notes["articles without a text, left out"] += 1
        elif text_hash(item.document) in seen:
            result.notes["articles that the model was trained on, left out"] += 1
        else:
            records.append(item)
    return records


def _table(ranking: Iterable[Ranked]) -> str:
    """The ranking as CSV (RFC 4180)."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    for number, item in enumerate(ranking, 1):
        unsure, document = item.uncertainty, item.document
        sums = [f"{value:.6f}" for value in (unsure.per_word, unsure.mentions, unsure.facts)]
        chosen = "yes" if item.chosen else f"copy of {item.copy_of}" if item.copy_of else ""
        found = (len(document.mentions), len(document.relations))
        writer.writerow([number, document.id, item.place, unsure.words, *sums, *found, chosen])
    return stream.getvalue()


def _write(chosen: Sequence[Ranked], folder: Path, tool: Tool, schema: Schema, model: str) -> Notes:
    """Write the chosen articles and the tool's settings."""
    documents = [item.document for item in chosen]
    if tool == "brat":
        notes = brat.write(documents, folder / "articles", Options()).notes
        notes["brat does not hold fields of articles"] += sum(len(document.fields) for document in documents)
        return notes
    if tool == "doccano":
        spans, relations = doccano_labels(schema)
        (folder / "labels.json").write_text(spans, encoding="utf-8")
        (folder / "labels-relations.json").write_text(relations, encoding="utf-8")
        return doccano.write(documents, folder / "articles.jsonl", Options()).notes
    tasks = [
        label_studio.task(item.document, predicted=True, model=model, score=item.uncertainty.confidence)
        for item in chosen
    ]
    (folder / "tasks.json").write_bytes(label_studio.dump(tasks))
    (folder / "labels.xml").write_text(label_studio_config(schema), encoding="utf-8")
    return Counter()


def suggest_cli(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help=f"Unlabelled articles: files ({', '.join(KNOWN_SUFFIXES)}), folders, quoted globs, or - for stdin.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="New folder for what is written.")],
    top: Annotated[int, typer.Option("-n", "--top", min=1, metavar="N", help="Articles to write.")] = 20,
    to: Annotated[str, typer.Option(metavar="TOOL", help=f"{', '.join(TOOLS)}.")] = "label-studio",
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Model folder; the shipped one by default.")] = None,
    config: Annotated[Path | None, typer.Option(metavar="C", help="Settings that go before the model's own.")] = None,
    measure: Annotated[str, typer.Option(help=f"Of each decision: {', '.join(MEASURES)}.")] = "entropy",
    id_field: Annotated[str, typer.Option(metavar="NAME", help="Field or column with the id.")] = "id",
    text_field: Annotated[str, typer.Option(metavar="NAME", help="Field or column with the text.")] = "text",
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Articles a batch.")] = 16,
) -> None:
    """Rank unlabelled articles by what labelling them would teach, and write the first N pre-labelled.

    Writes ranking.csv and, for the tool, articles with the model's labels to be corrected, and its labelling settings
    (docs/active-learning.md).
    """
    tool = _one_of(to, TOOLS, "--to")
    kind = _one_of(measure, MEASURES, "--measure")
    check_target(output)
    check_arguments(paths)
    extractor, manifest = _load(model, config, kind)
    with ProgressLine(stdout_used=False) as progress:
        done = suggest(
            paths,
            extractor,
            manifest,
            output,
            top=top,
            tool=tool,
            names=FieldNames(id_field, text_field),
            batch=batch,
            report=progress.report,
            advance=progress.advance,
        )
    for note, number in done.notes.items():
        typer.echo(f"{note}: {number}", err=True)
    typer.echo(
        f"{len(done.chosen)} of {len(done.ranking)} articles suggested, {done.failed} failed: {output}", err=True
    )
    if done.failed:
        raise typer.Exit(1)


def _one_of(name: str, known: Sequence[NameT], option: str) -> NameT:
    """The name, as one of those that are known.

    Raises:
        QuanheError: it is none of them.
    """
    for item in known:
        if item == name:
            return item
    raise QuanheError(f"{option} {name}: choose one of {', '.join(known)}")


def _load(model: Path | None, config: Path | None, measure: Measure) -> tuple[UncertainExtractor, Manifest]:
    overrides = load_config(config) if config else None
    from pipeline.manifest import default_model
    from pipeline.model import load_model
    from pipeline.uncertainty import UncertainExtractor

    loaded, manifest = load_model(model or default_model(), overrides)
    return UncertainExtractor(loaded, measure), manifest
