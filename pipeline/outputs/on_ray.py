"""A batch run on a Ray cluster: Ray Data reads and computes on all nodes, the run itself puts the results in order.

Files are read where there is room, cut into batches, and given to actors that each hold the model (Ray Data's
``map_batches`` on a class). Ray starts lost tasks and actors again. Each actor works through a worker process of its
own, so that an article that kills whoever reads it is found and given up as on one machine. What comes back is in the
order of the input; writing, resuming and counting are those of every batch run.
"""

from __future__ import annotations

import contextlib
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.errors import Problem, QuanheError
from pipeline.inputs.records import FieldNames, Item, Skipped, first_line, import_extra
from pipeline.inputs.sources import STDIN, find, read_found
from pipeline.outputs.batches import Batch, cut
from pipeline.outputs.pool import WorkerPool
from pipeline.outputs.position import InputPosition
from pipeline.outputs.work import Load, Result

_BLOCK_BYTES = 1 << 20  # what an actor gets at a time; Ray's own 128 MiB would be one task for thousands of articles
_COLUMN = "data"  # each row is one pickled value, so that any field of any record passes unchanged


def check_ray(inputs: Sequence[str]) -> None:
    """Refuse what cannot be run on a cluster, before anything is started.

    Raises:
        MissingExtraError: Ray is not installed.
        QuanheError: stdin is an input: other machines cannot read it.
    """
    if STDIN in inputs:
        raise QuanheError("stdin (-) cannot be read with --runner ray; name files that all machines can read")
    import_extra("ray.data", "ray", "--runner ray")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A file to read on the cluster, or what is told in its place; ``skip`` of its items are done already."""

    found: Path | Problem | Skipped
    skip: int = 0


class RayExecutor:
    """Does the reading and the work on a cluster; use it in a ``with`` block, with :meth:`read` for the items.

    Args:
        load: called once in each worker; picklable.
        address: of a running cluster; ``None`` starts Ray on this machine.
        actors: how many hold the model; by default one a GPU where the cluster has any, else one a core.
        size: articles a batch.
    """

    def __init__(self, load: Load, address: str | None = None, actors: int | None = None, size: int = 16) -> None:
        self._load, self._address, self._actors, self._size = load, address, actors, size
        self._ray = import_extra("ray", "ray", "--runner ray")
        self._remote = False
        self._results: deque[Result] = deque()

    def __enter__(self) -> RayExecutor:
        self._ours = not self._ray.is_initialized()
        if self._ours:
            try:
                self._ray.init(
                    address=self._address,
                    include_dashboard=None if self._address else False,
                    log_to_driver=False,
                    logging_level="warning",
                )
            except Exception as error:  # Ray raises anything here, plain Exception too
                where = self._address or "this machine"
                raise QuanheError(f"Ray at {where}: {first_line(error)}; check --address and `ray status`") from error
        return self

    def __exit__(self, *error: object) -> None:
        if self._ours:
            self._ray.shutdown()

    def read(self, arguments: Sequence[str], names: FieldNames, output: Path | None = None) -> Iterator[Item]:
        """The items of the inputs in order: read here as long as they are only passed over, then on the cluster."""
        units = [_Unit(found) for found in find(arguments, output) if not isinstance(found, str)]
        for index, unit in enumerate(units):
            if self._remote:
                yield from self._read_remotely(units[index:], names)
                return
            for count, item in enumerate(read_found(unit.found, names)):
                if self._remote:
                    rest = [_Unit(unit.found, count), *units[index + 1 :]]
                    yield from self._read_remotely(rest, names)
                    return
                yield item

    def run(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Sequence[Result]]]:
        """Each batch with the results that came from the cluster along with its items."""
        self._remote = True
        for batch in batches:
            yield batch, [self._results.popleft() for _ in batch.documents]

    def _read_remotely(self, units: Sequence[_Unit], names: FieldNames) -> Iterator[Item]:
        data = import_extra("ray.data", "ray", "--runner ray")
        context = data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.target_max_block_size = _BLOCK_BYTES
        context.enable_progress_bars = False
        gpus = int(self._ray.cluster_resources().get("GPU", 0))
        actors = self._actors or gpus or max(1, int(self._ray.cluster_resources().get("CPU", 1)) - 1)
        dataset = (
            data.from_items([{_COLUMN: pickle.dumps(unit)} for unit in units], override_num_blocks=len(units))
            .map_batches(_Reading(names, self._size), batch_size=1, batch_format="pyarrow", num_cpus=0.5)
            .map_batches(
                _Working,
                fn_constructor_args=(self._load,),
                batch_size=1,
                batch_format="pyarrow",
                concurrency=actors,
                num_cpus=None if gpus else 1,
                num_gpus=1 if gpus else None,
            )
        )
        try:
            for row in dataset.iter_rows():
                items, results = pickle.loads(row[_COLUMN])
                self._results.extend(results)
                yield from items
        except self._ray.exceptions.RayError as error:
            raise QuanheError(f"the Ray cluster gave up ({first_line(error)}); go on with --resume") from error


@dataclass(frozen=True, slots=True)
class _Reading:
    """A file → its items in batches, a row each."""

    names: FieldNames
    size: int

    def __call__(self, rows: Any) -> Iterator[Any]:
        for data in rows.column(_COLUMN).to_pylist():
            unit: _Unit = pickle.loads(data)
            items = islice(read_found(unit.found, self.names), unit.skip, None)
            for batch in cut(items, InputPosition(), self.size):
                yield _table([pickle.dumps(batch)])


class _Working:
    """An actor: a batch → its items and their results."""

    def __init__(self, load: Load) -> None:
        self._stack = contextlib.ExitStack()
        self._pool = self._stack.enter_context(WorkerPool(load, 1))

    def close(self) -> None:
        """End the worker process; when the actor ends, it ends by itself."""
        self._stack.close()

    def __call__(self, rows: Any) -> Any:
        done = self._pool.run(pickle.loads(data) for data in rows.column(_COLUMN).to_pylist())
        return _table([pickle.dumps(([item for item, _ in batch.entries], results)) for batch, results in done])


def _table(values: list[bytes]) -> Any:
    arrow = import_extra("pyarrow", "ray", "--runner ray")
    return arrow.table({_COLUMN: arrow.array(values, arrow.large_binary())})
