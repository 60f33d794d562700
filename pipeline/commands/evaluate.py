"""``quanhe evaluate``: a saved model and the baselines on labelled articles that it has never seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.engine_options import EngineOption, PrecisionOption, engine_settings
from pipeline.config import Config, DataConfig, Source
from pipeline.data.corpus import load_source, load_split
from pipeline.data.negatives import load_negatives, missing_folders
from pipeline.errors import QuanheError
from pipeline.evaluation.report import Report
from pipeline.evaluation.tables import print_table
from pipeline.experiment import score_systems
from pipeline.manifest import default_model
from pipeline.model import load_model
from pipeline.negatives import NegativeArticle
from pipeline.schema import Schema


def evaluate(
    model_folder: Path,
    data: Path | None,
    output: Path,
    *,
    texts: Path | None = None,
    config: Config | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Score a model and the baselines in its folder, and write the report.

    False relations are counted on the hard negatives of the config, or else of the model's. A user of the model need
    not have those: when their folder is not there, a line says so and the rest is scored.

    Args:
        data: a folder of brat files, or a CoNLL file; ``None`` takes the test articles of the model's config.
        output: folder for ``report.json``, ``report.md`` and ``report.html``.
        texts: the folder of the ``.txt`` files when they are not beside the ``.ann`` files.
        config: settings that go before the model's.
        say: gets a line for what is left out.

    Raises:
        QuanheError: the model or the data are not in order, or the model has seen an article.
    """
    model, manifest = load_model(model_folder, config)
    stored = (config if config and "data" in config.model_fields_set else model.config).data
    if data is None:
        documents = load_split(stored, "test")
        if not documents:
            raise QuanheError("the model's config names no test articles; name a folder with --data")
    else:
        settings = DataConfig(format="conll" if data.is_file() else "brat", columns=stored.columns)
        documents = load_source(Source(path=data, texts=texts), settings)
    own = config if config and "negatives" in config.data.model_fields_set else model.config
    negatives, left_out = _negatives(own.data, model.schema)
    if left_out:
        say(left_out)
    return score_systems(
        model,
        manifest,
        documents,
        output,
        title=f"{manifest.name} on {data or 'test articles'}",
        negatives=negatives,
        about={"engine": model.engine} | ({"hard negatives": left_out} if left_out else {}),
    )


def _negatives(data: DataConfig, schema: Schema) -> tuple[list[NegativeArticle], str]:
    """The articles with hard negatives, or why there are none although the settings name some."""
    missing = missing_folders(data)
    if missing:
        folders = ", ".join(map(str, missing))
        return [], f"no folder {folders}: false relations are not counted (set data.negatives in a config, or leave it)"
    return load_negatives(data, schema, check_training=False), ""


def evaluate_cli(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of .txt and .ann, or a CoNLL file; else the test split.")
    ] = None,
    texts: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the .txt, if not beside.")] = None,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Model folder; the shipped one by default.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Settings that go before the model's.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting of --config.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the report.")] = Path(
        "runs/evaluate"
    ),
    engine: EngineOption = None,
    precision: PrecisionOption = None,
) -> None:
    """Score a model beside its baselines; write report.json, report.md and report.html."""
    if overrides and not config:
        raise QuanheError("--set changes a setting of --config; name the config too")
    settings = engine_settings(config, engine, precision, overrides=overrides or ())
    report = evaluate(
        model or default_model(),
        data,
        output,
        texts=texts,
        config=settings,
        say=lambda line: typer.echo(f"quanhe: {line}", err=True),
    )
    print_table(report.systems, report.confidence)
    typer.echo(f"report: {output / 'report.html'}", err=True)
