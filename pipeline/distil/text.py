"""Articles as word-segmented sentences from files, folders and Hugging Face datasets."""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from pipeline.distil.config import TextConfig, TextSource
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.text.normalise import normalise
from pipeline.text.segmenters import load_segmenter
from pipeline.text.words import WordSplitter

Article = list[list[str]]
"""Sentences of words; ``_`` joins the syllables of a word."""

_SUFFIXES = (".txt", ".txt.xz")


def list_files(source: TextSource) -> list[Path]:
    """The files of a source in the order of their names; empty for a dataset.

    Raises:
        QuanheError: there is no such file, or a folder holds no text.
    """
    if source.path is None:
        return []
    if source.path.is_file():
        return [source.path]
    if not source.path.is_dir():
        raise QuanheError(f"{source.path}: no such file or folder; set data.corpus to your text")
    files = sorted(path for path in source.path.rglob("*") if path.name.endswith(_SUFFIXES) and path.is_file())
    if not files:
        raise QuanheError(f"{source.path}: holds no .txt or .txt.xz file; set data.corpus to your text")
    return files


def read_articles(config: TextConfig) -> Iterator[Article]:
    """All articles of the corpus, one at a time, in a fixed order.

    Raises:
        QuanheError: a file or dataset cannot be read.
    """
    splitter = None if config.segmenter == "none" else WordSplitter(load_segmenter(config.segmenter))
    for source in config.corpus:
        texts = read_dataset(source) if source.dataset else _file_articles(list_files(source))
        for text in texts:
            article = to_sentences(text, splitter)
            if article:
                yield article


def to_sentences(text: str, splitter: WordSplitter | None) -> Article:
    """Sentences of words of one article; without a splitter they are there already, a line each."""
    if splitter is None:
        return [words for words in (line.split() for line in normalise(text).text.split("\n")) if words]
    document = splitter(Document(id="", text=text))
    forms = [word.form for word in document.words]
    return [forms[start:end] for start, end in document.sentences]


def _file_articles(files: Iterable[Path]) -> Iterator[str]:
    """Stretches of text between empty lines."""
    for path in files:
        lines: list[str] = []
        for line in _lines(path):
            if line.strip():
                lines.append(line)
            elif lines:
                yield "".join(lines)
                lines = []
        if lines:
            yield "".join(lines)


def _open(path: Path) -> TextIO:
    return lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8")


def _lines(path: Path) -> Iterator[str]:
    try:
        with _open(path) as handle:
            yield from handle
    except UnicodeDecodeError as error:
        raise QuanheError(f"{path}: not UTF-8; convert it first, e.g. iconv -f UTF-16 -t UTF-8") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise QuanheError(f"{path}: cannot be read ({error}); check the file") from error


def read_dataset(source: TextSource) -> Iterator[str]:
    """Texts of a Hugging Face dataset, streamed.

    Raises:
        QuanheError: it cannot be fetched, or lacks the field.
    """
    from datasets import load_dataset

    name = f"dataset {source.dataset}"
    try:
        records: Iterable[dict[str, Any]] = load_dataset(
            source.dataset, source.subset, split=source.split, streaming=True
        )
        for number, record in enumerate(records):
            text = record.get(source.field)
            if not isinstance(text, str):
                known = ", ".join(record)
                raise QuanheError(
                    f"{name}: record {number} has no text in {source.field!r}; set field (it has {known})"
                )
            yield text
    except QuanheError:
        raise
    except Exception as error:  # the client raises a dozen unrelated types when it has no network or no such name
        reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
        raise QuanheError(f"{name}: cannot be read ({reason}); check name, subset and split") from error
