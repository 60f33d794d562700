"""ONNX Runtime: graphs that score one window a run."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import MissingExtraError, QuanheError

Feed = Mapping[str, NDArray[Any]]
# ONNX Runtime's fused kernel of these two takes five times as long as they do one after the other.
_SLOW_FUSIONS = ["SkipLayerNormFusion"]


class WindowGraph:
    """A graph with one output that scores one window a run; several threads run several windows.

    One window a run is faster than padded batches: nothing is computed for padding, no mask is added, and a window's
    states stay in the cache. And no result depends on the windows around it, although the range of 8-bit states does
    depend on all that is computed together.

    Args:
        threads: windows at a time; 0 takes the cores that this process may use.

    Raises:
        QuanheError: onnxruntime is not installed, or cannot read the file.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError("onnxruntime", "onnx", "the engine onnx") from error
        self._threads = threads or available_cores()
        self._pool: ThreadPoolExecutor | None = None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # one is kept for every length that ever came
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOW_FUSIONS
            )
        except Exception as error:  # onnxruntime's exceptions have no common base of its own
            reason = str(error).strip().split("\n")[0][:200]
            raise QuanheError(f"{path}: onnxruntime cannot read it ({reason}); run `quanhe export` again") from error

    def __call__(self, feeds: Sequence[Feed]) -> list[NDArray[np.float32]]:
        """The output for each feed, in the order given.

        Args:
            feeds: input name → array.
        """
        if self._threads == 1 or len(feeds) < 2:
            return [self._run(feed) for feed in feeds]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, "onnx")
        return list(self._pool.map(self._run, feeds))  # onnxruntime gives the GIL away

    def _run(self, feed: Feed) -> NDArray[np.float32]:
        output: NDArray[np.float32] = self._session.run(None, dict(feed))[0]
        return output


@cache
def exact_in_8_bits() -> bool:
    """Whether the processor adds 8-bit products without overflow.

    x86 processors need VNNI for that. Others add pairs of products in 16 bits, which saturates, and onnxruntime leaves
    it at that. Where the flags cannot be read, the answer is no.
    """
    if platform.machine().lower() not in ("x86_64", "amd64", "i386", "i686"):
        return True
    try:
        return "vnni" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
