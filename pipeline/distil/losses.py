"""Word pooling, the distillation losses and a cheap full-vocabulary masked-LM loss."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F


def pool(states: torch.Tensor, at: torch.Tensor, unit: torch.Tensor, units: int) -> torch.Tensor:
    """Mean of the pieces of every unit: states (N, H) at positions at (P,) -> fp32 (units, H)."""
    counts = torch.bincount(unit, minlength=units).clamp_(min=1)
    pieces = states.index_select(0, at).float()
    sums = torch.zeros(units, states.shape[1], device=states.device).index_add(0, unit, pieces)
    return sums / counts[:, None]


def distance(
    student: torch.Tensor, teacher: torch.Tensor, mean: torch.Tensor, std: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (1 - cosine, squared error) of word vectors (U, H) in the teacher's standard units.

    Both sides are centred and scaled by the teacher's mean and deviation per dimension (H,):
    raw e5 vectors share a few huge dimensions, so their plain cosines are all near 1.
    """
    s, t = (student - mean) / std, (teacher - mean) / std
    return 1 - F.cosine_similarity(s, t, dim=-1).mean(), F.mse_loss(s, t)


class _MaskedLoss(torch.autograd.Function):
    """Mean cross-entropy over the vocabulary; keeps only the bf16 probabilities for backward."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = F.linear(x, weight, bias)
        # amax is vectorised for bf16, argmax is not (36 ms against 4); ties hardly ever matter.
        hits = logits.gather(1, labels[:, None])[:, 0] == logits.amax(-1)
        p = torch.softmax(logits, -1)
        ctx.save_for_backward(x, weight, p, labels)
        ctx.mark_non_differentiable(hits)
        picked = p.gather(1, labels[:, None]).float().clamp_(min=1e-30)
        return -picked.log().mean(), hits

    @staticmethod
    def backward(
        ctx: Any, grad: torch.Tensor, _: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        x, weight, p, labels = ctx.saved_tensors
        # In place: p is ours alone, and a backward pass happens once.
        p[torch.arange(len(labels), device=p.device), labels] -= 1
        scale = float(grad) / len(labels)
        grad_x = (p @ weight).mul_(scale)
        small = x * scale
        return grad_x, p.t() @ small, p.sum(0).mul_(scale), None


def masked_loss(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy in nats and hits (M,) of predicting labels (M,) from x (M, H)."""
    loss, hits = _MaskedLoss.apply(x, weight, bias, labels)  # type: ignore[no-untyped-call]
    return loss, hits
