"""An encoder's outputs in standard units, so that a fresh head sees differences and not only their mean.

Encoders distilled from sentence encoders keep all words in a narrow cone (Ethayarajh, 2019): each dimension has a large
mean and a standard deviation of a tenth. A fresh layer behind it sees nearly the same vector everywhere, learns from
whatever else it is given, and training then flattens the encoder until all words are alike. The gain and bias of the
last layer norm take the scaling in, so that nothing is added to the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

_INPUTS = ("input_ids", "attention_mask", "position_ids")
_LEAST = 1e-4  # a dimension that never changes is not blown up


@torch.no_grad()
def standardise_outputs(encoder: PreTrainedModel, batches: Iterable[Mapping[str, torch.Tensor]]) -> bool:
    """Scale the last layer norm so that each output dimension has mean 0 and variance 1 over the text of some batches.

    Args:
        encoder: without head; its mode (training or not) is left as it was.
        batches: ``input_ids [rows, pieces]``, ``attention_mask`` of the same shape or ``[rows, 1, pieces, pieces]``,
            and perhaps ``position_ids``.

    Returns:
        Whether it was done; an encoder whose outputs are not those of a layer norm stays as it is.
    """
    training = encoder.training
    encoder.eval()
    states: list[torch.Tensor] = []
    norm: nn.LayerNorm | None = None
    for batch in batches:
        found, norm = _read(encoder, {name: batch[name].to(encoder.device) for name in _INPUTS if name in batch})
        mask = batch["attention_mask"]
        text = mask.bool() if mask.dim() == 2 else mask[:, 0, 0].bool()
        states.append(found[text.to(found.device)].float())
    encoder.train(training)
    if norm is None or norm.weight is None or norm.bias is None:
        return False
    values = torch.cat(states)
    mean, deviation = values.mean(0), values.std(0).clamp(min=_LEAST)
    norm.weight.div_(deviation)
    norm.bias.sub_(mean).div_(deviation)
    return True


def _read(encoder: PreTrainedModel, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, nn.LayerNorm | None]:
    """The encoder's outputs, and the layer norm that they come out of unchanged, if they do."""
    last: list[tuple[nn.LayerNorm, torch.Tensor]] = []

    def remember(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        assert isinstance(module, nn.LayerNorm)
        last[:] = [(module, output)]

    hooks = [m.register_forward_hook(remember) for m in encoder.modules() if isinstance(m, nn.LayerNorm)]
    try:
        states: torch.Tensor = encoder(**inputs).last_hidden_state
    finally:
        for hook in hooks:
            hook.remove()
    norm = next((module for module, output in last if torch.equal(output, states)), None)
    return states, norm
