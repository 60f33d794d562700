"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.evaluation.misses import MissGroup
from pipeline.evaluation.passages import Passage
from pipeline.evaluation.tables import markdown_escape

_BRACKETS = {"gold": ("⟦", "⟧"), "predicted": ("⟪", "⟫"), "both": ("⟦⟪", "⟫⟧")}
LEGEND = "Marks in the sentences: **⟦gold⟧**, **⟪predicted⟫**, **⟦⟪both⟫⟧**; the label follows the mark."


def markdown_errors(title: str, groups: Sequence[MissGroup], kinds: Mapping[str, str]) -> str:
    """One part of the error report: a heading a kind and type, a line an error."""
    number = sum(len(group.misses) for group in groups)
    return "\n".join([f"### {title}: {number}", "", *_error_lines(groups, kinds)]) + "\n"


def _error_lines(groups: Sequence[MissGroup], kinds: Mapping[str, str]) -> Iterator[str]:
    kind = ""
    for group in groups:
        if group.kind != kind:
            kind = group.kind
            number = sum(len(other.misses) for other in groups if other.kind == kind)
            yield from (f"#### {kind[0].upper()}{kind[1:]}: {number}", "", f"{kinds[kind]}.".capitalize(), "")
        yield from (f"**{markdown_escape(group.type)}** ({len(group.misses)})", "")
        for miss in group.misses:
            sentences = " … ".join(markdown_passage(passage) for passage in miss.passages)
            yield f"- `{miss.article}` {markdown_escape(miss.summary)}  \n  {sentences}"
        yield ""


def markdown_passage(passage: Passage) -> str:
    """A passage on one line, its marks in bold brackets."""
    parts = []
    for piece in passage:
        text = markdown_escape(piece.text)
        if piece.style in _BRACKETS and text:
            opening, closing = _BRACKETS[piece.style]
            labels = ", ".join(markdown_escape(label) for _, label in piece.labels)
            text = f"**{opening}{text}{closing}**" + (f" ({labels})" if labels else "")
        blank_before = " " if piece.text[:1].isspace() else ""
        blank_after = " " if piece.text[-1:].isspace() else ""
        parts.append(f"{blank_before}{text}{blank_after}")
    return " ".join("".join(parts).split())
