"""``quanhe convert``: labelled articles from one tool's format to another's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, get_args

import typer

from pipeline.config import ColumnsConfig
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.interchange.articles import Notes, Options
from pipeline.interchange.files import staged
from pipeline.interchange.formats import NAMES, Format, by_name, guess_input, guess_output
from pipeline.interchange.label_config import doccano_labels, label_studio_config
from pipeline.interchange.losses import count_losses
from pipeline.schema import Schema, load_schema
from pipeline.text.segmenters import SEGMENTER_NAMES, load_segmenter
from pipeline.text.words import WordSplitter

_FORMATS = ", ".join(NAMES)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of it.

    Attributes:
        source, target: names of the formats.
        articles, mentions, relations: written.
        notes: what could not be taken over and what to mind, one line a kind → how often.
    """

    source: str
    target: str
    articles: int
    mentions: int
    relations: int
    notes: Notes

    def __str__(self) -> str:
        counts = f"{self.articles} articles, {self.mentions} mentions, {self.relations} relations"
        return f"{counts}: {self.source} → {self.target}"


def convert(
    source: Path,
    target: Path,
    *,
    reads: str | None = None,
    writes: str | None = None,
    options: Options | None = None,
    schema: Schema | None = None,
    labels: Path | None = None,
) -> Conversion:
    """Read labelled articles in one format and write them in another.

    What was written is read back and compared, so that whatever the format could not hold is counted.

    Args:
        source: a file, or a folder of files.
        target: a file, which is replaced; for brat, and CoNLL without a suffix, a folder, which must be new or empty.
        reads, writes: names of formats; guessed from names and content when not given.
        schema, labels: also write the tool's labelling settings, with the types of this schema, to this file (doccano
            has a second one for relations).

    Raises:
        QuanheError: something cannot be read, told or written; the target is then as it was.
    """
    reader = by_name(reads) if reads else guess_input(source)
    writer = by_name(writes) if writes else guess_output(target)
    options = options or Options()
    _check_paths(source, target, writer)
    settings = settings_files(writer.name, schema, labels) if labels and schema else {}
    for path in settings:
        _check_settings(path, source, target)
    articles = reader.read(source, options)
    if not articles.documents:
        reasons = "; ".join(f"{kind}: {number}" for kind, number in articles.notes.items())
        raise QuanheError(f"{source}: no labelled articles{f' ({reasons})' if reasons else ''}; nothing is written")
    with staged([target, *settings]) as (place, *beside):
        written = writer.write(articles.documents, place, options)
        if all(name is None for name in written.ids):
            raise QuanheError(f"{source}: no article has a text; nothing is written")
        for path, content in zip(beside, settings.values(), strict=True):
            path.write_text(content, encoding="utf-8")
        back = writer.read(place, replace(options, texts=None, columns=ColumnsConfig(), text_field="text"))
    losses = count_losses(written, back.documents)
    notes = articles.notes + written.notes
    notes += Counter({f"{writer.name} does not hold {kind}": number for kind, number in losses.items()})
    if schema and labels:
        notes += _unknown_types(back.documents, schema)
    return Conversion(
        reader.name,
        writer.name,
        len(back.documents),
        sum(len(document.mentions) for document in back.documents),
        sum(len(document.relations) for document in back.documents),
        notes,
    )


def _check_paths(source: Path, target: Path, writer: Format) -> None:
    if not source.exists():
        raise QuanheError(f"{source}: not found; check the path")
    if target.resolve() == source.resolve():
        raise QuanheError(f"{target}: both input and output; write to another place")
    if source.is_dir() and source.resolve() in target.resolve().parents:
        raise QuanheError(f"{target}: lies in the folder that is read; write to another place")
    if writer.folder and target.is_file():
        raise QuanheError(f"{target}: a file, but {writer.name} needs a folder; name another")
    if not writer.folder and target.is_dir() and not (writer.name == "conll" and not target.suffix):
        raise QuanheError(
            f"{target}: a folder, but {writer.name} is one file; name one, e.g. {target / 'articles'}"
            f"{writer.suffixes[0]}"
        )


