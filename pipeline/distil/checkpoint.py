"""Atomic checkpoints: a crash at any moment leaves the last whole one."""

from __future__ import annotations

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from pipeline.errors import QuanheError

LAST = "last.pt"
PREVIOUS = "previous.pt"


def save_checkpoint(folder: Path, state: dict[str, Any]) -> Path:
    """Write to a temporary file, flush to disk, then rename; the one before is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    target, temporary = folder / LAST, folder / f"{LAST}.tmp"
    with temporary.open("wb") as handle:
        torch.save(state, handle)
        handle.flush()
        os.fsync(handle.fileno())
    if target.exists():
        # A link, not a rename: there must be a last.pt at every moment.
        spare = folder / f"{PREVIOUS}.tmp"
        spare.unlink(missing_ok=True)
        os.link(target, spare)
        os.replace(spare, folder / PREVIOUS)
    os.replace(temporary, target)
    return target


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint of a run, or None.

    Raises:
        QuanheError: it cannot be read.
    """
    path = folder / LAST
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise QuanheError(f"{path}: is damaged; put {PREVIOUS}, the checkpoint before it, in its place") from error
    return state
