"""``quanhe extract``: facts from files, folders, globs or stdin, one JSON object an article."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.engine_options import EngineOption, PrecisionOption, ThreadsOption, engine_settings
from pipeline.config import Config
from pipeline.errors import QuanheError
from pipeline.inputs.records import DEFAULT_NAMES, FieldNames, Item
from pipeline.inputs.sources import KNOWN_SUFFIXES, check_arguments, read_items
from pipeline.manifest import default_model, folder_hash
from pipeline.outputs.batch import BatchRun, BatchSummary, print_report
from pipeline.outputs.on_ray import RayExecutor, check_ray
from pipeline.outputs.parts import FORMS, PART_ITEMS, PartsWriter, check_folder
from pipeline.outputs.pool import WorkerPool
from pipeline.outputs.progress import ProgressLine
from pipeline.outputs.work import Executor, Extractor, InProcess, Load
from pipeline.outputs.workers import worth
from pipeline.outputs.writer import FileWriter, StreamWriter, check_output, part_of


@dataclass(frozen=True, slots=True)
class Parts:
    """A folder of part files as output.

    Attributes:
        items: records of the input a part.
        form: ``jsonl`` or ``parquet``.
    """

    items: int = PART_ITEMS
    form: str = FORMS[0]


def extract(
    inputs: Sequence[str],
    executor: Executor,
    output: Path | None = None,
    *,
    parts: Parts | None = None,
    resume: bool = False,
    names: FieldNames = DEFAULT_NAMES,
    batch: int = 16,
    settings: Mapping[str, str] | None = None,
    report: Callable[[str], None] = print_report,
    advance: Callable[[int], None] = lambda articles: None,
    read: Callable[[Sequence[str], FieldNames, Path | None], Iterator[Item]] = read_items,
) -> BatchSummary:
    """Read articles lazily, find what is in them and write one JSON object a line, in input order.

    Args:
        inputs: files, folders, globs, or ``-`` for stdin.
        executor: where the work is done: ``InProcess(load_pipeline(folder))``, or a :class:`WorkerPool`.
        output: the file to write, complete or not at all; ``None`` writes to stdout.
        parts: how the output is parted when it is a folder.
        resume: go on from what a stopped run to the same output has left.
        names: the fields of a record that hold id and text.
        batch: articles that the model gets at a time.
        settings: what must be the same when a run is resumed, e.g. the name of the model.
        report: gets a line for everything that fails or needs attention; nothing of it ends the run.
        advance: gets the number of articles done since it was called last.
        read: reads the inputs; a :class:`RayExecutor` reads them itself.

    Returns:
        The counts; something has failed when ``failed`` is not 0.

    Raises:
        QuanheError: the arguments make no sense, not one article came through, or the output cannot be written.
    """
    check_run(inputs, output, resume, parts)
    part = part_of(Path(os.path.realpath(output))) if output and not parts and not _is_device(output) else None
    if part and resume and not part.exists():
        report(f"{part}: not there, so this run starts at the beginning")
    with _writer(output, parts, resume, settings or {}) as writer:
        run = BatchRun(executor, writer, batch, settings, report, advance)
        return run(read(inputs, names, output))


@contextlib.contextmanager
def _writer(
    output: Path | None, parts: Parts | None, resume: bool, settings: Mapping[str, str]
) -> Iterator[PartsWriter | FileWriter | StreamWriter]:
    if output is None:
        yield StreamWriter(sys.stdout.buffer)
    elif parts:
        with PartsWriter(output, parts.items, parts.form, resume, settings) as folder:
            yield folder
    elif _is_device(output):
        with output.open("wb") as stream:
            yield StreamWriter(stream)
    else:
        with FileWriter(output, resume, settings) as file:
            yield file


def check_run(inputs: Sequence[str], output: Path | None, resume: bool, parts: Parts | None = None) -> None:
    """Refuse arguments that can lead to nothing, before time is spent on loading a model.

    Raises:
        QuanheError: saying which and why.
    """
    check_arguments(inputs, output)
    if output is None or _is_device(output):
        if resume:
            raise QuanheError("--resume needs a file or folder to go on with; name it with -o")
        if parts:
            raise QuanheError("--parts and --format need a folder to write to; name it with -o")
    elif parts:
        check_folder(output, resume, parts.form)
    else:
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
        str | None, typer.Option("-o", "--output", metavar="OUT", help="File or folder; stdout when not given.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="C", help="Settings (YAML) that go before the model's own.")
    ] = None,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Model folder; the shipped one by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run to the same OUT.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes; by default one a core when the input is large.")
    ] = None,
    parts: Annotated[
        int | None, typer.Option(min=1, metavar="N", help=f"OUT is a folder; records a part ({PART_ITEMS}).")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="F", help=f"Of part files: {' or '.join(FORMS)}.")
    ] = None,
    runner: Annotated[str, typer.Option(metavar="R", help="local, or ray: a Ray cluster.")] = "local",
    address: Annotated[
        str | None, typer.Option(metavar="A", help="Of the Ray cluster; without one, Ray is started here.")
    ] = None,
    id_field: Annotated[str, typer.Option(metavar="NAME", help="Field or column with the id.")] = "id",
    text_field: Annotated[str, typer.Option(metavar="NAME", help="Field or column with the text.")] = "text",
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Articles a batch.")] = 16,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Find entities, relations and facts; write one JSON object an article (docs/output.md).

    What cannot be read is told on stderr, and the rest goes on; the exit code is then 1.
    """
    target, parted = _target(output, parts, form)
    check_run(paths, target, resume, parted)
    if runner not in ("local", "ray"):
        raise QuanheError(f"--runner {runner}: must be local or ray")
    if runner == "ray":
        check_ray(paths)
    load, settings = _load(model, engine_settings(config, engine, precision, threads))
    with ProgressLine(stdout_used=target is None) as progress:
        try:
            with _executor(load, runner, address, workers, batch, paths, progress.report) as executor:
                summary = extract(
                    paths,
                    executor,
                    target,
                    parts=parted,
                    resume=resume,
                    names=FieldNames(id_field, text_field),
                    batch=batch,
                    settings=settings,
                    report=progress.report,
                    advance=progress.advance,
                    read=executor.read if isinstance(executor, RayExecutor) else read_items,
                )
        except KeyboardInterrupt:
            progress.report("stopped" if target is None else "stopped; go on with --resume")
            raise typer.Exit(130) from None
    if summary.skipped:
        typer.echo(f"skipped: {summary.skipped} (files of other kinds, hidden, or without a record)", err=True)
    typer.echo(str(summary), err=True)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _target(output: str | None, parts: int | None, form: str | None) -> tuple[Path | None, Parts | None]:
    """Where the output goes: a folder when it is one already, is written like one, or is to be parted."""
    if form is not None and form not in FORMS:
        raise QuanheError(f"--format {form}: must be {' or '.join(FORMS)}")
    folder = output is not None and (output.endswith(("/", os.sep)) or os.path.isdir(output))
    parted = Parts(parts or PART_ITEMS, form or FORMS[0]) if folder or parts or form else None
    return (Path(output) if output is not None else None), parted


