"""Changes to a document's text that keep every mention's offsets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from pipeline.data.augment.spelling import lookup_key
from pipeline.document import Document, Mention


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Put ``text`` in the place of ``[start, end)``, which is never empty."""

    start: int
    end: int
    text: str


def apply_edits(document: Document, edits: Iterable[Edit]) -> Document:
    """A new document with its text changed and its mentions moved; ids, links and relations stay.

    Args:
        document: is left as it is. Its words are not taken over: the new text is to be segmented again.
        edits: not overlapping, each of them inside one mention or outside all mentions.

    Raises:
        ValueError: an edit is empty, overlaps another one or crosses the edge of a mention, or leaves a mention empty.
    """
    ordered = sorted(edits)
    _check(document, ordered)
    pieces, last = [], 0
    for edit in ordered:
        pieces += [document.text[last : edit.start], edit.text]
        last = edit.end
    text = "".join([*pieces, document.text[last:]])
    ends = [edit.end for edit in ordered]
    shifts = [0, *accumulate(len(edit.text) - (edit.end - edit.start) for edit in ordered)]

    def moved(offset: int) -> int:
        return offset + shifts[bisect_right(ends, offset)]

    mentions = []
    for mention in document.mentions:
        start, end = moved(mention.start), moved(mention.end)
        mentions.append(replace(mention, start=start, end=end, text=text[start:end]))
    return _with(document, text, mentions)


def _check(document: Document, edits: list[Edit]) -> None:
    edges = sorted({edge for mention in document.mentions for edge in (mention.start, mention.end)})
    last = 0
    for edit in edits:
        if edit.start >= edit.end or edit.start < last or edit.end > len(document.text):
            raise ValueError(f"{document.id}: {edit} is empty, overlaps the one before or leaves the text")
        inside = bisect_right(edges, edit.start)
        if inside < len(edges) and edges[inside] < edit.end:
            raise ValueError(f"{document.id}: {edit} crosses the edge of a mention at {edges[inside]}")
        last = edit.end


def _with(document: Document, text: str, mentions: list[Mention]) -> Document:
    """The document with another text; entities are named by their longest mention, as when they are read."""
    for mention in mentions:
        if not mention.text.strip() or mention.text != mention.text.strip():
            raise ValueError(f"{document.id}: {mention.id} would be {mention.text!r}")
    surfaces = {mention.id: mention.text for mention in mentions}
    entities = [
        replace(entity, name=max((surfaces[mention_id] for mention_id in entity.mentions), key=len))
        for entity in document.entities
    ]
    return Document(
        document.id,
        text,
        mentions=mentions,
        relations=list(document.relations),
        entities=entities,
        fields=document.fields,
    )


def replace_mentions(document: Document, surfaces: Mapping[str, str]) -> Document:
    """Give mentions another text.

    Args:
        surfaces: mention id → its new text; mentions that are not named stay.
    """
    edits = [
        Edit(mention.start, mention.end, surfaces[mention.id])
        for mention in document.mentions
        if surfaces.get(mention.id, mention.text) != mention.text
    ]
    return apply_edits(document, edits) if edits else document


def stretches(document: Document, start: int, end: int) -> list[tuple[int, int]]:
    """``[start, end)`` cut at every edge of a mention: pieces that one edit each may replace."""
    edges = {edge for mention in document.mentions for edge in (mention.start, mention.end) if start < edge < end}
    cuts = [start, *sorted(edges), end]
    return [(first, last) for first, last in pairwise(cuts) if first < last]


def mentions_of(document: Document, *kinds: str) -> list[Mention]:
    """The document's mentions of these types."""
    return [mention for mention in document.mentions if mention.type in kinds]


def whole_changes(mentions: Iterable[Mention], surfaces: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would rename a thing by half: a change of one of its mentions beside another one that stays.

    A mention may stay when it is part of each new name: "Bộ trưởng" of "Bộ trưởng Tư pháp", "tướng" of "thiếu tướng".

    Args:
        mentions: of the types that are changed.
        surfaces: mention id → its new text.

    Returns:
        The changes of things that change as a whole.
    """
    kept: dict[str, str] = {}
    for group in by_entity(mentions):
        new = {m.id: surfaces[m.id] for m in group if surfaces.get(m.id, m.text) != m.text}
        stay = [f" {lookup_key(m.text)} " for m in group if m.id not in new]
        if all(words in f" {lookup_key(text)} " for words in stay for text in new.values()):
            kept |= new
    return kept


def by_entity(mentions: Iterable[Mention]) -> list[list[Mention]]:
    """Mentions grouped by their entity, in order of first mention; one without entity stands alone."""
    groups: dict[str, list[Mention]] = {}
    for mention in mentions:
        groups.setdefault(mention.entity or mention.id, []).append(mention)
    return list(groups.values())
