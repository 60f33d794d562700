"""Channels of larger numbers than the rest, which would spoil a layer's 8-bit range.

All channels of a layer's input share one range, so that the largest decides how coarsely all are rounded. Two things
are done about it, neither of which changes the result in full precision:

Single channels carry numbers of 20 to 70 at a few pieces, ``<s>`` for one, where all others stay below 8 (massive
activations: Sun et al., 2024). They are left out of the 8-bit product and added in fp32 (LLM.int8(): Dettmers et al.,
2022); one or two a layer are no work.

Of the others, those above the middle one are divided by the square root of how far they are above, and the weights that
read them multiplied: that moves some of the range to where each output has a scale of its own (SmoothQuant: Xiao et
al., 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

_APART = 2.0  # times the 99th percentile of the channels' maxima: what is above it stands apart
MOST_APART = 8  # channels; more would be no few any more


class Even(nn.Module):
    """A linear layer whose input can be rounded: the same result.

    Args:
        largest: absolute value that each channel of the input takes, ``[channels]``.
    """

    def __init__(self, linear: nn.Linear, largest: torch.Tensor) -> None:
        super().__init__()
        limit = _APART * largest.quantile(0.99, interpolation="lower")
        top = largest.topk(min(MOST_APART, len(largest))).indices
        self.apart = top[largest[top] > limit].sort().values
        rest = largest.index_fill(0, self.apart, 0.0)
        scale = (rest / rest.median().clamp(min=1e-6)).clamp(min=1.0).sqrt()
        weight = linear.weight.detach()
        self.linear = nn.Linear(linear.in_features, linear.out_features, linear.bias is not None)
        self.linear.weight = nn.Parameter((weight * scale).index_fill(1, self.apart, 0.0), requires_grad=False)
        self.linear.bias = linear.bias
        self.inverse = nn.Parameter((1 / scale).index_fill(0, self.apart, 0.0), requires_grad=False)
        self.weight_apart = nn.Parameter(weight[:, self.apart].T.contiguous(), requires_grad=False)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.linear(states * self.inverse)
        if len(self.apart):
            result = result + states.index_select(-1, self.apart) @ self.weight_apart
        return result


def largest_inputs(body: nn.Module, read: Callable[[], object]) -> dict[str, torch.Tensor]:
    """The largest absolute value in each input channel of each linear layer.

    Args:
        body: an encoder.
        read: lets it read windows.
    """
    found: dict[str, torch.Tensor] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[torch.Tensor, ...]], None]:
        def look(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            top = inputs[0].detach().flatten(0, -2).abs().amax(0)
            found[name] = torch.maximum(found.get(name, top), top)

        return look

    layers = [(name, module) for name, module in body.named_modules() if isinstance(module, nn.Linear)]
    hooks = [module.register_forward_pre_hook(watch(name)) for name, module in layers]
    try:
        read()
    finally:
        for hook in hooks:
            hook.remove()
    return found


@contextmanager
def even_channels(body: nn.Module, largest: Mapping[str, torch.Tensor]) -> Iterator[None]:
    """The encoder with ``Even`` in place of its linear layers, for as long as it takes.

    Args:
        largest: from ``largest_inputs``.
    """
    replaced: list[tuple[nn.Module, str, nn.Linear]] = []
    for name, top in largest.items():
        parent, _, own = name.rpartition(".")
        module, linear = body.get_submodule(parent), body.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        replaced.append((module, own, linear))
        setattr(module, own, Even(linear, top))
    try:
        yield
    finally:
        for module, own, linear in replaced:
            setattr(module, own, linear)
