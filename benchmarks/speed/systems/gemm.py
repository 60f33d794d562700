"""How fast the processor multiplies matrices, by the fastest way that torch has: the roof for every encoder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SIZE = 2048
_LEAST = 0.5  # seconds a probe; the fastest product counts


def load(folder: Path) -> Probe:
    """Nothing to load."""
    return Probe()


class Probe:
    """Square products of 2048 × 2048."""

    def run(self, texts: list[str]) -> dict[str, Any]:
        """``gflops`` (10⁹ multiplications and additions a second) by precision."""
        import torch

        a, b = torch.randn(_SIZE, _SIZE), torch.randn(_SIZE, _SIZE)
        probes: dict[str, Callable[[], Any]] = {
            "fp32": lambda: a @ b,
            "bf16": _product(a.bfloat16(), b.bfloat16()),
            "int8": _int8(a, b),
        }
        with torch.inference_mode():
            return {"found": 0, "gflops": {name: _fastest(probe) for name, probe in probes.items()}}


def _product(a: Any, b: Any) -> Callable[[], Any]:
    return lambda: a @ b


def _int8(a: Any, b: Any) -> Callable[[], Any]:
    """8-bit integers with 32-bit sums."""
    import torch

    left, right = ((m * 30).clamp(-127, 127).to(torch.int8) for m in (a, b))
    return lambda: torch._int_mm(left, right)


def _fastest(probe: Callable[[], Any]) -> float:
    probe()
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() - begin < _LEAST:
        start = time.perf_counter()
        probe()
        best = min(best, time.perf_counter() - start)
    return 2 * _SIZE**3 / best / 1e9
