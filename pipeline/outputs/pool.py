"""Worker processes that each hold the model, and survive the death of any of them.

``concurrent.futures`` and loky give up all work in flight when a worker dies, and do not say which task it was at;
pebble knows, but its workers share one pipe, which a kill at the wrong moment leaves locked or half written. Here each
worker has a pipe of its own, so that its death touches nothing but the batch that it was at.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.outputs.batches import Batch
from pipeline.outputs.work import Fault, Load, Result
from pipeline.outputs.worker import ONE_THREAD, Answer, serve

_QUEUE = 2  # tasks a worker has: one that it is at, one that waits for it
_AHEAD = 4  # batches a worker that are read before the first of them is written: what bounds memory
_TRIES = 2  # an article that ends so many workers, each time alone, is given up
_LOADS = 3  # workers in a row that end before the model is loaded


@dataclass(slots=True)
class _Task:
    """Some documents of a batch.

    Attributes:
        batch: the number of the batch.
        first: index of the first document in the batch.
        deaths: of workers that had this document alone.
    """

    batch: int
    first: int
    documents: Sequence[Document]
    deaths: int = 0


@dataclass(slots=True)
class _Open:
    """A batch that has been read and not yet given back."""

    batch: Batch
    results: list[Result | None]

    def complete(self) -> bool:
        return None not in self.results


@dataclass(slots=True)
class _Worker:
    process: Any
    connection: Connection
    tasks: deque[_Task] = field(default_factory=deque)
    ready: bool = False


class WorkerPool:
    """Does the work in other processes; use it in a ``with`` block.

    Args:
        load: called in each worker with 1 thread; picklable.
        workers: how many.
        report: gets a line for each worker that dies.
    """

    def __init__(self, load: Load, workers: int, report: Callable[[str], None] = lambda line: None) -> None:
        self._load, self._count, self._report = load, workers, report
        self._workers: list[_Worker] = []
        self._waiting: deque[_Task] = deque()
        self._open: dict[int, _Open] = {}
        self._failed_loads = 0

    def __enter__(self) -> WorkerPool:
        for _ in range(self._count):
            self._workers.append(_start(self._load))
        return self

    def __exit__(self, *error: object) -> None:
        """End all workers, at once and whatever they are at."""
        for worker in self._workers:
            worker.connection.close()
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
        self._workers.clear()

    @property
    def pids(self) -> list[int]:
        """Of the workers."""
        return [worker.process.pid for worker in self._workers]

    def run(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Sequence[Result]]]:
        """Each batch with its results, in the order of the batches; no more than 4 batches a worker are held.

        Raises:
            QuanheError: the model cannot be loaded.
            RuntimeError: the extractor mixes documents up.
        """
        read = given = 0
        more = True
        while more or self._open:
            while more and self._has_room():
                batch = next(batches, None)
                more = batch is not None
                if batch:
                    self._take(read, batch)
                    read += 1
                self._listen(0)
            while given in self._open and self._open[given].complete():
                done = self._open.pop(given)
                given += 1
                yield done.batch, [result for result in done.results if result is not None]
            if self._open and not (more and self._has_room()):
                self._listen()

    def _has_room(self) -> bool:
        return len(self._open) < self._count * _AHEAD and len(self._waiting) < self._count

    def _take(self, number: int, batch: Batch) -> None:
        documents = batch.documents
        self._open[number] = _Open(batch, [None] * len(documents))
        if documents:
            self._waiting.append(_Task(number, 0, documents))

    def _hand_out(self) -> None:
        """Give waiting tasks to the workers that have least to do."""
        while self._waiting:
            worker = min(self._workers, key=lambda one: (len(one.tasks), not one.ready))
            if len(worker.tasks) >= _QUEUE:
                return
            task = self._waiting.popleft()
            worker.tasks.append(task)
            with contextlib.suppress(OSError):  # it is dead, which its end of the pipe will tell
                worker.connection.send(task.documents)

    def _listen(self, timeout: float | None = None) -> None:
        """Wait until a worker has something to say, or is dead, and keep all of them busy."""
        self._hand_out()
        heard = wait([worker.connection for worker in self._workers], timeout)
        for worker in [worker for worker in self._workers if worker.connection in heard]:
            try:
                kind, value = worker.connection.recv()
            except (EOFError, OSError):
                self._bury(worker)
            else:
                self._hear(worker, kind, value)
        self._hand_out()

    def _hear(self, worker: _Worker, kind: Answer, value: Any) -> None:
        if kind is Answer.READY:
            worker.ready = True
            self._failed_loads = 0
        elif kind is Answer.REFUSED:
            raise QuanheError(value)
        elif kind is Answer.BROKEN:
            raise RuntimeError(f"a worker process failed:\n{value}")
        else:
            self._finish(worker.tasks.popleft(), value)

    def _finish(self, task: _Task, results: Sequence[Result]) -> None:
        self._open[task.batch].results[task.first : task.first + len(results)] = results

    def _bury(self, worker: _Worker) -> None:
        """Replace a dead worker, and try again what it was at: its documents one by one."""
        worker.connection.close()
        worker.process.join()
        end = _how_it_ended(worker.process.exitcode)
        if not worker.ready:
            self._failed_loads += 1
            if self._failed_loads == _LOADS:
                raise QuanheError(
                    f"worker processes end while they load the model ({end}); "
                    "if it is for want of memory, use fewer: --workers N"
                )
        again = list(worker.tasks)
        if worker.ready and again:
            again[:1] = self._alone(again[0], end)
        self._waiting.extendleft(reversed(again))
        self._workers[self._workers.index(worker)] = _start(self._load)

    def _alone(self, task: _Task, end: str) -> list[_Task]:
        """What to do about a task that a worker died of: its documents one by one, those that are not given up."""
        if len(task.documents) > 1:
            articles = f"its {len(task.documents)} articles"
            self._report(f"a worker process died ({end}); {articles} are tried again one by one")
            return [_Task(task.batch, task.first + index, [one]) for index, one in enumerate(task.documents)]
        task.deaths += 1
        name = repr(task.documents[0].id)
        if task.deaths < _TRIES:
            self._report(f"a worker process died of the article {name} ({end}); it is tried once more")
            return [task]
        self._finish(task, [Fault(f"the worker process died of it, {end}, {_TRIES} times")])
        return []


def _start(load: Load) -> _Worker:
    """Spawned, not forked: threads of torch and of ONNX Runtime do not survive a fork."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, load), daemon=True)
    with _environment(ONE_THREAD), _without_interrupts():
        process.start()
    theirs.close()  # so that the worker's death is the end of the pipe
    return _Worker(process, ours)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Libraries read these when they are imported, so that a worker must be born with them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C reaches the whole process group; a process that is started here never sees it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _how_it_ended(code: int | None) -> str:
    if code is None:  # something else in this process has waited for it
        return "nobody knows how"
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name}, as when memory runs out" if name == "SIGKILL" else name
