"""CoNLL columns: one file, or a folder with a file an article; IOB2 tags are written.

The format holds tokens and flat mentions: no relations, no entity links, no overlapping spans, and of the text neither
its line ends nor the white space between tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.data.align import gold_edges
from pipeline.data.conll import parse_conll, write_conll
from pipeline.document import Document
from pipeline.errors import Problem, ProblemsError, QuanheError
from pipeline.interchange.articles import Articles, Notes, Options, Written, spell_types
from pipeline.interchange.brat import file_names

SUFFIXES = (".conll", ".iob2", ".iob", ".bio", ".tsv")


def read(path: Path, options: Options) -> Articles:
    """Read articles with the words of the file; a file with one article gives it its own name as id."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and not file.name.startswith("."))
    articles = Articles()
    errors: list[Problem] = []
    for file in files:
        found = parse_conll(file, options.columns)
        errors += found.errors
        if not found.items and not found.errors:
            errors.append(Problem(str(file), 0, "no tokens in this file; take it out"))
        for repair in found.repairs:
            articles.notes[f"{repair.path}: illegal tag sequences, repaired as conlleval reads them"] += 1
        if not all(item.article for item in found.items):
            articles.notes["sentences of files without -DOCSTART- lines, each taken for an article"] += len(found.items)
        if len(found.items) == 1:
            found.items[0].document.id = file.stem
        articles.documents += [item.document for item in found.items]
    if errors:
        raise ProblemsError(errors)
    return articles


def write(documents: Sequence[Document], path: Path, options: Options) -> Written:
    """Write one file when ``path`` has a suffix, else a folder with a file an article."""
    spelt, notes = spell_types(documents)
    ready = [_with_words(document, options, notes) for document in spelt]
    held = [document for document in ready if document.words]
    if path.suffix:
        write_conll(held, path)
        names = [path.stem] if len(held) == 1 else [f"{path.stem}-{number}" for number in range(1, len(held) + 1)]
    else:
        names = file_names(held, "conll")
        path.mkdir()
        for document, name in zip(held, names, strict=True):
            write_conll([document], path / f"{name}.conll")
    left = iter(names)
    return Written(spelt, [next(left) if document.words else None for document in ready], notes)


def _with_words(document: Document, options: Options, notes: Notes) -> Document:
    """A copy with words, cut where a span begins or ends inside one: the tags then hold every flat span."""
    if document.words or not document.text.strip():
        return document
    if options.splitter is None:
        raise QuanheError(f"{document.id}: no words to write as CoNLL; name a segmenter")
    splitter = options.splitter()
    whole = len(splitter(document.bare()).words)
    copy = splitter(replace(document, words=[], sentences=[]), gold_edges(document))
    if len(copy.words) > whole:
        notes["words cut in two, because a span begins or ends inside"] += len(copy.words) - whole
    return copy