@contextlib.contextmanager
def _executor(
    load: Load,
    runner: str,
    address: str | None,
    workers: int | None,
    batch: int,
    paths: Sequence[str],
    report: Callable[[str], None],
) -> Iterator[Executor]:
    if runner == "ray":
        with RayExecutor(load, address, workers, batch) as cluster:
            yield cluster
        return
    workers = workers or worth(paths)
    if workers == 1:
        extractor = load(0)
        gc.freeze()  # the model is never garbage; no collection need go through it again
        yield InProcess(extractor)
        return
    with WorkerPool(load, workers, report) as pool:
        yield pool


@dataclass(frozen=True, slots=True)
class _Loader:
    """Loads the model, in this process or in a worker."""

    folder: Path
    config: Config | None = None

    def __call__(self, threads: int) -> Extractor:
        """On so many threads; 0 leaves it to the settings."""
        from pipeline.model import load_pipeline

        config = self.config
        if threads:
            given = config.model_dump(exclude_unset=True, by_alias=True) if config else {}
            config = Config.model_validate({**given, "threads": threads})
        return load_pipeline(self.folder, config=config) if config else load_pipeline(self.folder)


def _load(model: Path | None, overrides: Config | None) -> tuple[Load, dict[str, str]]:
    """What loads the model, and which one it is: a stopped run is not resumed with another."""
    folder = model or default_model()
    settings = {"model": str(folder), "sha256": folder_hash(folder)}
    if overrides:
        settings["config"] = overrides.hash
    return _Loader(folder, overrides), settings
