"""How many workers a run is worth."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence

from pipeline.inputs.sources import input_bytes

_BYTES_A_WORKER = 500_000  # some minutes of work, beside which the seconds of loading a model are little


def cores() -> int:
    """Processor cores that this process may use: fewer than there are under ``taskset``, Slurm or a container."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worth(arguments: Sequence[str]) -> int:
    """Workers for the inputs that the arguments stand for: a core each, but no more than have work.

    One, which works in this process and with all cores, on a machine with a GPU: processes would only share it.
    """
    if glob.glob("/dev/nvidia[0-9]*"):
        return 1
    most = cores()
    return max(1, min(most, input_bytes(arguments, most * _BYTES_A_WORKER) // _BYTES_A_WORKER))
