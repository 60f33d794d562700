"""The two ends of a window, computed apart where they would spoil its 8-bit ranges.

Encoders keep a few huge numbers in the states of the first and the last piece (massive activations: Sun et al., 2024);
here they stand at 35 where all others stay below 8. A range that reaches so far leaves few steps for everything else.
The feed-forward part of a layer, where that happens, reads every piece by itself, so that nothing changes when the two
ends go through it apart from the rest, with ranges of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

_PART = "feed_forward_chunk"  # of a layer of BERT and its kin


@contextmanager
def ends_apart(model: nn.Module) -> Iterator[None]:
    """The model with the ends of its windows computed apart in the feed-forward parts, for as long as it takes.

    Encoders of other families stay as they are.
    """
    layers = [module for module in model.modules() if hasattr(module, _PART)]
    for layer in layers:
        setattr(layer, _PART, _apart(getattr(layer, _PART)))
    try:
        yield
    finally:
        for layer in layers:
            delattr(layer, _PART)  # the method of the class shows again


def _apart(part: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    def run(states: torch.Tensor) -> torch.Tensor:
        ends = part(torch.cat([states[:, :1], states[:, -1:]], dim=1))
        return torch.cat([ends[:, :1], part(states[:, 1:-1]), ends[:, 1:]], dim=1)

    return run