def _check_settings(path: Path, source: Path, target: Path) -> None:
    """Refuse to write labelling settings over articles, among those that are read, or where none can be written."""
    place, articles = path.resolve(), (source.resolve(), target.resolve())
    nested = any(place in other.parents or other in place.parents for other in articles)
    if path.is_dir() or place in articles or nested:
        raise QuanheError(f"{path}: --labels needs a file of its own; name another")


def settings_files(tool: str, schema: Schema, labels: Path) -> dict[Path, str]:
    """The labelling settings of a tool: path → content.

    Raises:
        QuanheError: the format has none.
    """
    if tool == "label-studio":
        return {labels: label_studio_config(schema)}
    if tool == "doccano":
        spans, relations = doccano_labels(schema)
        return {labels: spans, labels.with_name(f"{labels.stem}-relations{labels.suffix}"): relations}
    raise QuanheError(f"{tool} has no labelling settings; --labels goes with --to label-studio or doccano")


def _unknown_types(documents: Sequence[Document], schema: Schema) -> Notes:
    """Labels that the tool will not know."""
    used = Counter(mention.type for document in documents for mention in document.mentions)
    used += Counter(relation.type for document in documents for relation in document.relations)
    known = {*schema.entities, *schema.relations}
    return Counter(
        {f"labels of type {kind}, which the schema has not": n for kind, n in used.items() if kind not in known}
    )


def _splitter(name: str) -> Callable[[], WordSplitter]:
    """Loads the segmenter when the first article needs it."""
    return cache(lambda: WordSplitter(load_segmenter(name)))


def _columns(text: str, scheme: str) -> ColumnsConfig:
    schemes = get_args(ColumnsConfig.model_fields["scheme"].annotation)
    if scheme not in schemes:
        raise QuanheError(f"unknown tagging scheme {scheme!r}; choose one of {', '.join(schemes)}")
    try:
        word, tag = map(int, text.split(","))
    except ValueError as error:
        raise QuanheError(f"--columns {text}: two numbers are needed, word and tag from 0, e.g. 0,-1") from error
    return ColumnsConfig.model_validate({"word": word, "tag": tag, "scheme": scheme})


def convert_cli(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A file, or a folder of files.")],
    target: Annotated[Path, typer.Argument(metavar="OUTPUT", help="A file; for brat a new folder.")],
    reads: Annotated[str | None, typer.Option("--from", metavar="FORMAT", help=f"{_FORMATS}; guessed.")] = None,
    writes: Annotated[str | None, typer.Option("--to", metavar="FORMAT", help=f"{_FORMATS}; guessed.")] = None,
    texts: Annotated[Path | None, typer.Option(metavar="DIR", help="brat: where the .txt files lie.")] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the labelling settings of Label Studio or doccano.")
    ] = None,
    schema: Annotated[Path, typer.Option(metavar="FILE", help="Types for --labels.")] = Path("annotations/schema.yaml"),
    predictions: Annotated[
        bool, typer.Option("--predictions", help="Label Studio: write predictions; read them where nobody labelled.")
    ] = False,
    text_field: Annotated[str, typer.Option(metavar="KEY", help="Label Studio: key of the text, when read.")] = "text",
    columns: Annotated[str, typer.Option(metavar="WORD,TAG", help="CoNLL: columns from 0, when read.")] = "0,-1",
    scheme: Annotated[str, typer.Option(help="CoNLL: iob1, iob2 or bioes, when read.")] = "iob2",
    segmenter: Annotated[str, typer.Option(help=f"CoNLL: {' or '.join(SEGMENTER_NAMES)}.")] = "underthesea-crf",
) -> None:
    """Convert labelled articles between brat, CoNLL, Label Studio, doccano and quanhe's JSONL (docs/interchange.md).

    What the target format cannot hold is counted on stderr, one line a kind.
    """
    options = Options(
        texts=texts,
        columns=_columns(columns, scheme),
        text_field=text_field,
        predictions=predictions,
        splitter=_splitter(segmenter),
    )
    types = load_schema(schema) if labels else None
    done = convert(source, target, reads=reads, writes=writes, options=options, schema=types, labels=labels)
    for kind, number in done.notes.items():
        typer.echo(f"{kind}: {number}", err=True)
    typer.echo(str(done), err=True)
