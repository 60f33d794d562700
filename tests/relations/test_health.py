"""A pair classifier whose encoder has collapsed is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from pipeline.errors import QuanheError
from pipeline.relations.health import check_reads, state_spread

PAD = 1
ROW: dict[str, Any] = {"input_ids": [0, 5, 6, 7, 2], "positions": [], "text_length": 5, "ends": [[1, 1, 3, 3]],
                       "between": [[2, 3]], "types": [[0, 1]], "features": [[0] * 9]}  # fmt: skip


class Body(torch.nn.Module):
    """Answers every piece with its embedding, or all of them with one vector."""

    device = torch.device("cpu")

    def __init__(self, scale: float) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.table = torch.ones(10, 8) + scale * torch.randn(10, 8, generator=generator)

    def forward(self, input_ids: torch.Tensor, **rest: Any) -> Any:
        return SimpleNamespace(last_hidden_state=self.table[input_ids])


def model(scale: float) -> Any:
    return SimpleNamespace(encoder=Body(scale))


def test_states_that_differ_pass() -> None:
    check_reads(model(0.5), [ROW, {**ROW, "input_ids": [0, 8, 2]}], PAD)


def test_equal_states_are_refused() -> None:
    with pytest.raises(QuanheError, match="collapsed"):
        check_reads(model(1e-4), [ROW], PAD)


def test_padding_does_not_count() -> None:
    short = {**ROW, "input_ids": [0, 2]}
    assert state_spread(model(0.5), [ROW, short], PAD) == pytest.approx(
        float((found := model(0.5).encoder.table[[0, 5, 6, 7, 2, 0, 2]]).std(0).mean() / found.abs().mean())
    )
