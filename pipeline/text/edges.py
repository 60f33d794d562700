"""What may stand at the edges of a name."""

from __future__ import annotations

import unicodedata

_BRACKETS = {"(": ")", "[": "]", "{": "}", "“": "”", "‘": "’", "«": "»", '"': '"', "'": "'"}


def edge_fault(surface: str) -> str:
    """What is wrong with the edges of a span, or empty.

    Punctuation may stand at an edge as part of a name: brackets and quotes that close inside it, a full stop after
    others (U.S.), a per cent sign.
    """
    for verb, edge, rest in (("begins", surface[0], surface[1:]), ("ends", surface[-1], surface[:-1])):
        category = unicodedata.category(edge)
        if edge.isspace() or category[0] in "ZC":
            return f"{verb} with white space or an invisible character; move the edge"
        if category[0] == "P" and not _belongs(edge, rest, at_start=verb == "begins"):
            return f"{verb} with {edge}; move the edge unless it is part of the name"
    return ""


def _belongs(edge: str, rest: str, *, at_start: bool) -> bool:
    if edge == "%" or (edge == "." and "." in rest):
        return True
    if at_start:
        return _BRACKETS.get(edge, "\0") in rest
    return any(opening in rest for opening, closing in _BRACKETS.items() if closing == edge)


def trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The span without what is no part of a name at its edges; ``None`` when nothing is left."""
    while start < end and edge_fault(text[start:end]).startswith("begins"):
        start += 1
    while start < end and edge_fault(text[start:end]):
        end -= 1
    return (start, end) if start < end else None
