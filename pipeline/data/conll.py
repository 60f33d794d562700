"""CoNLL columns: one token a line, its label in another column, sentences parted by empty lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.config import ColumnsConfig
from pipeline.data.align import bio_labels, split_tag, tag_spans
from pipeline.data.labelled import Labelled, read_or_report
from pipeline.document import Document, Mention, Word
from pipeline.errors import Problem, ProblemsError, QuanheError
from pipeline.text.normalise import normalise, tone_to_new

Join = Literal["file", "segmenter"]

_DOCUMENT = "-DOCSTART-"
# Between two characters of one token; a lone ``_`` or a rule of them is text.
_INNER = re.compile(r"(?<=[^_\s])_(?=[^_\s])")
_LINES_SHOWN = 5


@dataclass(slots=True)
class ConllFile:
    """What a file holds: one item a document, errors that need an author, sequences that were repaired."""

    items: list[Labelled] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    repairs: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Token:
    line: int
    text: str
    tag: str


def read_conll(path: Path, columns: ColumnsConfig, join: Join = "file") -> tuple[list[Document], list[Problem]]:
    """Read documents from a column file.

    ``-DOCSTART-`` lines begin a document; in a file without them each sentence is one. Ids are the file's stem and
    a number from 1. The text is rebuilt: tokens joined by blanks (a ``_`` inside a token is a blank too), one sentence
    a line; mentions have no entity, since the format links none.

    Args:
        path: the file.
        columns: where token and tag stand (a line with a tab is split at tabs, any other at blanks), and the scheme.
        join: where words come from: ``file`` takes its tokens as words (``Word.form`` keeps their ``_``) and its
            sentences; ``segmenter`` leaves both empty for a ``WordSplitter``, for a file of plain syllables.

    Returns:
        The documents; and a warning for each kind of illegal tag sequence, with its lines, repaired as conlleval does.

    Raises:
        ProblemsError: the file, its columns or its tags cannot be read.
    """
    read = parse_conll(path, columns, join)
    if read.errors:
        raise ProblemsError(read.errors)
    return [item.document for item in read.items], read.repairs


def parse_conll(path: Path, columns: ColumnsConfig, join: Join = "file") -> ConllFile:
    """``read_conll``, with the line of everything that was read, and with errors beside what could be read."""
    read = ConllFile()
    raw = read_or_report(path, read.errors)
    if raw is None:
        return read
    errors, repairs = _Tally(), _Tally()
    groups, marked = _documents(raw, columns, errors)
    for number, sentences in enumerate(groups, 1):
        builder = _Builder(Document(f"{path.stem}-{number}", ""))
        for sentence in sentences:
            builder.add(sentence, columns, errors, repairs)
        document = builder.document
        if join == "segmenter":
            document.words, document.sentences = [], []
        item = Labelled(document, path, path, builder.lines, text_lines=builder.text_lines, article=marked)
        read.items.append(item)
    read.errors += errors.problems(path)
    read.repairs += repairs.problems(path)
    return read


def is_segmented(path: Path, columns: ColumnsConfig) -> bool:
    """Whether any token of the file has a ``_`` inside: whether it brings a word segmentation."""
    raw = read_or_report(path, [])
    rows = (_cells(line) for line in (raw or "").split("\n"))
    return any(-len(row) <= columns.word < len(row) and _INNER.search(row[columns.word]) for row in rows)


def _cells(line: str) -> list[str]:
    line = line.strip(" \t\r")
    return [cell for cell in (part.strip(" ") for part in line.split("\t" if "\t" in line else " ")) if cell]


def _documents(raw: str, columns: ColumnsConfig, errors: _Tally) -> tuple[list[list[list[_Token]]], bool]:
    """Documents of sentences of tokens, and whether the file marks its documents."""
    groups: list[list[list[_Token]]] = [[]]
    marked = False
    for sentence in _sentences(raw, columns, errors):
        if sentence is None:
            marked = True
            groups.append([])
        else:
            groups[-1].append(sentence)
    if not marked:
        return [[sentence] for sentence in groups[0]], False
    return [group for group in groups if group], True


def _sentences(raw: str, columns: ColumnsConfig, errors: _Tally) -> Iterator[list[_Token] | None]:
    """The sentences of the file, and ``None`` for each document mark."""
    width, width_line = 0, 0
    sentence: list[_Token] = []
    for number, line in enumerate(raw.removeprefix("\ufeff").split("\n"), 1):
        cells = _cells(line)
        if sentence and (not cells or cells[0] == _DOCUMENT):
            yield sentence
            sentence = []
        if not cells:
            continue
        if cells[0] == _DOCUMENT:
            yield None
            continue
        if not width:
            width, width_line = len(cells), number
        if len(cells) != width:
            errors.add(f"{len(cells)} columns, line {width_line} has {width}; every line needs the same", number)
        elif (problem := _misfit(columns, width)) is not None:
            errors.add(problem, number)
        else:
            sentence.append(_Token(number, cells[columns.word], cells[columns.tag]))
    if sentence:
        yield sentence


def _misfit(columns: ColumnsConfig, width: int) -> str | None:
    """Why a line of this many columns has no token and tag where the config expects them."""
    for name, index in (("word", columns.word), ("tag", columns.tag)):
        if not -width <= index < width:
            return f"no column {index} in {width} columns; set data.columns.{name}"
    if columns.word % width == columns.tag % width:
        return f"token and tag are the same of {width} columns; set data.columns.word and data.columns.tag"
    return None


@dataclass(slots=True)
class _Builder:
    """Rebuilds text from tokens, sentence by sentence."""

    document: Document
    lines: dict[str, int] = field(default_factory=dict)
    text_lines: list[int] = field(default_factory=list)

    def add(self, tokens: list[_Token], columns: ColumnsConfig, errors: _Tally, repairs: _Tally) -> None:
        document = self.document
        first = len(document.words)
        parts = [_INNER.sub(" ", token.text) for token in tokens]
        position = len(document.text) + bool(document.text)
        document.text += ("\n" if document.text else "") + " ".join(parts)
        for token, part in zip(tokens, parts, strict=True):
            document.words.append(Word(position, position + len(part), _form(token.text)))
            position += len(part) + 1
        document.sentences.append((first, len(document.words)))
        self.text_lines.append(tokens[0].line)
        self._mentions(first, tokens, columns, errors, repairs)

    def _mentions(
        self, first: int, tokens: list[_Token], columns: ColumnsConfig, errors: _Tally, repairs: _Tally
    ) -> None:
        document, words, tags = self.document, self.document.words[first:], [token.tag for token in tokens]
        for token in tokens:
            if split_tag(token.tag, columns.scheme) is None:
                errors.add(_no_tag(token.tag, columns.scheme), token.line)
        spans, illegal = tag_spans(tags, columns.scheme)
        for index in illegal:
            before, now = (tags[i] if 0 <= i < len(tags) else "the sentence edge" for i in (index - 1, index))
            line = tokens[min(index, len(tokens) - 1)].line
            repairs.add(f"{now} after {before} is not {columns.scheme}; repaired as conlleval reads it", line)
        for start, end, kind in spans:
            mention_id = f"T{len(document.mentions) + 1}"
            left, right = words[start].start, words[end - 1].end
            document.mentions.append(Mention(mention_id, left, right, kind, document.text[left:right]))
            self.lines[mention_id] = tokens[start].line


def _form(token: str) -> str:
    """The word as PhoBERT reads it; a token of invisible characters stays what it is, so that no word is empty."""
    return "_".join(tone_to_new(normalise(token).text).split()) or token


def _no_tag(tag: str, scheme: str) -> str:
    if scheme != "bioes" and split_tag(tag, "bioes"):
        return f"{tag!r} is no tag of {scheme}; set data.columns.scheme to bioes"
    return f"{tag!r} is no tag such as O or B-PERSON; set data.columns.tag to the column of the tags"


@dataclass(slots=True)
class _Tally:
    """Collects equal messages under their first lines: a wrong setting hits every line of a corpus."""

    lines: dict[str, list[int]] = field(default_factory=dict)

    def add(self, message: str, line: int) -> None:
        self.lines.setdefault(message, []).append(line)

    def problems(self, path: Path) -> list[Problem]:
        return [Problem(str(path), lines[0], message + _also(lines[1:])) for message, lines in self.lines.items()]


def _also(lines: list[int]) -> str:
    if not lines:
        return ""
    shown = ", ".join(map(str, lines[:_LINES_SHOWN]))
    more = f" and {len(lines) - _LINES_SHOWN} more" if len(lines) > _LINES_SHOWN else ""
    return f" (also line{'s' * (len(lines) > 1)} {shown}{more})"


def write_conll(documents: Iterable[Document], path: Path) -> list[tuple[str, Mention]]:
    """Write words and IOB2 tags, a ``-DOCSTART-`` line before each document.

    Tokens are the raw text of the words, white space inside written as ``_``.

    Returns:
        Document id and mention for each mention that the words cannot express, and that is therefore not in the file.

    Raises:
        QuanheError: a document has text but no words.
    """
    lines: list[str] = []
    lost: list[tuple[str, Mention]] = []
    for document in documents:
        if document.text.strip() and not document.words:
            raise QuanheError(f"{document.id}: no words to write as CoNLL; split its text into words first")
        labels, missed = bio_labels(document)
        lost += [(document.id, mention) for mention in missed]
        lines += [f"{_DOCUMENT}\tO", ""]
        for first, end in document.sentences:
            for word, label in zip(document.words[first:end], labels[first:end], strict=True):
                lines.append("_".join(document.text[word.start : word.end].split()) + f"\t{label}")
            lines.append("")
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))
    return lost
