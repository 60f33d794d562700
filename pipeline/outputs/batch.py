"""The batch run: articles in, documents out, in input order, whatever happens to single ones."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.document import Document
from pipeline.errors import Problem, QuanheError
from pipeline.inputs.records import Item, Record, Skipped, first_line
from pipeline.outputs.writer import Checkpoint, Writer, json_line

_BATCH_CHARACTERS = 1_000_000  # a batch of very long articles is closed early, so that memory stays flat
_WARNINGS_SHOWN = 5  # of one kind; the rest are counted


class Extractor(Protocol):
    """Finds mentions, relations, entities and facts."""

    def extract(self, documents: Sequence[Document]) -> list[Document]:
        """The same documents, in the same order, with what was found in them."""


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
        extractor: gets at most ``size`` documents at a time; when it raises, each is tried alone and the culprit is
            reported and counted.
        writer: says what an earlier run has done, and takes the rest.
        size: documents a batch.
        settings: stored with each checkpoint.
        report: gets every line for the user.
        advance: gets the number of articles that a batch has finished, written or failed.
    """

    def __init__(
        self,
        extractor: Extractor,
        writer: Writer,
        size: int = 16,
        settings: str = "",
        report: Callable[[str], None] = print_report,
        advance: Callable[[int], None] = lambda articles: None,
    ) -> None:
        self._extractor = extractor
        self._writer = writer
        self._size = size
        self._settings = settings
        self._log = _Log(report)
        self._advance = advance
        self._progress = _InputProgress()
        self._articles, self._facts, self._failed = writer.done.articles, writer.done.facts, writer.done.failed
        self._skipped = 0

    def __call__(self, items: Iterator[Item]) -> BatchSummary:
        """Run to the end.

        Raises:
            QuanheError: not one article came through (nothing is written then), the output cannot be written, or the
                inputs are not those of the run that is to be resumed.
        """
        self._pass_over_done(items)
        pending: list[Record] = []
        characters = 0
        for item in items:
            record = self._take(item)
            if record is None:
                continue
            pending.append(record)
            characters += len(record.document.text)
            if len(pending) >= self._size or characters >= _BATCH_CHARACTERS:
                self._process(pending)
                pending, characters = [], 0
        self._process(pending)
        self._log.close()
        if not self._articles:
            raise QuanheError(f"no article came through ({self._failed} failed, {self._skipped} skipped)")
        self._writer.finish()
        return BatchSummary(self._articles, self._facts, self._failed, self._skipped)

    def _pass_over_done(self, items: Iterator[Item]) -> None:
        """Read again what an earlier run has done, to make sure that it is the same."""
        done = self._writer.done
        if not done.items:
            return
        for item in items:
            if isinstance(item, Skipped):
                self._skipped += 1
                continue
            self._progress.take(item)
            if self._progress.items == done.items:
                break
        if (self._progress.items, self._progress.digest) != (done.items, done.digest):
            raise QuanheError(
                f"the inputs are not those of the stopped run, which had come to {done.last}; "
                "give the same inputs, or delete the .part file and start again without --resume"
            )
        self._log.line(f"resumed after {done.last}: {done.articles} articles written before, {done.failed} failed")

    def _take(self, item: Item) -> Record | None:
        """The record to process, if it is one; everything else is reported and counted here."""
        if isinstance(item, Skipped):
            self._skipped += 1
            if item.reason:
                self._log.line(f"{item.path}: {item.reason}")
            return None
        known_id = self._progress.take(item)
        if isinstance(item, Problem):
            self._fail(item)
            return None
        for warning in item.warnings:
            self._log.warn(item.place, warning)
        if known_id:
            self._log.warn(item.place, "an id that another article had before", repr(item.document.id))
        return item

    def _fail(self, problem: Problem) -> None:
        self._failed += 1
        self._log.line(str(problem))

    def _process(self, records: Sequence[Record]) -> None:
        if not records:
            return
        for result in self._results(records):
            if isinstance(result, Problem):
                self._fail(result)
                continue
            line, facts = result
            self._writer.write(line)
            self._articles += 1
            self._facts += facts
        self._writer.checkpoint(
            Checkpoint(
                items=self._progress.items,
                digest=self._progress.digest,
                last=self._progress.last,
                articles=self._articles,
                facts=self._facts,
                failed=self._failed,
                settings=self._settings,
            )
        )
        self._advance(len(records))

    def _results(self, records: Sequence[Record]) -> Iterator[tuple[bytes, int] | Problem]:
        """For each record its line and number of facts, or what went wrong with it."""
        try:
            documents = self._extractor.extract([_fresh(record.document) for record in records])
            lines = [(json_line(document), len(document.facts)) for document in documents]
        except Exception as error:  # whatever one article does to the model, the others must not suffer
            if len(records) == 1:
                yield _failure(records[0], error)
                return
        else:
            if [document.id for document in documents] != [record.document.id for record in records]:
                raise RuntimeError("the extractor gave back other documents than it was given")
            yield from lines
            return
        for record in records:
            yield from self._results([record])


def _fresh(document: Document) -> Document:
    return Document(document.id, document.text, fields=document.fields)


def _failure(record: Record, error: Exception) -> Problem:
    reason = f"{type(error).__name__}: {first_line(error)}"
    message = f"the model failed on the article {record.document.id!r} ({reason}); please report it with its text"
    return Problem(record.path, record.line, message)


class _InputProgress:
    """Where in the input a run is.

    For the ids it keeps a 64-bit hash each, about 70 bytes an article: all that grows with the length of a run.

    Attributes:
        items: records and problems taken.
        last: where the last one stood.
    """

    def __init__(self) -> None:
        self.items = 0
        self.last = ""
        self._hash = hashlib.sha256()
        self._ids: set[int] = set()

    @property
    def digest(self) -> str:
        """Of all ids and texts so far, and of the places of what could not be read."""
        return self._hash.copy().hexdigest()

    def take(self, item: Record | Problem) -> bool:
        """Count an item; returns whether an article before it had the same id."""
        self.items += 1
        if isinstance(item, Problem):
            self.last = f"{item.path}:{item.line}" if item.line else item.path
            self._update("problem", os.path.basename(item.path), str(item.line))
            return False
        self.last = item.place
        self._update("article", item.document.id, item.document.text)
        before = len(self._ids)
        self._ids.add(hash(item.document.id))
        return len(self._ids) == before

    def _update(self, *parts: str) -> None:
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            self._hash.update(b"%d " % len(data))
            self._hash.update(data)


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
