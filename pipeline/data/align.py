"""Spans of characters ↔ labels of words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal

from pipeline.document import Document, Mention, Word
from pipeline.text.words import WordSplitter

Scheme = Literal["iob1", "iob2", "bioes"]

# BILOU and BMES write the same four positions with other letters.
_PREFIXES = {
    "iob1": {"B": "B", "I": "I"},
    "iob2": {"B": "B", "I": "I"},
    "bioes": {"B": "B", "I": "I", "E": "E", "S": "S", "M": "I", "L": "E", "U": "S"},
}


def split_tag(tag: str, scheme: Scheme) -> tuple[str, str] | None:
    """``B-PER`` → ``("B", "PER")``, ``O`` → ``("O", "")``, anything that is no tag of the scheme → ``None``."""
    if tag == "O":
        return "O", ""
    prefix, dash, kind = tag.partition("-")
    position = _PREFIXES[scheme].get(prefix)
    return (position, kind) if position and dash and kind else None


def tag_spans(tags: Sequence[str], scheme: Scheme = "iob2") -> tuple[list[tuple[int, int, str]], list[int]]:
    """Spans of a tag sequence; an illegal one is read as conlleval (Tjong Kim Sang, 2002) reads it.

    Args:
        tags: one a token of one sentence; what is no tag of the scheme counts as ``O``.
        scheme: iob1 and iob2 (Tjong Kim Sang and Veenstra, 1999), or bioes.

    Returns:
        Half-open ``(first token, end token, type)``; and the indices where the sequence is illegal (the number of
        tags when it breaks off inside a span). There a span was begun or ended that the tags leave open.
    """
    spans: list[tuple[int, int, str]] = []
    illegal: list[int] = []
    before, start = ("O", ""), 0
    for index, tag in enumerate([*tags, "O"]):
        now = split_tag(tag, scheme) or ("O", "")
        if not _follows(before, now, scheme):
            illegal.append(index)
        inside = before[0] in "BI"
        continues = inside and now[0] in "IE" and now[1] == before[1]
        if before[0] != "O" and not continues:
            spans.append((start, index, before[1]))
        if not continues:
            start = index
        before = now
    return spans, illegal


def _follows(before: tuple[str, str], now: tuple[str, str], scheme: Scheme) -> bool:
    """Whether a scheme allows the tag ``now`` after ``before``."""
    same = before[0] in "BI" and before[1] == now[1]
    if scheme == "iob1":  # B- only parts two touching spans of one type
        return now[0] != "B" or same
    if scheme == "iob2":
        return now[0] != "I" or same
    return same if now[0] in "IE" else before[0] not in "BI"


def bio_labels(document: Document) -> tuple[list[str], list[Mention]]:
    """IOB2 labels of the document's words, and the mentions that words cannot express.

    A mention is lost when an edge lies inside a word, when it holds no word at all, or when it overlaps a mention
    before it (of two that begin together the longer one stays). An edge in the white space between words is taken to
    mean the nearest word inside.

    Returns:
        One label a word (empty without words), and the lost mentions in text order.
    """
    labels = ["O"] * len(document.words)
    lost: list[Mention] = []
    starts = [word.start for word in document.words]
    ends = [word.end for word in document.words]
    taken = 0
    for mention in sorted(document.mentions, key=lambda m: (m.start, -m.end)):
        first, last = bisect_left(starts, mention.start), bisect_right(ends, mention.end)
        cut_first = first > 0 and ends[first - 1] > mention.start
        cut_last = last < len(ends) and starts[last] < mention.end
        if cut_first or cut_last or first >= last or first < taken:
            lost.append(mention)
            continue
        labels[first:last] = [f"B-{mention.type}", *[f"I-{mention.type}"] * (last - first - 1)]
        taken = last
    return labels, lost


def spans_from_labels(words: Sequence[Word], labels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Raw ``(start, end, type)`` spans of IOB2 labels, in text order; one label a word.

    An ``I-`` that continues nothing begins a span, as conlleval reads it.

    Raises:
        ValueError: there are more or fewer labels than words.
    """
    if len(words) != len(labels):
        raise ValueError(f"{len(labels)} labels for {len(words)} words")
    spans, _ = tag_spans(labels)
    return [(words[first].start, words[end - 1].end, kind) for first, end, kind in spans]


def gold_edges(document: Document) -> set[int]:
    """Raw offsets where a mention begins or ends: where training cuts words (``WordSplitter``'s ``cuts``)."""
    return {edge for mention in document.mentions for edge in (mention.start, mention.end)}


def edge_words(mention: Mention, words: Sequence[Word]) -> list[Word]:
    """The words that an edge of the mention lies inside of: none when the words can express it."""
    found = []
    for edge in (mention.start, mention.end):
        index = bisect_left(words, edge, key=lambda word: word.end)
        if index < len(words) and words[index].start < edge < words[index].end:
            found.append(words[index])
    return list(dict.fromkeys(found))


def survival(document: Document, splitter: WordSplitter) -> tuple[int, int]:
    """How many mentions are exactly a run of the words that the splitter makes without knowing them.

    Returns:
        The number of mentions, and of those that survive. The rest is lost at inference however good the model is.
    """
    return len(document.mentions), len(surviving(document.mentions, splitter(document.bare()).words))


def surviving(mentions: Sequence[Mention], words: Sequence[Word]) -> list[Mention]:
    """The mentions that begin where a word begins and end where a word ends."""
    starts, ends = {word.start for word in words}, {word.end for word in words}
    return [mention for mention in mentions if mention.start in starts and mention.end in ends]
