"""Attention whose backward pass is five batched matrix products.

torch's flash attention on CPUs takes twice as long backwards, four times at short lengths; forwards alone it is the
faster one where the CPU has matrix units.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

_NAME = "quanhe_cpu"


@dataclass(frozen=True)
class Padding:
    """Additive mask of the key columns from ``first`` on: bias (B, 1, 1, L - first).

    Batches are sorted by length, so only the last few columns ever hold padding: adding over them alone is twenty times
    cheaper than over whole rows.
    """

    first: int
    bias: torch.Tensor

    def full(self, length: int) -> torch.Tensor:
        """The mask of all columns, (B, 1, length, length) without memory of that size."""
        return F.pad(self.bias, (self.first, 0)).expand(-1, -1, length, -1)


def find_padding(keys: torch.Tensor, dtype: torch.dtype) -> Padding | None:
    """Padding of keys (B, L), which is False at the end of short rows; None if there is none."""
    first = int(keys.sum(1).min())
    if first == keys.shape[1]:
        return None
    bias = torch.zeros(keys.shape[0], 1, 1, keys.shape[1] - first, dtype=dtype, device=keys.device)
    return Padding(first, bias.masked_fill_(~keys[:, None, None, first:], -3e4))


@lru_cache
def flash_pays(device: torch.device) -> bool:
    """Whether torch's flash attention is the faster one without a backward pass: on GPUs, and on CPUs with matrix
    units. Others took twice as long with it."""
    return device.type != "cpu" or bool(torch.cpu.get_capabilities().get("amx_bf16"))


class Attention(torch.autograd.Function):
    """softmax(q k^T) v over N = batch * heads; q comes already scaled. All (N, L, D).

    Both softmaxes work in place: fresh blocks of this size cost more than the arithmetic.
    """

    @staticmethod
    def forward(ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, padding: Padding | None) -> torch.Tensor:
        with torch.autocast(q.device.type, enabled=False):
            p = torch.bmm(q, k.transpose(1, 2))
            if padding is not None:
                rows = p.view(padding.bias.shape[0], -1, *p.shape[1:])
                rows[..., padding.first :].add_(padding.bias)
            torch.softmax(p, -1, out=p)
            ctx.save_for_backward(q, k, v, p)
            return torch.bmm(p, v)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        q, k, v, p = ctx.saved_tensors
        with torch.autocast(q.device.type, enabled=False):
            grad_v = torch.bmm(p.transpose(1, 2), grad)
            grad_s = torch.bmm(grad, v.transpose(1, 2))
            torch.ops.aten._softmax_backward_data.out(grad_s, p, -1, p.dtype, grad_input=grad_s)
            grad_q = torch.bmm(grad_s, k)
            grad_k = torch.bmm(grad_s.transpose(1, 2), q)
        return grad_q, grad_k, grad_v, None


@contextmanager
def fast_attention(model: torch.nn.Module) -> Iterator[None]:
    """Let the transformer in a model train with ``Attention`` on a CPU; a GPU's kernels need no help."""
    body = next((module for module in model.modules() if isinstance(module, PreTrainedModel)), None)
    if body is None or body.device.type != "cpu" or body.config._attn_implementation != "sdpa":
        yield
        return
    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, sdpa_mask)
    body.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        body.set_attn_implementation("sdpa")


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention interface: all (B, heads, L, D), mask True where a query may look, (B, 1, L, L)."""
    simple = torch.is_grad_enabled() and not dropout and query.shape == key.shape and rest.get("position_bias") is None
    if simple and attention_mask is not None:
        # Only masks of padding: the same keys for every query, and those first in their rows.
        keys = attention_mask[:, 0, 0]
        simple = attention_mask.dtype == torch.bool and bool((attention_mask == keys[:, None, None]).all())
        simple = simple and bool((keys.cummin(1).values == keys).all())
    if not simple:
        out, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=False, **rest
        )
        return out, None
    padding = None if attention_mask is None else find_padding(attention_mask[:, 0, 0], query.dtype)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    q, k, v = ((states * scale if states is query else states).flatten(0, 1) for states in (query, key, value))
    mixed: torch.Tensor = Attention.apply(q, k, v, padding)  # type: ignore[no-untyped-call]
    return mixed.view(query.shape).transpose(1, 2).contiguous(), None
