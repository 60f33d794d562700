"""``quanhe extract``: facts from files, folders, globs or stdin, one JSON object an article."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config import load_config
from pipeline.errors import QuanheError
from pipeline.inputs.records import DEFAULT_NAMES, FieldNames
from pipeline.inputs.sources import KNOWN_SUFFIXES, check_arguments, read_items
from pipeline.outputs.batch import BatchRun, BatchSummary, Extractor, print_report
from pipeline.outputs.progress import ProgressLine
from pipeline.outputs.writer import FileWriter, StreamWriter, check_output, part_of


def extract(
    inputs: Sequence[str],
    extractor: Extractor,
    output: Path | None = None,
    *,
    resume: bool = False,
    names: FieldNames = DEFAULT_NAMES,
    batch: int = 16,
    settings: str = "",
    report: Callable[[str], None] = print_report,
    advance: Callable[[int], None] = lambda articles: None,
) -> BatchSummary:
    """Read articles lazily, find what is in them and write one JSON object a line, in input order.

    Args:
        inputs: files, folders, globs, or ``-`` for stdin.
        extractor: a loaded model.
        output: the file to write, complete or not at all; ``None`` writes to stdout.
        resume: go on from what a stopped run to the same output has left.
        names: the fields of a record that hold id and text.
        batch: articles that the extractor gets at a time.
        settings: what must be the same when a run is resumed, e.g. the name of the model.
        report: gets a line for everything that fails or needs attention; nothing of it ends the run.
        advance: gets the number of articles done since it was called last.

    Returns:
        The counts; something has failed when ``failed`` is not 0.

    Raises:
        QuanheError: the arguments make no sense, not one article came through, or the output cannot be written.
    """
    check_run(inputs, output, resume)

    def run(writer: FileWriter | StreamWriter) -> BatchSummary:
        return BatchRun(extractor, writer, batch, settings, report, advance)(read_items(inputs, names, output))

    if output is None:
        return run(StreamWriter(sys.stdout.buffer))
    if _is_device(output):
        with output.open("wb") as stream:
            return run(StreamWriter(stream))
    part = part_of(Path(os.path.realpath(output)))
    if resume and not part.exists():
        report(f"{part}: not there, so this run starts at the beginning")
    with FileWriter(output, resume, settings) as writer:
        return run(writer)


def check_run(inputs: Sequence[str], output: Path | None, resume: bool) -> None:
    """Refuse arguments that can lead to nothing, before time is spent on loading a model.

    Raises:
        QuanheError: saying which and why.
    """
    check_arguments(inputs, output)
    if resume and (output is None or _is_device(output)):
        raise QuanheError("--resume needs a file to go on with; name it with -o")
    if output is not None and not _is_device(output):
        check_output(output, resume)


def _is_device(path: Path) -> bool:
    """Whether a path is a pipe or device: what is written there is gone, and cannot be moved into place."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def extract_cli(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help=f"Files ({', '.join(KNOWN_SUFFIXES)}), folders, quoted globs, or - for stdin (text or JSONL).",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="File to write; stdout when not given.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="C", help="Settings (YAML) that go before the model's own.")
    ] = None,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Model folder; the shipped one by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run to the same OUT.")] = False,
    id_field: Annotated[str, typer.Option(metavar="NAME", help="Field or column with the id.")] = "id",
    text_field: Annotated[str, typer.Option(metavar="NAME", help="Field or column with the text.")] = "text",
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Articles a batch.")] = 16,
) -> None:
    """Find entities, relations and facts; write one JSON object an article (docs/output.md).

    What cannot be read is told on stderr, and the rest goes on; the exit code is then 1.
    """
    check_run(paths, output, resume)
    extractor, settings = _load(model, config)
    with ProgressLine(stdout_used=output is None) as progress:
        summary = extract(
            paths,
            extractor,
            output,
            resume=resume,
            names=FieldNames(id_field, text_field),
            batch=batch,
            settings=settings,
            report=progress.report,
            advance=progress.advance,
        )
    if summary.skipped:
        typer.echo(f"skipped: {summary.skipped} (files of other kinds, hidden, or without a record)", err=True)
    typer.echo(str(summary), err=True)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _load(model: Path | None, config: Path | None) -> tuple[Extractor, str]:
    """The model, and a line that says which: a stopped run is not resumed with another."""
    overrides = load_config(config) if config else None  # before the seconds that importing the model code takes
    from pipeline.model import default_model, load_pipeline

    folder = model or default_model()
    if overrides is None:
        return load_pipeline(folder), f"model {folder}"
    return load_pipeline(folder, config=overrides), f"model {folder} with config {overrides.hash}"
