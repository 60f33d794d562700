"""Standardised outputs: what comes out, what stays as it was, and encoders that cannot be scaled."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedModel

from pipeline.encoders import load_encoder
from pipeline.standardise import standardise_outputs


def _batches() -> list[dict[str, torch.Tensor]]:
    torch.manual_seed(7)
    ids = torch.randint(5, 200, (6, 12))
    mask = torch.ones(6, 12, dtype=torch.long)
    mask[2:, 9:] = 0
    return [{"input_ids": ids[i : i + 2], "attention_mask": mask[i : i + 2]} for i in range(0, 6, 2)]


def _text_states(encoder: PreTrainedModel) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([encoder.eval()(**b).last_hidden_state[b["attention_mask"].bool()] for b in _batches()])


def test_each_dimension_of_the_text_has_mean_0_and_variance_1(tiny_encoder: Path) -> None:
    encoder = load_encoder(tiny_encoder).train()
    before = _text_states(encoder)
    encoder.train()
    assert standardise_outputs(encoder, _batches())
    assert encoder.training
    after = _text_states(encoder)
    torch.testing.assert_close(after.mean(0), torch.zeros(32), atol=1e-4, rtol=0)
    torch.testing.assert_close(after.std(0), torch.ones(32), atol=1e-3, rtol=0)
    torch.testing.assert_close(after, (before - before.mean(0)) / before.std(0), atol=1e-3, rtol=1e-3)


def test_masks_of_four_dimensions_and_positions_are_understood(tiny_encoder: Path) -> None:
    flat, square = load_encoder(tiny_encoder), load_encoder(tiny_encoder)
    standardise_outputs(flat, _batches())
    wide = []
    for batch in _batches():
        mask = batch["attention_mask"].bool()[:, None, None].expand(-1, 1, 12, -1)
        positions = (torch.arange(12) + 2).expand(2, -1)
        wide.append({"input_ids": batch["input_ids"], "attention_mask": mask, "position_ids": positions})
    standardise_outputs(square, wide)
    torch.testing.assert_close(_text_states(flat), _text_states(square), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("changed", [True, False])
def test_only_outputs_of_a_layer_norm_can_be_scaled(changed: bool) -> None:
    config = BertConfig(
        vocab_size=200, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    encoder = BertModel(config, add_pooling_layer=False)
    if changed:
        encoder.encoder.layer[-1].output.LayerNorm = torch.nn.Identity()
    weights = {name: value.clone() for name, value in encoder.state_dict().items()}
    assert standardise_outputs(encoder, _batches()) is not changed
    same = all(torch.equal(value, weights[name]) for name, value in encoder.state_dict().items())
    assert same is changed
