"""Rows of windows with candidates → torch tensors."""

from __future__ import annotations

from typing import Any

import torch

from pipeline.relations.rows import FIRST_POSITION
from pipeline.training import pad_rows


def collate(rows: list[dict[str, Any]], pad_id: int) -> dict[str, torch.Tensor]:
    """Pad windows and number their pairs through; see ``RelationModel.forward`` for the result."""
    ids = pad_rows([row["input_ids"] for row in rows], pad_id)
    batch: dict[str, torch.Tensor] = {"input_ids": ids, "attention_mask": (ids != pad_id).long()}
    if any(row["positions"] for row in rows):
        batch["position_ids"], batch["attention_mask"] = _levitate(rows, ids, pad_id)
    batch["pair_window"] = torch.tensor([index for index, row in enumerate(rows) for _ in row["ends"]])
    for name, key in (("ends", "ends"), ("between", "between"), ("types", "types"), ("features", "features")):
        batch[f"pair_{name}"] = torch.tensor([value for row in rows for value in row[key]])
    if "labels" in rows[0]:
        batch["labels"] = torch.tensor([value for row in rows for value in row["labels"]])
    return batch


def _levitate(rows: list[dict[str, Any]], ids: torch.Tensor, pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions ``[windows, length]`` and who attends whom ``[windows, 1, length, length]``.

    Text attends text only, so that it reads as if there were no markers; a marker attends the text and its partner.
    """
    count, length = ids.shape
    positions = torch.full((count, length), pad_id)
    allowed = torch.zeros(count, 1, length, length, dtype=torch.bool)
    for index, row in enumerate(rows):
        text, total = row["text_length"], len(row["input_ids"])
        positions[index, :text] = torch.arange(text) + FIRST_POSITION
        if row["positions"]:
            positions[index, text:total] = torch.tensor(row["positions"]) + FIRST_POSITION
        allowed[index, 0, :total, :text] = True
        markers = torch.arange(text, total)
        allowed[index, 0, markers, markers] = True
        partners = text + ((markers - text) ^ 1)
        allowed[index, 0, markers, partners] = True
        allowed[index, 0, total:, 0] = True  # padding must attend something, or its softmax is not a number
    return positions, allowed
