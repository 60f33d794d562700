"""A picture of a run's metrics."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from pipeline.errors import MissingExtraError

METRICS = "metrics.jsonl"
_PANELS = (
    ("training loss parts", ("loss", "cos*", "mse*")),
    ("masked-language-model loss (nats)", ("mlm", "held_mlm", "ema_mlm")),
    ("masked-language-model accuracy", ("acc", "held_acc", "ema_acc")),
    ("held-out squared error, standard units", ("held_z", "ema_z")),
    ("learning rate", ("lr",)),
    ("student pieces per second", ("tok_s",)),
)


def check_extra() -> None:
    """Say now, not after hours of training, that curves cannot be drawn.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "distil", "drawing curves (run.curves=false goes without)")


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """All metric lines of a run; a stretch that was repeated after a crash counts once."""
    by_key: dict[tuple[int, bool], dict[str, Any]] = {}
    path = run / METRICS
    if path.is_file():
        for text in path.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            by_key[line["tokens"], "held_acc" in line] = line
    return [by_key[key] for key in sorted(by_key)]


def draw(run: Path, target: Path) -> None:
    """Write the curves of a run as a PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    check_extra()
    from matplotlib.figure import Figure

    lines = read_metrics(run)
    names = sorted({name for line in lines for name in line})
    figure = Figure(figsize=(13, 7), layout="constrained")
    for axes, (title, keys) in zip(figure.subplots(2, 3).flat, _PANELS, strict=True):
        for key in _expand(keys, names):
            points = [(line["tokens"] / 1e6, line[key]) for line in lines if line.get(key) is not None]
            if points:
                style = "o-" if key.startswith(("held", "ema")) else "-"
                axes.plot(*zip(*points, strict=True), style, label=key, markersize=3, linewidth=1)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("million student pieces")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=8)
    figure.savefig(target, dpi=110)


def _expand(keys: tuple[str, ...], names: list[str]) -> list[str]:
    """``cos*`` stands for the names of all layers."""
    return [
        name for key in keys for name in (names if key.endswith("*") else [key]) if name == key or _matches(name, key)
    ]


def _matches(name: str, key: str) -> bool:
    return key.endswith("*") and name.startswith(key[:-1]) and name[len(key) - 1 :].isdigit()
