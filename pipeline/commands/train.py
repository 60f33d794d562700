"""``quanhe train``: train both stages as a config says, score them on held-out articles, write a model folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.card import model_card
from pipeline.commands.export import export
from pipeline.config import Config, load_config
from pipeline.data.corpus import load_splits
from pipeline.data.negatives import load_negatives
from pipeline.errors import QuanheError
from pipeline.evaluation.report import Report
from pipeline.evaluation.tables import print_table
from pipeline.experiment import Materials, check_types, score_systems, train_stages
from pipeline.saving import save_model
from pipeline.schema import load_schema


def train(
    config: Config, output: Path, *, say: Callable[[str], None] = lambda line: None, progress: bool = False
) -> Report | None:
    """Train a model and write its folder.

    Args:
        output: the model folder; replaced as a whole when it exists.
        say: gets a line for each step.

    Returns:
        The scores on ``data.test``, with the false relations on ``data.negatives``; ``None`` when the config names no
        test data.

    Raises:
        QuanheError: config, schema, data or encoder are not in order, or nothing can be written.
    """
    _check_output(output)
    splits = load_splits(config.data)
    materials = Materials.load(config, load_schema(config.schema_file))
    negatives = load_negatives(config.data, materials.schema)
    check_types(chain(*splits.values(), (article.document for article in negatives)), materials.schema)
    with tempfile.TemporaryDirectory() as scratch:
        model, manifest = train_stages(
            materials, splits["train"], splits["dev"], Path(scratch), say=say, progress=progress
        )
        report = None
        if splits["test"]:
            say(f"scoring on {len(splits['test'])} held-out articles")
            report = score_systems(
                model,
                manifest,
                splits["test"],
                Path(scratch) / "report",
                title="held-out articles",
                negatives=negatives,
            )
        elif negatives:
            say("false relations are counted beside the scores on data.test, which names no articles")
        scores = report.model_dump_json(indent=1) if report else "{}"
        extra = {"scores.json": scores + "\n", "README.md": model_card(config, materials.schema, manifest, report)}
        save_model(model, manifest, output, extra)
    return report


def _check_output(output: Path) -> None:
    """Refuse a place where no model can be put before time is spent on training one."""
    is_other = output.is_dir() and not (output / "quanhe.json").is_file() and any(output.iterdir())
    if is_other or (output.exists() and not output.is_dir()):
        raise QuanheError(f"{output}: exists and is no quanhe model; name another folder with --output")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QuanheError(f"{output}: cannot be made ({error.strerror}); name another folder with --output") from error


def train_cli(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings that go before the file's.")
    ] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="YAML settings.")] = Path("configs/default.yaml"),
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Model folder; models/<name> by default.")
    ] = None,
    onnx: Annotated[
        bool, typer.Option("--onnx/--no-onnx", help="Export as `quanhe export` does, where its packages are installed.")
    ] = True,
) -> None:
    """Train mentions and relations, print scores on held-out articles, write the model folder."""
    settings = load_config(config, overrides or ())
    console = Console(stderr=True)
    folder = output or Path("models") / settings.name
    report = train(
        settings, folder, say=lambda line: console.print(line, highlight=False), progress=console.is_terminal
    )
    if report:
        print_table(report.systems, report.confidence)
    if onnx:
        _export(folder, lambda line: console.print(line, highlight=False))
    console.print(f"model: {folder}", highlight=False)


def _export(folder: Path, say: Callable[[str], None]) -> None:
    """Write the ONNX files; the model is complete without them, so that nothing that is in their way is an error."""
    try:
        export(folder, say=say)
    except QuanheError as error:
        say(f"no ONNX files: {error}")
