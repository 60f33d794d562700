"""What every format's reader and writer share: options, results, and documents from loose parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from pipeline.config import ColumnsConfig
from pipeline.data.brat import link_mentions
from pipeline.document import Document, Mention, Relation
from pipeline.text.words import WordSplitter

Notes = Counter[str]
"""What could not be taken over, or what to mind in the other tool: one line a kind → how often."""


@dataclass(frozen=True, slots=True)
class Options:
    """What readers and writers may need to be told.

    Attributes:
        texts: brat: folder of the ``.txt`` files when they do not lie beside the ``.ann`` files.
        columns: CoNLL: where token and tag stand, and the scheme, in files that are read.
        text_field: Label Studio: the key of ``data`` that holds the text.
        predictions: Label Studio: labels are a model's, so they are written as predictions; and predictions are read
            where an article has no annotation.
        model: the name of that model.
        splitter: CoNLL: makes the words of articles that bring none; called only when it is needed.
    """

    texts: Path | None = None
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    text_field: str = "text"
    predictions: bool = False
    model: str = "quanhe"
    splitter: Callable[[], WordSplitter] | None = None


@dataclass(slots=True)
class Articles:
    """What was read, and what of it no document can hold."""

    documents: list[Document] = field(default_factory=list)
    notes: Notes = field(default_factory=Counter)


@dataclass(slots=True)
class Written:
    """What a writer has put into its file or folder.

    Attributes:
        documents: the articles as they were written: types that the format cannot spell are respelt.
        ids: for each article the id under which it will be read again; ``None`` when the format cannot hold it.
    """

    documents: Sequence[Document]
    ids: list[str | None]
    notes: Notes = field(default_factory=Counter)


class Read(Protocol):
    """Reads a file or folder; raises ``QuanheError`` naming file, line or record, and remedy."""

    def __call__(self, path: Path, options: Options) -> Articles: ...


class Write(Protocol):
    """Writes articles to a file or folder that is not there yet."""

    def __call__(self, documents: Sequence[Document], path: Path, options: Options) -> Written: ...


@dataclass(frozen=True, slots=True)
class Span:
    """A mention as a file has it: ``key`` is its id there, ``surface`` its text if the file repeats it."""

    key: str
    start: int
    end: int
    type: str
    score: float = 1.0
    entity: str = ""
    surface: str | None = None


def build_document(
    id: str, text: str, spans: Sequence[Span], relations: Iterable[Relation], fields: dict[str, Any] | None = None
) -> tuple[Document, dict[str, str]]:
    """A document from the parts of a record: mentions ``T1``, ``T2``, … in text order, relations in that of their ends.

    Args:
        relations: between keys of spans.

    Returns:
        The document, mentions of one type and ``entity`` linked, and the mention id of each span's key.

    Raises:
        ValueError: in one sentence, what does not fit: a span outside the text, a surface that is another, a relation
            between what is not there, text that cannot be written as UTF-8.
    """
    try:
        f"{id}{text}".encode()
    except UnicodeEncodeError as error:
        raise ValueError("half a surrogate pair, which is no character; correct the text") from error
    ids = _numbered(spans)
    document = Document(id, text, fields=dict(fields or {}))
    for span in sorted(spans, key=lambda span: int(ids[span.key][1:])):
        _check_span(span, text)
        surface = text[span.start : span.end]
        document.mentions.append(Mention(ids[span.key], span.start, span.end, span.type, surface, span.score))
    groups: dict[str, list[str]] = {}
    for span in spans:
        if span.entity:
            groups.setdefault(span.entity, []).append(ids[span.key])
    document.mentions, document.entities = link_mentions(document.mentions, map(tuple, groups.values()))
    for relation in relations:
        for end in (relation.head, relation.tail):
            if end not in ids:
                raise ValueError(f"{relation.type or 'a relation'} names {end}, and no span has that id")
        if not relation.type:
            raise ValueError(f"the relation from {relation.head} to {relation.tail} has no type")
        document.relations.append(replace(relation, head=ids[relation.head], tail=ids[relation.tail]))
    document.relations.sort(key=lambda r: (int(r.head[1:]), int(r.tail[1:]), r.type))
    return document, ids


def _numbered(spans: Sequence[Span]) -> dict[str, str]:
    """Key → mention id, in text order."""
    ids: dict[str, str] = {}
    for number, span in enumerate(sorted(spans, key=lambda span: (span.start, span.end, span.type)), 1):
        if span.key in ids:
            raise ValueError(f"two spans have the id {span.key}; give one of them another")
        ids[span.key] = f"T{number}"
    return ids


def _check_span(span: Span, text: str) -> None:
    if not 0 <= span.start < span.end <= len(text):
        raise ValueError(
            f"the span {span.key} ({span.start}, {span.end}) is none of the text, which has {len(text)} code points"
        )
    if not span.type.strip():
        raise ValueError(f"the span {span.key} ({span.start}, {span.end}) has no type")
    found = text[span.start : span.end]
    if span.surface is not None and span.surface != found:
        raise ValueError(f"the span {span.key} says {short(span.surface)}, the text has {short(found)} at {span.start}")


def short(text: str) -> str:
    """A value as messages show it."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def links(document: Document) -> list[list[Mention]]:
    """Mentions of each entity that has two or more."""
    groups: dict[str, list[Mention]] = {}
    for mention in document.mentions:
        if mention.entity:
            groups.setdefault(mention.entity, []).append(mention)
    return [group for group in groups.values() if len(group) > 1]


def spell_types(documents: Sequence[Document]) -> tuple[list[Document], Notes]:
    """The documents with ``_`` for blanks in types, for formats whose columns are parted by blanks."""
    notes: Notes = Counter()
    result = []
    for document in documents:
        types = [mention.type for mention in document.mentions] + [relation.type for relation in document.relations]
        changed = sum(kind != _spelt(kind) for kind in types)
        if changed:
            notes["labels whose type has a blank, written with _"] += changed
            document = replace(
                document,
                mentions=[replace(item, type=_spelt(item.type)) for item in document.mentions],
                relations=[replace(item, type=_spelt(item.type)) for item in document.relations],
                entities=[replace(item, type=_spelt(item.type)) for item in document.entities],
                facts=[replace(item, type=_spelt(item.type)) for item in document.facts],
            )
        result.append(document)
    return result, notes


def _spelt(kind: str) -> str:
    return "_".join(kind.split())
