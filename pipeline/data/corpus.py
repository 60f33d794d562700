"""The labelled articles that a config names, split by split."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pipeline.config import DataConfig, Source
from pipeline.data.brat import parse_brat
from pipeline.data.conll import is_segmented, parse_conll
from pipeline.data.labelled import Labelled, suggestion
from pipeline.document import Document
from pipeline.errors import Problem, ProblemsError

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reading:
    """What was read from one or more sources, and what is wrong with it."""

    items: list[Labelled] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def load_source(source: Source, data: DataConfig) -> list[Document]:
    """Read the labelled articles of one source, sorted by id (CoNLL: in the file's order).

    Documents of brat, and of CoNLL files of plain syllables, have no words yet: give them to a ``WordSplitter``. A
    CoNLL corpus in which any token has a ``_`` inside keeps its own words.

    Args:
        source: a folder of brat files, or one CoNLL file.
        data: format and columns; its splits say whether the corpus is word-segmented.

    Raises:
        ProblemsError: all problems of all files.
    """
    return _documents(read_source(source, data))


def load_splits(data: DataConfig) -> dict[Split, list[Document]]:
    """Read train, dev and test; a split without sources is empty.

    Raises:
        ProblemsError: all problems of all files, and each article that stands in two splits.
    """
    splits = read_splits(data)
    errors = [problem for reading in splits.values() for problem in reading.errors]
    errors += leaked_articles({split: reading.items for split, reading in splits.items()})
    if errors:
        raise ProblemsError(errors)
    return {split: _documents(reading) for split, reading in splits.items()}


def load_split(data: DataConfig, split: Split) -> list[Document]:
    """Read one split; the others are read too, since an article that stands in two of them must not go unseen.

    Raises:
        ProblemsError: see ``load_splits``.
    """
    return load_splits(data)[split]


def _documents(reading: Reading) -> list[Document]:
    """The documents, unless there are errors; warnings go to the log, a line each."""
    if reading.errors:
        raise ProblemsError(reading.errors)
    for warning in reading.warnings:
        _log.warning("%s", warning)
    return [item.document for item in reading.items]


def read_splits(data: DataConfig) -> dict[Split, Reading]:
    """``read_source`` for all sources of all splits, with ids that one split has twice."""
    splits: dict[Split, Reading] = {}
    for split in SPLITS:
        reading = splits[split] = Reading()
        for source in getattr(data, split):
            part = read_source(source, data)
            reading.items += part.items
            reading.errors += part.errors
            reading.warnings += part.warnings
        reading.errors += _repeated_ids(reading.items, split)
    return splits


def read_source(source: Source, data: DataConfig) -> Reading:
    """Read one source, collecting what is wrong instead of raising it."""
    return _read_brat_folder(source) if data.format == "brat" else _read_conll_file(source, data)


def _read_brat_folder(source: Source) -> Reading:
    reading = Reading()
    for folder in filter(None, (source.path, source.texts)):
        if not folder.is_dir():
            kind = "a file, but brat articles lie in a folder" if folder.exists() else "no such folder"
            reading.errors.append(Problem(str(folder), 0, f"{kind}; check `data` in the config"))
    if reading.errors:
        return reading
    annotated = {path.stem: path for path in _visible(source.path, "*.ann")}
    if not annotated:
        reading.errors.append(Problem(str(source.path), 0, "no .ann files in this folder"))
        return reading
    texts_folder = source.texts or source.path
    texts = {path.stem: path for path in _visible(texts_folder, "*.txt")}
    # Texts of a folder of their own may be there to be read, not labelled; beside labels they are part of the corpus.
    known = annotated.keys() | (texts.keys() if source.texts is None else set())
    for name in _selected(source, known, reading):
        if name not in texts:
            message = f"no text {texts_folder / name}.txt; add it, set `texts` to its folder, or `skip: [{name}]`"
            reading.errors.append(Problem(str(annotated[name]), 0, message))
        elif name not in annotated:
            message = f"no labels {name}.ann beside it; add it (empty for none), or `skip: [{name}]`"
            reading.errors.append(Problem(str(texts[name]), 0, message))
        else:
            labelled, problems = parse_brat(annotated[name], texts[name])
            reading.items.append(labelled)
            reading.errors += problems
    return reading


def _visible(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in sorted(folder.glob(pattern)) if not path.name.startswith(".") and path.is_file())


def _read_conll_file(source: Source, data: DataConfig) -> Reading:
    reading = Reading()
    if not source.path.is_file():
        kind = "a folder, but CoNLL is one file" if source.path.exists() else "no such file"
        reading.errors.append(Problem(str(source.path), 0, f"{kind}; check `data` in the config"))
        return reading
    own_words = any(is_segmented(path, data.columns) for path in {source.path, *_conll_files(data)})
    read = parse_conll(source.path, data.columns, "file" if own_words else "segmenter")
    reading.errors += read.errors
    reading.warnings += read.repairs
    if not read.items and not read.errors:
        reading.errors.append(Problem(str(source.path), 0, "no tokens in this file"))
    items = {item.document.id: item for item in read.items}
    chosen = set(_selected(source, items.keys(), reading)) if items else set()
    reading.items += [item for name, item in items.items() if name in chosen]
    return reading


def _conll_files(data: DataConfig) -> Iterator[Path]:
    """A corpus is word-segmented as a whole, even if a small split of it happens to hold only single syllables."""
    return (source.path for split in SPLITS for source in getattr(data, split) if source.path.is_file())


def _selected(source: Source, known: Iterable[str], reading: Reading) -> list[str]:
    """Ids that ``only`` and ``skip`` leave, sorted; names that are no id are reported."""
    names = sorted(known)
    for key, wanted in (("only", source.only), ("skip", source.skip)):
        for name in wanted:
            if name not in names:
                message = f"{key}: no article {name} here{suggestion(name, names)}"
                reading.errors.append(Problem(str(source.path), 0, message))
    chosen = [name for name in names if (not source.only or name in source.only) and name not in source.skip]
    if not chosen and not reading.errors:
        reading.errors.append(Problem(str(source.path), 0, "`only` and `skip` leave no article"))
    return chosen


def _repeated_ids(items: Iterable[Labelled], split: str) -> Iterator[Problem]:
    """One problem for each pair of files, however many ids they share."""
    first: dict[str, Labelled] = {}
    pairs: set[tuple[Path, Path]] = set()
    for item in items:
        earlier = first.setdefault(item.document.id, item)
        if earlier is not item and (item.path, earlier.path) not in pairs:
            pairs.add((item.path, earlier.path))
            message = f"{item.document.id} is in {split} twice, also from {earlier.path}; rename a file or take one out"
            yield Problem(str(item.path), 0, message)


def leaked_articles(splits: Mapping[Split, Iterable[Labelled]]) -> list[Problem]:
    """Articles that stand in two splits: by file, by text, or by id. Held out means by article.

    Sentences of a corpus that marks no articles are another matter: captions and formulas recur there, and their ids
    are only numbers. Of them only the same place of the same file may not serve two splits.
    """
    problems: dict[tuple[str, ...], Problem] = {}
    seen: dict[tuple[str, ...], tuple[Split, Labelled]] = {}
    for split, items in splits.items():
        for item in items:
            for key in _identities(item):
                other, earlier = seen.setdefault(key, (split, item))
                if other != split:
                    pair = (str(item.path), str(earlier.path), split, item.document.id if item.article else "")
                    problems.setdefault(pair, _leak(item, earlier, split, other, key[0]))
    return list(problems.values())


def _identities(item: Labelled) -> Iterator[tuple[str, ...]]:
    yield "file", str(item.path.resolve()), item.document.id
    text = " ".join(item.document.text.split())
    if item.article and text:
        yield "text", text
    if item.path != item.text_path:  # the number of a CoNLL document names no article
        yield "id", item.document.id


def _leak(item: Labelled, earlier: Labelled, split: str, other: str, what: str) -> Problem:
    message = {
        "file": f"{item.document.id} is in {split} and in {other}",
        "id": f"{item.document.id} is in {split}, and in {other} from {earlier.path}",
        "text": f"{item.document.id} in {split} has the text of {earlier.document.id} in {other} ({earlier.path})",
    }[what]
    return Problem(str(item.path), 0, f"{message}; held out means by article: take one out")
