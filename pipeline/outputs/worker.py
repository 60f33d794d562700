"""A worker process: loads the model, then turns documents into lines until its parent is gone."""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import threading
import traceback
from enum import Enum
from multiprocessing.connection import Connection
from typing import Any

from pipeline.errors import QuanheError
from pipeline.outputs.work import Load, work

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class Answer(Enum):
    """What a worker says: a pair of one of these and a value."""

    READY = "the model is loaded"
    DONE = "the results of the first task that it has"
    REFUSED = "the message of a QuanheError: the model cannot be loaded"
    BROKEN = "a traceback: an error of the program"


def serve(connection: Connection, load: Load) -> None:
    """The main function of a worker.

    Tasks are read in a thread of their own: the parent never waits for a worker that is at work, and a worker ends as
    soon as its parent does, however that comes about.
    """
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, tasks), daemon=True).start()
    with contextlib.suppress(BrokenPipeError):
        try:
            extractor = load(1)
            gc.collect()
            gc.freeze()  # the model is never garbage; no collection need go through it again
            connection.send((Answer.READY, None))
            while True:
                connection.send((Answer.DONE, work(extractor, tasks.get())))
        except QuanheError as error:
            connection.send((Answer.REFUSED, str(error)))
        except Exception:
            connection.send((Answer.BROKEN, traceback.format_exc()))


def _read(connection: Connection, tasks: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            tasks.put(connection.recv())
    finally:
        os._exit(0)
