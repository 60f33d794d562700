"""Whether the encoder of a trained pair classifier still reads: a collapsed one gives every word the same state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pipeline.errors import QuanheError
from pipeline.relations.batch import collate
from pipeline.relations.model import RelationModel, to_device

# Healthy encoders have 0.5 to 1; a collapsed one had 0.0007, and its scores depended on distances and types alone.
_LEAST_SPREAD = 0.02
_WINDOWS = 4


def state_spread(model: RelationModel, rows: Sequence[dict[str, Any]], pad_id: int) -> float:
    """How much the last hidden states differ from one piece to the next, relative to their size.

    Args:
        rows: windows as ``window_row`` gives them; the first few are read.

    Returns:
        Mean standard deviation over positions divided by the mean absolute value.
    """
    batch = to_device(collate([*rows[:_WINDOWS]], pad_id), model.encoder.device)
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "position_ids") if name in batch}
    with torch.inference_mode():
        states = model.encoder(**inputs).last_hidden_state.float()
    found = states[batch["input_ids"] != pad_id]
    return float(found.std(dim=0).mean() / found.abs().mean().clamp(min=1e-12))


def check_reads(model: RelationModel, rows: Sequence[dict[str, Any]], pad_id: int) -> None:
    """Refuse a pair classifier whose encoder has collapsed in training.

    Raises:
        QuanheError: every piece has nearly the same state, so that no score depends on the text.
    """
    spread = state_spread(model, rows, pad_id) if rows else 1.0
    if spread < _LEAST_SPREAD:
        raise QuanheError(
            f"relations: the encoder collapsed in training (spread of its states {spread:.4f}), so that scores do not "
            "depend on the text; lower relations.learning_rate and relations.head_learning_rate, or change the seed"
        )
