"""A stream of items, cut into batches of similar work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.document import Document
from pipeline.inputs.records import Item, Record, Skipped
from pipeline.outputs.position import InputPosition

BATCH_CHARACTERS = 100_000  # about 30 news articles; a longer article is a batch of its own
_OTHERS = 1000  # files passed over and records that cannot be read: a run of nothing else is not held in memory


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that are done together, and where the input stands after them.

    Attributes:
        entries: each item, and whether its id came before.
        items, digest, last: of the input up to here, as :class:`InputPosition` has them.
    """

    entries: tuple[tuple[Item, bool], ...]
    items: int
    digest: str
    last: str

    @property
    def documents(self) -> list[Document]:
        """Of the records, in order."""
        return [item.document for item, _ in self.entries if isinstance(item, Record)]


def cut(items: Iterator[Item], position: InputPosition, size: int, part: int = 0) -> Iterator[Batch]:
    """Batches of at most ``size`` articles and about 100,000 characters, read when they are asked for.

    The windows of a batch are computed together, sorted by length; a bound on characters makes batches alike in work
    and in memory, whatever the articles.

    Args:
        position: moves on with what is read.
        part: a batch ends after so many records and problems, and after each multiple; 0 for no such end.
    """
    start = position.items
    entries: list[tuple[Item, bool]] = []
    articles = characters = 0

    def close() -> Batch:
        nonlocal entries, articles, characters
        batch = Batch(tuple(entries), position.items, position.digest, position.last)
        entries, articles, characters = [], 0, 0
        return batch

    for item in items:
        length = len(item.document.text) if isinstance(item, Record) else 0
        if articles and characters + length > BATCH_CHARACTERS:
            yield close()
        entries.append((item, False if isinstance(item, Skipped) else position.take(item)))
        articles += isinstance(item, Record)
        characters += length
        part_ends = part and not isinstance(item, Skipped) and (position.items - start) % part == 0
        if articles == size or part_ends or len(entries) - articles >= _OTHERS:
            yield close()
    if entries:
        yield close()


def pass_over(items: Iterator[Item], position: InputPosition, count: int) -> int:
    """Read on until the position is at ``count`` items or the input ends; returns the number of files skipped."""
    skipped = 0
    for item in items if count else ():
        if isinstance(item, Skipped):
            skipped += 1
            continue
        position.take(item)
        if position.items == count:
            break
    return skipped
