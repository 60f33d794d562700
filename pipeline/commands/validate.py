"""``quanhe validate``: everything that is wrong with labelled articles, at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config import Config, Source, load_config
from pipeline.data.checks import (
    Findings,
    SentenceCounts,
    check_copies,
    check_labels,
    check_reuse,
    check_sentences,
    check_words,
)
from pipeline.data.corpus import SPLITS, Reading, Split, leaked_articles, read_splits
from pipeline.data.labelled import Labelled
from pipeline.data.negatives import (
    NEGATIVES,
    NegativesReading,
    holds_negatives,
    leaked_negatives,
    read_negatives,
)
from pipeline.document import Document
from pipeline.errors import Problem, QuanheError
from pipeline.schema import Schema, load_schema
from pipeline.text.segmenters import load_segmenter
from pipeline.text.words import WordSplitter


@dataclass(slots=True)
class Counts:
    """What one split holds.

    Attributes:
        articles: documents (sentences, where a corpus marks no articles).
        mentions, relations: number by type, in the schema's order, types that it has not at the end.
        surviving: mentions that are exactly runs of the words that inference sees.
        pairs: hard negatives by relation type; empty where articles bring none.
        sentences: how many, and how many of them another article has.
    """

    articles: int = 0
    mentions: Counter[str] = field(default_factory=Counter)
    relations: Counter[str] = field(default_factory=Counter)
    surviving: int = 0
    pairs: Counter[str] = field(default_factory=Counter)
    sentences: SentenceCounts = field(default_factory=SentenceCounts)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything found, sorted by file and line; ``counts`` has the splits that hold anything."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    counts: dict[Split, Counts]


def validate(config: Config) -> Report:
    """Check the labelled articles of a config: files, spans, schema, links, words, copies across splits, negatives.

    Raises:
        QuanheError: the schema or the segmenter cannot be loaded, or the config names no data.
    """
    if not any(getattr(config.data, split) for split in [*SPLITS, NEGATIVES]):
        raise QuanheError("the config names no labelled articles; set data.train, or give a folder")
    schema = load_schema(config.schema_file)
    splitter = WordSplitter(load_segmenter(config.text.segmenter))
    readings = read_splits(config.data)
    findings = Findings()
    counts: dict[Split, Counts] = {}
    split_documents: dict[Split, list[tuple[Labelled, Document]]] = {}
    for split, reading in readings.items():
        findings.errors += reading.errors
        findings.warnings += reading.warnings
        if reading.items:
            counts[split], split_documents[split] = _check_split(reading.items, schema, splitter, findings)
    items = {split: reading.items for split, reading in readings.items()}
    findings.errors += leaked_articles(items)
    negatives = read_negatives(config.data, schema)
    findings.errors += negatives.errors
    findings.warnings += negatives.warnings
    if negatives.items:
        found = _check_negatives(negatives, readings, schema, splitter, findings)
        counts[NEGATIVES], split_documents[NEGATIVES] = found
        items[NEGATIVES] = [item for item, _ in split_documents[NEGATIVES]]
    copies = check_copies(items, findings)
    sentences, reported = check_reuse(split_documents, copies, findings)
    for split, found_sentences in sentences.items():
        counts[split].sentences = found_sentences
    check_sentences(split_documents, findings, reported)
    # An article that two splits name has its problems twice.
    return Report(tuple(sorted(set(findings.errors))), tuple(sorted(set(findings.warnings))), counts)


def _check_split(
    items: Sequence[Labelled], schema: Schema, splitter: WordSplitter, findings: Findings
) -> tuple[Counts, list[tuple[Labelled, Document]]]:
    """Check the documents of a split one by one; its counts, and each document with its words."""
    count = Counts(len(items))
    count.mentions.update(dict.fromkeys(schema.entities, 0))
    count.relations.update(dict.fromkeys(schema.relations, 0))
    documents = []
    for item in items:
        check_labels(item, schema, findings)
        document, kept = check_words(item, splitter, findings)
        documents.append((item, document))
        count.mentions.update(mention.type for mention in item.document.mentions)
        count.relations.update(relation.type for relation in item.document.relations)
        count.surviving += kept
    return count, documents


def _check_negatives(
    negatives: NegativesReading,
    readings: dict[Split, Reading],
    schema: Schema,
    splitter: WordSplitter,
    findings: Findings,
) -> tuple[Counts, list[tuple[Labelled, Document]]]:
    """As ``_check_split``; of the documents, those that are not test articles too, which may serve twice."""
    findings.errors += leaked_negatives(negatives.items, readings)
    count, documents = _check_split(negatives.items, schema, splitter, findings)
    count.pairs.update(dict.fromkeys(schema.relations, 0))
    count.pairs.update(pair.type for pairs in negatives.pairs for pair in pairs)
    tested = {item.path.resolve() for item in readings["test"].items}
    return count, [(item, document) for item, document in documents if item.path.resolve() not in tested]


def summary(report: Report, heading: str = "") -> str:
    """The counts as a table: a row a type, a column a split (a heading given stands for the name of the only one)."""
    if not report.counts:
        return "no article could be read"
    counts = list(report.counts.values())
    rows: list[tuple[str, list[str]]] = [("", [heading] if heading and len(counts) == 1 else list(report.counts))]
    rows.append(("articles", [str(count.articles) for count in counts]))
    rows.append(("sentences", [str(count.sentences.all) for count in counts]))
    rows.append(("  compared with other articles'", [str(count.sentences.compared) for count in counts]))
    rows.append(("  found there, names set aside", [str(count.sentences.reused) for count in counts]))
    blocks = [("mentions", [c.mentions for c in counts]), ("relations", [c.relations for c in counts])]
    if any(c.pairs for c in counts):
        blocks.append(("hard negatives", [c.pairs for c in counts]))
    for title, tables in blocks:
        rows.append((title, [str(table.total()) for table in tables]))
        types = dict.fromkeys(kind for table in tables for kind in table)
        rows += [(f"  {kind}", [str(table[kind]) for table in tables]) for kind in types]
    rows.append(("spans that survive segmentation exactly", [_share(c.surviving, c.mentions.total()) for c in counts]))
    first = max(len(name) for name, _ in rows)
    widths = [max(len(cells[column]) for _, cells in rows) for column in range(len(counts))]
    return "\n".join(
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))]).rstrip()
        for name, cells in rows
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "0 of 0"


def config_for_paths(config: Config, paths: Sequence[Path], texts: Path | None) -> Config:
    """The config with other data: folders of brat files, or CoNLL files.

    The texts of a folder lie in ``texts``, or where the config has them for this folder, or beside the labels. A folder
    with ``.neg`` files is one of hard negatives.
    """
    splits = [*SPLITS, NEGATIVES]
    listed = {source.path.resolve(): source.texts for split in splits for source in getattr(config.data, split)}
    sources = [Source(path=path, texts=texts or listed.get(path.resolve())) for path in paths]
    update = {
        "format": "conll" if all(path.is_file() for path in paths) else "brat",
        "train": tuple(source for source in sources if not holds_negatives(source.path)),
        "dev": (),
        "test": (),
        "negatives": tuple(source for source in sources if holds_negatives(source.path)),
    }
    return config.model_copy(update={"data": config.data.model_copy(update=update)})


def validate_cli(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of brat files, or CoNLL files; without any, the data of the config."),
    ] = None,
    config: Annotated[
        Path, typer.Option("--config", "-c", help="Names the schema, the segmenter and the data.")
    ] = Path("configs/default.yaml"),
    texts: Annotated[Path | None, typer.Option(help="Folder of the .txt files of PATHS, if not beside.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a setting: key.sub=value; may be repeated.")
    ] = None,
) -> None:
    """Check labelled articles: offsets, surfaces, schema, entity links, words, hard negatives, copies across splits.

    Prints every problem as file:line and ends with exit code 2 when there are errors.
    """
    settings = load_config(config, set_ or ())
    report = validate(config_for_paths(settings, paths, texts) if paths else settings)
    for warning in report.warnings:
        typer.echo(_line(warning, "error" if strict else "warning"))
    for error in report.errors:
        typer.echo(_line(error, "error"))
    if report.warnings or report.errors:
        typer.echo()
    typer.echo(summary(report, "given" if paths else ""))
    typer.echo(f"\nerrors: {len(report.errors)}, warnings: {len(report.warnings)}")
    if report.errors or (strict and report.warnings):
        raise typer.Exit(2)


def _line(problem: Problem, severity: str) -> str:
    return str(Problem(problem.path, problem.line, f"{severity}: {problem.message}"))
