"""brat standoff: a folder of ``.txt`` and ``.ann`` files, or the ``.ann`` file of one article."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipeline.config import DataConfig, Source
from pipeline.data.brat import parse_brat, write_brat
from pipeline.data.corpus import read_source
from pipeline.document import Document
from pipeline.errors import ProblemsError, QuanheError, read_utf8
from pipeline.interchange.articles import Articles, Options, Written, spell_types

# What file systems refuse or give a meaning of its own.
_UNSAFE = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')
_LONGEST = 200  # bytes; file systems take 255


def read(path: Path, options: Options) -> Articles:
    """Read labelled articles, in the order of their ids."""
    if path.is_dir():
        reading = read_source(Source(path=path, texts=options.texts), DataConfig())
        items, errors = reading.items, reading.errors
    else:
        text = (options.texts or path.parent) / f"{path.stem}.txt"
        item, errors = parse_brat(path.with_suffix(".ann"), text)
        items = [item]
    if errors:
        raise ProblemsError(errors)
    comments = sum(line.startswith("#") for item in items for line in read_utf8(item.path).split("\n"))
    return Articles([item.document for item in items], Counter({"comment lines (#), left out": comments}))


def write(documents: Sequence[Document], path: Path, options: Options) -> Written:
    """Write ``<id>.txt`` and ``<id>.ann`` of each article into a new folder."""
    spelt, notes = spell_types(documents)
    names = file_names(spelt, "txt")
    path.mkdir()
    for document, name in zip(spelt, names, strict=True):
        (path / f"{name}.txt").write_bytes(document.text.encode("utf-8"))
        write_brat(document, path / f"{name}.ann")
    return Written(spelt, list(names), notes)


def file_names(documents: Sequence[Document], suffix: str) -> list[str]:
    """A file name, without suffix, for each article: its id, as far as file systems take it.

    Raises:
        QuanheError: two articles would be one file.
    """
    names: dict[str, int] = {}
    for number, document in enumerate(documents, 1):
        name = _UNSAFE.sub("_", document.id).encode("utf-8")[:_LONGEST].decode("utf-8", "ignore") or f"article-{number}"
        if name.startswith("."):  # hidden files are not read
            name = "_" + name[1:]
        if name in names:
            raise QuanheError(
                f"articles {names[name]} and {number} (id {document.id!r}) would both be {name}.{suffix}; "
                "give each an id of its own"
            )
        names[name] = number
    return list(names)
