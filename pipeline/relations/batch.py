"""Windows with candidates → tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pipeline.relations.candidates import Candidate
from pipeline.relations.encoding import RelationWindow
from pipeline.training import pad_rows

FIRST_POSITION = 2  # RoBERTa counts positions from behind the padding id


def window_row(
    window: RelationWindow, candidates: Sequence[Candidate], labels: Sequence[Sequence[int]] | None = None
) -> dict[str, Any]:
    """One row of a dataset: plain lists.

    Args:
        candidates: of the whole document.
        labels: for each of them, 1, 0 or -100 per relation type.
    """
    ends = [[*window.spans[head], *window.spans[tail]] for head, tail in window.pairs]
    row: dict[str, Any] = {
        "input_ids": window.ids,
        "length": len(window.ids),
        "text_length": window.text_length,
        "positions": window.positions,
        "ends": ends,
        "between": [_between(window, head, tail) for head, tail in window.pairs],
        "types": [[window.types[head], window.types[tail]] for head, tail in window.pairs],
        "features": [list(candidates[index].features) for index in window.candidates],
    }
    if labels is not None:
        row["labels"] = [list(labels[index]) for index in window.candidates]
    return row


def _between(window: RelationWindow, head: int, tail: int) -> list[int]:
    """Text positions ``[start, end)`` between two spans."""
    if window.positions:  # levitated: the spans' places in the text, not those of their markers
        spans = [(window.positions[2 * slot], window.positions[2 * slot + 1]) for slot in (head, tail)]
    else:
        spans = [window.spans[head], window.spans[tail]]
    (_, first_end), (second_start, _) = sorted(spans)
    return [first_end + 1, max(second_start, first_end + 1)]


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
