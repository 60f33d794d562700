"""Windows with candidates → plain rows, from which every engine makes its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.relations.candidates import Candidates
from pipeline.relations.encoding import RelationWindow

FIRST_POSITION = 2  # RoBERTa counts positions from behind the padding id


def window_row(
    window: RelationWindow, candidates: Candidates, labels: Sequence[Sequence[int]] | None = None
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
        "features": candidates.features[window.candidates].tolist(),
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
