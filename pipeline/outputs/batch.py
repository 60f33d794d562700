"""The batch run: articles in, documents out, in input order, whatever happens to single ones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import Problem, QuanheError
from pipeline.inputs.records import Item, Record, Skipped
from pipeline.outputs.batches import Batch, cut, pass_over
from pipeline.outputs.failed import failed_line, failure_of
from pipeline.outputs.position import InputPosition
from pipeline.outputs.work import Executor, Fault, Result
from pipeline.outputs.writer import Checkpoint, Writer

_WARNINGS_SHOWN = 5  # of one kind; the rest are counted


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What came of a run; with ``--resume``, the parts before the stop are counted in.

    Attributes:
        articles, facts: written.
        failed: files and records that could not be read, and articles that the model failed on.
        skipped: files that hold no articles: of other kinds, hidden, or empty tables.
    """

    articles: int
    facts: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        return f"{self.articles} articles, {self.facts} facts, {self.failed} failed"

    @property
    def exit_code(self) -> int:
        """0 when all went well, 1 when something failed."""
        return 1 if self.failed else 0


def print_report(line: str) -> None:
    """Report a line to the user on stderr."""
    print(line, file=sys.stderr)


class BatchRun:
    """One run over a stream of items; call it once.

    Args:
        executor: does the work on batches; an article that it has no line for is reported and counted.
        writer: says what an earlier run has done, and takes the rest.
        size: documents a batch.
        settings: stored with each checkpoint.
        report: gets every line for the user.
        advance: gets the number of articles that a batch has finished, written or failed.
    """

    def __init__(
        self,
        executor: Executor,
        writer: Writer,
        size: int = 16,
        settings: Mapping[str, str] | None = None,
        report: Callable[[str], None] = print_report,
        advance: Callable[[int], None] = lambda articles: None,
    ) -> None:
        self._executor = executor
        self._writer = writer
        self._size = size
        self._settings = dict(settings or {})
        self._log = _Log(report)
        self._advance = advance
        self._articles, self._facts, self._failed = writer.done.articles, writer.done.facts, writer.done.failed
        self._skipped = 0

    def __call__(self, items: Iterator[Item]) -> BatchSummary:
        """Run to the end.

        Raises:
            QuanheError: not one article came through (nothing is written then), the output cannot be written, or the
                inputs are not those of the run that is to be resumed.
        """
        position = InputPosition()
        self._pass_over_done(items, position)
        for batch, results in self._executor.run(cut(items, position, self._size, self._writer.part)):
            self._commit(batch, results)
        self._log.close()
        if not self._articles:
            raise QuanheError(f"no article came through ({self._failed} failed, {self._skipped} skipped)")
        self._writer.finish()
        return BatchSummary(self._articles, self._facts, self._failed, self._skipped)

    def _pass_over_done(self, items: Iterator[Item], position: InputPosition) -> None:
        """Read again what an earlier run has done, to make sure that it is the same."""
        done = self._writer.done
        if not done.items:
            return
        self._skipped += pass_over(items, position, done.items)
        if (position.items, position.digest) != (done.items, done.digest):
            raise QuanheError(
                f"the inputs are not those of the stopped run, which had come to {done.last}; "
                "give the same inputs, or delete what it has written and start again without --resume"
            )
        self._log.line(f"resumed after {done.last}: {done.articles} articles written before, {done.failed} failed")

    def _commit(self, batch: Batch, results: Sequence[Result]) -> None:
        """Write, report and count a batch that is done."""
        remaining = iter(results)
        for item, repeated in batch.entries:
            if isinstance(item, Skipped):
                self._skip(item)
            elif isinstance(item, Problem):
                self._fail(item)
            else:
                self._warn(item, repeated)
                self._finish(item, next(remaining))
        self._writer.checkpoint(
            Checkpoint(
                items=batch.items,
                digest=batch.digest,
                last=batch.last,
                articles=self._articles,
                facts=self._facts,
                failed=self._failed,
                settings=self._settings,
            )
        )
        self._advance(len(results))

    def _skip(self, item: Skipped) -> None:
        self._skipped += 1
        if item.reason:
            self._log.line(f"{item.path}: {item.reason}")

    def _warn(self, record: Record, repeated: bool) -> None:
        for warning in record.warnings:
            self._log.warn(record.place, warning)
        if repeated:
            self._log.warn(record.place, "an id that another article had before", repr(record.document.id))

    def _finish(self, record: Record, result: Result) -> None:
        if isinstance(result, Fault):
            name = repr(record.document.id)
            message = f"the model failed on the article {name} ({result.reason}); please report it with its text"
            self._fail(failure_of(record, message))
            return
        self._writer.write(result.data)
        self._articles += 1
        self._facts += result.facts

    def _fail(self, problem: Problem) -> None:
        self._failed += 1
        self._log.line(str(problem))
        self._writer.fail(failed_line(problem))


class _Log:
    """Lines for the user, each on one line of the terminal whatever a file name holds."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._warned: Counter[str] = Counter()

    def line(self, text: str) -> None:
        self._report("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))

    def warn(self, place: str, warning: str, detail: str = "") -> None:
        """Show the first warnings of a kind; the rest are counted."""
        self._warned[warning] += 1
        if self._warned[warning] <= _WARNINGS_SHOWN:
            self.line(f"{place}: warning: {warning}{': ' if detail else ''}{detail}")

    def close(self) -> None:
        """Tell how many warnings were not shown."""
        for warning, count in self._warned.items():
            if count > _WARNINGS_SHOWN:
                self.line(f"warning: {warning}: {count - _WARNINGS_SHOWN} more articles")
