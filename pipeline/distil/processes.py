"""One process, or one a GPU: data-parallel training through Hugging Face accelerate.

Each process reads the whole stream of batches and computes its share; gradients are summed before every step, so that
all processes hold the same weights. A step of N processes learns from the same batches as one process with N times the
``optim.accumulate``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import reduce

from pipeline.distil.batches import Batch, Position
from pipeline.encoders import pick_device

ResultT = TypeVar("ResultT")


class Processes:
    """The processes that ``accelerate launch`` or ``torchrun`` started; one when neither did.

    Args:
        device: the setting; ``auto`` takes this process's GPU when there is one.

    Attributes:
        count, index: number of processes, and which one this is.
        device: that this process computes on.
        main: whether this is the process that writes and prints.
    """

    def __init__(self, device: Literal["auto", "cpu", "cuda"] = "auto") -> None:
        self.count, self.index = 1, 0
        self.device = pick_device(device)
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            # The others wait while the main process segments a corpus or learns a vocabulary.
            self._state = PartialState(cpu=self.device.type == "cpu", timeout=timedelta(days=7))
            self.count, self.index = self._state.num_processes, self._state.process_index
            self.device = self._state.device
        self.main = self.index == 0

    def share(self, batches: Iterator[tuple[Batch, Position]]) -> Iterator[tuple[Batch, Position, int]]:
        """This process's batch of each round, the position behind the round, and the round's student pieces."""
        while True:
            pieces = 0
            for index in range(self.count):
                batch, following = next(batches)
                pieces += batch.tokens
                if index == self.index:
                    mine = batch
            yield mine, following, pieces

    def sum_(self, tensors: list[torch.Tensor]) -> None:
        """Replace tensors by their sums over all processes."""
        if self.count > 1:
            for tensor, total in zip(tensors, reduce(tensors, "sum"), strict=True):
                tensor.copy_(total)

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        if self.count == 1:
            return flag
        return bool(reduce(torch.tensor(float(flag), device=self.device), "sum") > 0)

    def main_first(self, work: Callable[[], ResultT]) -> ResultT:
        """Do what writes files in the main process first; the others find them when their turn comes."""
        if self.count == 1:
            return work()
        with self._state.main_process_first():
            return work()

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            self._state.wait_for_everyone()
