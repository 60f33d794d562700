"""``quanhe distil``: make a compact encoder from any teacher, or go on with one."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.distil.config import DistilConfig, load_distil_config
from pipeline.distil.corpus import load_corpus
from pipeline.distil.curves import check_extra, draw
from pipeline.distil.export import Weights, export
from pipeline.distil.processes import Processes
from pipeline.distil.runs import ENCODER, STUDENT, branch, check_folder, find_teacher, prepare_student
from pipeline.distil.trainer import Status, Trainer, step_back

_CURVES = "curves.png"


def distil(
    config: DistilConfig,
    run: Path,
    *,
    cooldown: int = 0,
    branch_of: Path | None = None,
    weights: Weights | None = None,
    say: Callable[[str], None] = lambda line: None,
    on_step: Callable[[Status], None] = lambda status: None,
) -> Path:
    """Train a student on a teacher's view of words until the goal is reached or SIGINT or SIGTERM comes; export it.

    Args:
        run: folder of the run; when it holds one, that goes on where its last checkpoint stands.
        cooldown: let the learning rate fall to 0 over so many student pieces, then stop.
        branch_of: folder of another run whose checkpoint this one starts from.
        weights: those to export; ``None`` takes the averaged ones, after a finished cool-down the masters.
        say: gets a line for each part of the work.
        on_step: gets the state of affairs after each step.

    Returns:
        The exported encoder's folder, ``encoder`` in the run's.

    Raises:
        QuanheError: settings, text or encoders are not in order, or the folder holds something else.
    """
    if config.run.curves:
        check_extra()
    check_folder(run)
    processes = Processes(config.device)
    if not processes.main:
        say, on_step = (lambda line: None), (lambda status: None)
    if branch_of is not None:
        processes.main_first(lambda: branch(branch_of, run))
    goes_on = check_folder(run)
    if config.run.background:
        step_back()
    teacher = processes.main_first(lambda: find_teacher(config.teacher))
    corpus = processes.main_first(lambda: load_corpus(config.data, config.data.cache or run / "cache"))
    say(f"corpus: {len(corpus):,} articles, {len(corpus.ids):,} words")
    student = processes.main_first(lambda: prepare_student(config, teacher, corpus, run, say=say))
    trainer = Trainer(config, corpus, student, teacher, run, processes)
    if cooldown:
        trainer.begin_cooldown(cooldown)
    say(f"{'going on' if goes_on else 'starting'} at {trainer.tokens:,} student pieces")
    trainer.train(on_step)
    if trainer.packer.dropped:
        say(f"{trainer.packer.dropped} words left out: no pieces for them, or too many")
    cooled = trainer.cooldown is not None and trainer.finished
    folder = run / ENCODER
    if processes.main:
        finish(run, weights or ("master" if cooled else "average"), curves=config.run.curves, say=say)
    processes.wait()
    if not trainer.finished:
        say("stopped; the same command goes on")
    return folder


def finish(
    run: Path, weights: Weights = "average", *, curves: bool = True, say: Callable[[str], None] = lambda line: None
) -> Path:
    """Export a run's last checkpoint and draw its curves; the run may be going on meanwhile.

    Raises:
        QuanheError: the folder holds no checkpoint, or matplotlib is not installed.
    """
    folder = run / ENCODER
    tokens = export(run, run / STUDENT, folder, weights)
    say(f"encoder: {folder} ({weights} weights after {tokens:,} student pieces)")
    if curves:
        draw(run, run / _CURVES)
        say(f"curves: {run / _CURVES}")
    return folder


def distil_cli(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings that go before the file's.")
    ] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="YAML settings.")] = Path("configs/distil.yaml"),
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the run; one that has begun goes on.")
    ] = Path("runs/distil"),
    cooldown: Annotated[
        int,
        typer.Option(metavar="PIECES", min=0, help="Let the rate fall to 0 over so many student pieces, then stop."),
    ] = 0,
    branch_of: Annotated[
        Path | None,
        typer.Option("--branch", metavar="DIR", help="Start from this run's checkpoint; it stays as it is."),
    ] = None,
    weights: Annotated[
        Literal["average", "master"] | None,
        typer.Option(help="Weights to export; averaged ones by default, after a cool-down the masters."),
    ] = None,
    export_only: Annotated[
        bool, typer.Option("--export-only", help="Only export DIR's last checkpoint and draw its curves.")
    ] = False,
) -> None:
    """Make a compact encoder in PhoBERT's file format from any teacher; Ctrl-C stops, the same command goes on."""
    settings = load_distil_config(config, overrides or ())
    console = Console(stderr=True)

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    if export_only:
        finish(output, weights or "average", curves=settings.run.curves, say=say)
        return
    with _progress(console) as progress:
        task = progress.add_task("preparing", total=None)

        def on_step(status: Status) -> None:
            progress.update(task, completed=status.tokens, total=status.goal, description=_describe(status))

        distil(settings, output, cooldown=cooldown, branch_of=branch_of, weights=weights, say=say, on_step=on_step)


def _describe(status: Status) -> str:
    line = f"{status.tokens:,} pieces, {status.rate:,.0f}/s, loss {status.loss:.3f}"
    if status.goal is None:
        return line
    # Not rich's own estimate, which would count what an earlier session did as done in no time.
    seconds = max(0, status.goal - status.tokens) / max(status.rate, 1e-9)
    return f"{line}, {timedelta(seconds=round(seconds))} left"


def _progress(console: Console) -> Progress:
    return Progress(
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or os.environ.get("RANK", "0") != "0",
    )
