"""Documents → JSON lines: what a worker does, in this process or another, on this machine or another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.document import Document
from pipeline.inputs.records import first_line
from pipeline.outputs.batches import Batch
from pipeline.outputs.writer import json_line


class Extractor(Protocol):
    """Finds mentions, relations, entities and facts."""

    def extract(self, documents: Sequence[Document]) -> list[Document]:
        """The same documents, in the same order, with what was found in them."""


Load = Callable[[int], Extractor]
"""Loads a model that computes on so many threads, 0 for as many as it likes. To reach a worker it must be picklable."""


@dataclass(frozen=True, slots=True)
class Line:
    """An article's line, and how many facts are in it."""

    data: bytes
    facts: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no line for an article."""

    reason: str


Result = Line | Fault


class Executor(Protocol):
    """Where the work is done."""

    def run(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Sequence[Result]]]:
        """Each batch with a result for each of its documents, in the order of the batches."""


class InProcess:
    """Does the work here, one batch after the other, reading no further ahead than one batch."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def run(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Sequence[Result]]]:
        """See :class:`Executor`."""
        for batch in batches:
            yield batch, work(self._extractor, batch.documents)


def work(extractor: Extractor, documents: Sequence[Document]) -> list[Result]:
    """A result for each document; when the extractor raises, each is tried alone, so that only the culprit is lost.

    Raises:
        RuntimeError: the extractor mixes documents up.
    """
    if not documents:
        return []
    try:
        found = extractor.extract([_fresh(document) for document in documents])
        lines: list[Result] = [Line(json_line(document), len(document.facts)) for document in found]
    except Exception as error:  # whatever one article does to the model, the others must not suffer
        if len(documents) == 1:
            return [Fault(f"{type(error).__name__}: {first_line(error)}")]
        return [result for document in documents for result in work(extractor, [document])]
    if [document.id for document in found] != [document.id for document in documents]:
        raise RuntimeError("the extractor gave back other documents than it was given")
    return lines


def _fresh(document: Document) -> Document:
    return Document(document.id, document.text, fields=document.fields)
