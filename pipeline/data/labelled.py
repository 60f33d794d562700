"""A labelled document together with the places in its files, so that every complaint can name a line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.document import Document
from pipeline.errors import Problem, QuanheError, read_utf8


@dataclass(slots=True)
class Labelled:
    """A document as its labels were read, before anything is checked against a schema.

    Attributes:
        path, text_path: files that hold the labels and the text (for CoNLL the same one).
        mention_lines: mention id → line in ``path``.
        relation_lines: the line of each item of ``document.relations``.
        links: the declared sets of mentions of one entity: line, mention ids.
        text_lines: the line in ``text_path`` of each line of ``document.text``; ``None`` when they are the same.
        article: whether this is a whole article, not one sentence of a corpus that marks no articles.
    """

    document: Document
    path: Path
    text_path: Path
    mention_lines: dict[str, int] = field(default_factory=dict)
    relation_lines: list[int] = field(default_factory=list)
    links: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    text_lines: list[int] | None = None
    article: bool = True

    def at_mention(self, mention_id: str, message: str) -> Problem:
        """A problem at the line of a mention."""
        return Problem(str(self.path), self.mention_lines.get(mention_id, 0), message)

    def at_text(self, offset: int, message: str) -> Problem:
        """A problem at the line that holds an offset of the text."""
        index = self.document.text.count("\n", 0, offset)
        return Problem(str(self.text_path), index + 1 if self.text_lines is None else self.text_lines[index], message)


def read_or_report(path: Path, problems: list[Problem]) -> str | None:
    """The text of a file, or ``None`` and one more problem when it cannot be read."""
    try:
        return read_utf8(path)
    except QuanheError as error:
        problems.append(Problem(str(path), 0, str(error).removeprefix(f"{path}: ")))
        return None


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean X?``, or the known names when none is near (at most ten of them)."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    if not names:
        return ""
    return f"; there are {', '.join(names[:10])}{', …' if len(names) > 10 else ''}"
