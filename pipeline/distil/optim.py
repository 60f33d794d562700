"""fp32 master weights for a bf16 model, their running average, and the learning-rate schedule."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from pipeline.distil.config import OptimConfig
from pipeline.distil.processes import Processes


def learning_rate(tokens: int, config: OptimConfig, cooldown: tuple[int, int] | None) -> float:
    """Rate at a number of seen student tokens.

    Linear warm-up, then constant for as long as the run goes on. cooldown = (start, length) asks
    for a fall to 0 as 1 - sqrt(share), which at this open-ended schedule does as well as a cosine
    planned from the beginning.
    """
    rate = config.peak_lr * min(1.0, (tokens + 1) / max(1, config.warmup_tokens))
    if cooldown is not None and tokens > cooldown[0]:
        rate *= max(0.0, 1 - math.sqrt((tokens - cooldown[0]) / cooldown[1]))
    return rate


class MasterAdamW:
    """AdamW on fp32 copies; the model itself holds their rounded values.

    average holds an exponential mean of the master weights: with a constant rate it is nearly as
    good as a cooled-down model, at any time and for free.
    """

    def __init__(self, model: nn.Module, config: OptimConfig) -> None:
        self._config = config
        self.names = [name for name, _ in model.named_parameters()]
        self._live = [p for _, p in model.named_parameters()]
        self.master = [p.detach().float().clone() for p in self._live]
        self.average = [m.clone() for m in self.master]
        decayed = [m for m in self.master if m.ndim > 1]
        plain = [m for m in self.master if m.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": config.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        self._adam = torch.optim.AdamW(groups, lr=config.peak_lr, betas=config.betas, eps=config.eps, fused=True)
        self.steps = 0
        self._waiting = 0

    def collect(self) -> None:
        """Add the model's gradients to the fp32 ones: sums in bf16 would lose small parts."""
        for live, master in zip(self._live, self.master, strict=True):
            if live.grad is None:
                continue
            if master.grad is None or self._waiting == 0:
                master.grad = live.grad.float()
            else:
                master.grad.add_(live.grad)
            live.grad = None
        self._waiting += 1

    @torch.no_grad()
    def step(self, rate: float, processes: Processes) -> float:
        """One update with the mean of the gradients that all processes have collected; returns their norm."""
        gradients = [m.grad for m in self.master if m.grad is not None]
        processes.sum_(gradients)
        self._waiting *= processes.count
        norm = float(torch.nn.utils.get_total_norm(gradients)) / self._waiting
        factor = min(1.0, self._config.clip_norm / (norm + 1e-6)) / self._waiting
        torch._foreach_mul_(gradients, factor)
        for group in self._adam.param_groups:
            group["lr"] = rate
        # A broken batch must not poison the moments; the caller sees the norm in the log.
        if math.isfinite(norm):
            self._adam.step()
            self.steps += 1
            if self.steps % self._config.ema_every == 0:
                # Short memory at first, or the average would carry the start along for long.
                done = self.steps // self._config.ema_every
                decay = min(self._config.ema_decay, done / (done + 9))
                torch._foreach_lerp_(self.average, self.master, 1 - decay)
        self._waiting = 0
        self.publish(self.master)
        return norm

    @torch.no_grad()
    def publish(self, values: list[torch.Tensor]) -> None:
        """Write fp32 values into the live (bf16) parameters."""
        for live, value in zip(self._live, values, strict=True):
            live.copy_(value)

    def state(self) -> dict[str, Any]:
        """Everything to continue from, as tensors and plain values."""
        return {
            "master": dict(zip(self.names, self.master, strict=True)),
            "average": dict(zip(self.names, self.average, strict=True)),
            "adam": self._adam.state_dict(),
            "steps": self.steps,
        }

    @torch.no_grad()
    def load(self, state: dict[str, Any]) -> None:
        """Inverse of state()."""
        for name, master, average in zip(self.names, self.master, self.average, strict=True):
            master.copy_(state["master"][name])
            average.copy_(state["average"][name])
        self._adam.load_state_dict(state["adam"])
        self.steps = state["steps"]
        self.publish(self.master)
