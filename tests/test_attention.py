"""Attention for training equals torch's, forwards and backwards, inside and outside a model of transformers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from pipeline.attention import Attention, fast_attention, find_padding
from pipeline.encoders import load_encoder


@pytest.mark.parametrize("lengths", [(7, 7), (7, 3)])
def test_values_and_gradients_are_those_of_torch(lengths: tuple[int, ...]) -> None:
    torch.manual_seed(3)
    keys = torch.arange(7)[None] < torch.tensor(lengths)[:, None]
    theirs = [torch.randn(2, 3, 7, 4, dtype=torch.double, requires_grad=True) for _ in range(3)]
    ours = [states.detach().clone().requires_grad_() for states in theirs]
    expected = functional.scaled_dot_product_attention(*theirs, attn_mask=keys[:, None, None].expand(-1, 3, 7, -1))
    q, k, v = (states.flatten(0, 1) for states in ours)
    found = Attention.apply(q * 4**-0.5, k, v, find_padding(keys, torch.double)).view(2, 3, 7, 4)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(expected)
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


def _gradients(encoder: Path, mask: torch.Tensor, fast: bool, dropout: float = 0.0) -> list[torch.Tensor]:
    model = load_encoder(encoder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=dropout).train()
    ids = torch.arange(5, 5 + mask.shape[0] * mask.shape[-1]).view(mask.shape[0], -1)
    torch.manual_seed(5)
    if fast:
        with fast_attention(model):
            assert model.config._attn_implementation != "sdpa"
            states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    else:
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    assert model.config._attn_implementation == "sdpa"
    keep = mask.bool() if mask.dim() == 2 else torch.ones(ids.shape, dtype=torch.bool)
    (states[keep] ** 2).sum().backward()
    return [states[keep], *(p.grad for p in model.parameters() if p.grad is not None)]


PADDED = torch.tensor([[1] * 9, [1] * 4 + [0] * 5])
ROWS_DIFFER = torch.ones(2, 1, 9, 9, dtype=torch.bool).tril()
HOLE_INSIDE = torch.tensor([[1] * 9, [1, 1, 0, 0, 1, 1, 1, 1, 1]])


@pytest.mark.parametrize(
    ("mask", "dropout"),
    [(torch.ones(2, 9, dtype=torch.long), 0.0), (PADDED, 0.0), (PADDED, 0.3), (ROWS_DIFFER, 0.0), (HOLE_INSIDE, 0.0)],
)
def test_a_model_learns_the_same_whatever_its_mask(tiny_encoder: Path, mask: torch.Tensor, dropout: float) -> None:
    slow, fast = (_gradients(tiny_encoder, mask, fast, dropout) for fast in (False, True))
    for expected, found in zip(slow, fast, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_model_without_a_transformer_is_left_alone() -> None:
    with fast_attention(torch.nn.Linear(2, 2)) as nothing:
        assert nothing is None
