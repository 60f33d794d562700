"""Whole files as articles: plain text and HTML pages."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import Problem, ProblemsError
from pipeline.inputs.records import FieldNames, Item, file_record, first_line, import_extra

# The longer marks first: UTF-32's little-endian mark begins with UTF-16's.
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_META_CHARSET = re.compile(rb"""<meta[^>]{0,400}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_PRESCAN = 1024  # bytes in which the HTML standard looks for the charset


def check_encoding_mark(head: bytes, path: str) -> None:
    """Refuse a file that says by its first bytes that it is UTF-16 or UTF-32.

    Raises:
        ProblemsError: it does; the message names the command that converts it.
    """
    for mark, name in _WIDE_MARKS:
        if head.startswith(mark):
            message = f"{name}, not UTF-8; convert it: iconv -f {name} -t UTF-8 OLD > NEW"
            raise ProblemsError([Problem(path, 0, message)])


def decode_utf8(data: bytes, path: str, first_line: int = 1) -> str:
    """Decode text without changing a character: line ends and a leading U+FEFF stay.

    Args:
        data: the bytes of the whole file or of one line.
        path: for messages.
        first_line: the number of the line that ``data`` begins with, counted from 1.

    Raises:
        ProblemsError: the bytes are UTF-16 or UTF-32, binary, or not UTF-8; with the line.
    """
    check_encoding_mark(data[:4], path)
    nul = data.find(b"\0")
    if nul >= 0:
        line = first_line + data.count(b"\n", 0, nul)
        raise ProblemsError([Problem(path, line, "a NUL byte, so this is no UTF-8 text; save the text alone as UTF-8")])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        message = f"not UTF-8 (byte 0x{data[error.start]:02x}); convert it, e.g. iconv -f CP1258 -t UTF-8 OLD > NEW"
        raise ProblemsError([Problem(path, line, message)]) from error


def read_text(path: Path, names: FieldNames) -> Iterator[Item]:
    """The one article of a ``.txt`` file."""
    yield file_record(str(path), decode_utf8(path.read_bytes(), str(path)))


def read_html(path: Path, names: FieldNames) -> Iterator[Item]:
    """The main text of a saved page, found by trafilatura (Barbaresi, 2021), its headline as the first line.

    Offsets count from the start of that text, not of the page's source.
    """
    trafilatura = import_extra("trafilatura", "html", "reading HTML")
    page = _decode_html(path.read_bytes(), str(path))
    try:
        found = trafilatura.bare_extraction(page, include_comments=False, with_metadata=True)
    except Exception as error:  # pages are anything at all, and one that trips its parsers must not end the run
        yield Problem(str(path), 0, f"the page cannot be parsed ({first_line(error)}); save the article's text as .txt")
        return
    if found is None or not (found.text or "").strip():
        yield Problem(str(path), 0, "no main text found in the page; save the article's text as .txt")
        return
    yield file_record(str(path), _with_headline(found.title or "", found.text.strip()))


def _with_headline(title: str, text: str) -> str:
    """Many pages keep the headline outside the article; put it back unless the text begins with it."""
    title = " ".join(title.split())
    return text if not title or " ".join(text[: 2 * len(title)].split()).startswith(title) else f"{title}\n{text}"


def _decode_html(data: bytes, path: str) -> str:
    """Decode a page by the charset it declares near its start, else as UTF-8 (HTML standard, encoding sniffing)."""
    if data.startswith(codecs.BOM_UTF8):
        return decode_utf8(data, path).removeprefix("\ufeff")
    declared = _META_CHARSET.search(data[:_PRESCAN])
    charset = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    if charset in ("utf-8", "utf8") or charset.startswith("utf-16"):  # the standard reads a declared UTF-16 as UTF-8
        return decode_utf8(data, path)
    check_encoding_mark(data[:4], path)
    try:
        return data.decode("cp1252" if charset in ("iso-8859-1", "latin1", "us-ascii", "ascii") else charset)
    except (LookupError, UnicodeDecodeError) as error:
        message = f"the page says its charset is {charset}, and it is not; save it as UTF-8"
        raise ProblemsError([Problem(path, 0, message)]) from error
