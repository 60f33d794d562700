"""The options by which a command chooses what computes the encoders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.config import Config, load_config

EngineOption = Annotated[
    Literal["auto", "onnx", "torch"] | None, typer.Option(help="What computes the encoders; the fastest by default.")
]
PrecisionOption = Annotated[
    Literal["auto", "fp32", "bf16", "int8"] | None, typer.Option(help="Numbers that it computes in.")
]
ThreadsOption = Annotated[int | None, typer.Option(min=0, metavar="N", help="Cores to use; 0 for all.")]


def engine_settings(
    config: Path | None,
    engine: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    *,
    overrides: Sequence[str] = (),
) -> Config | None:
    """The settings of a command line; ``None`` when nothing is set.

    Args:
        config: a YAML file.
        overrides: ``key.sub=value`` on top of it.

    Raises:
        QuanheError: they are not in order.
    """
    given = {"engine": engine, "precision": precision, "threads": threads}
    chosen = {key: value for key, value in given.items() if value is not None}
    if config:
        return load_config(config, [*overrides, *(f"{key}={value}" for key, value in chosen.items())])
    return Config.model_validate(chosen) if chosen else None
