"""Held-back articles with hard negatives: ``.neg`` beside the ``.txt`` and ``.ann`` of a brat folder.

One pair a line, ``relation<tab>head<tab>tail<tab>reason``: head and tail are ids of ``T`` lines of the ``.ann``, and
the pair stands for the whole entities of both. Empty lines and lines that begin with ``#`` are skipped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pipeline.config import DataConfig, Source
from pipeline.data.corpus import Reading, Split, leaked_articles, read_source, read_splits
from pipeline.data.labelled import Labelled, read_or_report, suggestion
from pipeline.document import Mention
from pipeline.errors import Problem, ProblemsError
from pipeline.negatives import NegativeArticle, NegativePair
from pipeline.schema import Schema

SUFFIX = ".neg"
# Beside train, dev and test in messages and counts; nothing is trained or stopped on it.
NEGATIVES = cast(Split, "negatives")
_SHAPE = "RELATION<tab>T1<tab>T2<tab>reason"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class NegativesReading:
    """What was read, and what is wrong with it.

    Attributes:
        items: the labelled articles, in the order of their ids by source.
        pairs: of each item; what has a problem is left out.
    """

    items: list[Labelled] = field(default_factory=list)
    pairs: list[tuple[NegativePair, ...]] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def load_negatives(data: DataConfig, schema: Schema, *, check_training: bool = True) -> list[NegativeArticle]:
    """Read ``data.negatives``; without sources there are none.

    Args:
        schema: what each relation may join.
        check_training: read train and dev too and refuse articles that stand there. A saved model needs no such check
            (and its training articles may be elsewhere): its manifest says what it has seen.

    Raises:
        ProblemsError: all problems of all files.
    """
    reading = read_negatives(data, schema)
    errors = reading.errors
    if check_training and data.negatives:
        errors = [*errors, *leaked_negatives(reading.items, read_splits(data))]
    if errors:
        raise ProblemsError(errors)
    for warning in reading.warnings:
        _log.warning("%s", warning)
    return [NegativeArticle(item.document, pairs) for item, pairs in zip(reading.items, reading.pairs, strict=True)]


def missing_folders(data: DataConfig) -> list[Path]:
    """Folders that ``data.negatives`` names and that are not there."""
    folders = [folder for source in data.negatives for folder in (source.path, source.texts) if folder]
    return [folder for folder in dict.fromkeys(folders) if not folder.exists()]


def holds_negatives(folder: Path) -> bool:
    """Whether a folder has ``.neg`` files."""
    return bool(_pair_files(folder))


def _pair_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith(".") and path.is_file())


def read_negatives(data: DataConfig, schema: Schema) -> NegativesReading:
    """Read all sources, collecting what is wrong instead of raising it.

    They are brat folders whatever ``data.format`` says, since only brat gives mentions ids.
    """
    result = NegativesReading()
    brat = data.model_copy(update={"format": "brat"})
    for source in data.negatives:
        reading = read_source(source, brat)
        result.errors += reading.errors
        result.warnings += reading.warnings
        result.errors += _without_labels(source)
        for item in reading.items:
            result.items.append(item)
            result.pairs.append(_read_pairs(item, schema, result))
    result.errors += _repeated_ids(result.items)
    return result


def _repeated_ids(items: Iterable[Labelled]) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for item in items:
        earlier = first.setdefault(item.document.id, item.path)
        if earlier is not item.path:
            message = f"{item.document.id} is in {NEGATIVES} twice, also from {earlier}; rename a file or take one out"
            yield Problem(str(item.path), 0, message)


def leaked_negatives(items: Sequence[Labelled], splits: dict[Split, Reading]) -> list[Problem]:
    """Articles that also stand in train or dev. Test articles may serve here too: both are held out."""
    trained: list[Split] = ["train", "dev"]
    known: dict[Split, Iterable[Labelled]] = {split: splits[split].items for split in trained}
    among_themselves = set(leaked_articles(known))
    return [problem for problem in leaked_articles({**known, NEGATIVES: items}) if problem not in among_themselves]


def _without_labels(source: Source) -> Iterator[Problem]:
    """``.neg`` files to whose name no article belongs."""
    for path in _pair_files(source.path):
        chosen = path.stem not in source.skip and (not source.only or path.stem in source.only)
        if chosen and not path.with_suffix(".ann").is_file():
            yield Problem(str(path), 0, f"no labels {path.stem}.ann beside it; add them, or take the file out")


def _read_pairs(item: Labelled, schema: Schema, result: NegativesReading) -> tuple[NegativePair, ...]:
    path = item.path.with_suffix(SUFFIX)
    if not path.is_file():
        message = f"no pairs {path.name} beside it; add the file, or `skip: [{item.path.stem}]`"
        result.errors.append(Problem(str(item.path), 0, message))
        return ()
    content = read_or_report(path, result.errors)
    if content is None:
        return ()
    lines = list(enumerate(content.removeprefix("\ufeff").split("\n"), 1))
    lines = [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]
    if not lines:
        result.warnings.append(Problem(str(path), 0, "no pair in this file"))
    reader = _PairReader(item, schema)
    for number, line in lines:
        result.errors += [Problem(str(path), number, message) for message in reader.read(number, line)]
    return tuple(reader.pairs)


class _PairReader:
    """Reads the lines of one file and checks each against the article's labels."""

    def __init__(self, item: Labelled, schema: Schema) -> None:
        self.item, self.schema = item, schema
        self.mentions = {mention.id: mention for mention in item.document.mentions}
        self.facts = {
            self._fact(relation.type, self.mentions[relation.head], self.mentions[relation.tail]): line
            for line, relation in zip(item.relation_lines, item.document.relations, strict=True)
        }
        self.lines: dict[tuple[str, ...], int] = {}
        self.pairs: list[NegativePair] = []

    def read(self, number: int, line: str) -> Iterator[str]:
        """Take in one line; yields what is wrong with it."""
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != 4 or not all(cells):
            yield f"malformed line {line if len(line) <= 60 else line[:59] + '…'!r}; write it as {_SHAPE}"
            return
        pair = NegativePair(*cells)
        wrong = list(self._mistakes(pair))
        yield from wrong
        if wrong:
            return
        key = self._fact(pair.type, self.mentions[pair.head], self.mentions[pair.tail])
        shown = self._shown(pair)
        if key in self.facts:
            yield f"{shown} is a gold fact: line {self.facts[key]} of {self.item.path.name} states it; take one out"
        elif key in self.lines:
            yield f"{shown} joins the same entities as line {self.lines[key]}; a pair counts once: take one out"
        else:
            self.pairs.append(pair)
        self.lines.setdefault(key, number)

    def _mistakes(self, pair: NegativePair) -> Iterator[str]:
        """Why the pair cannot be a relation of these labels at all."""
        known = self.schema.relations
        if pair.type not in known:
            yield f"{pair.type} is no relation of the schema{suggestion(pair.type, known)}"
        missing = [name for name in dict.fromkeys((pair.head, pair.tail)) if name not in self.mentions]
        yield from (f"{name} is no mention of {self.item.path.name}; name a T line" for name in missing)
        if missing:
            return
        head, tail = self.mentions[pair.head], self.mentions[pair.tail]
        if pair.type in known:
            allowed = known[pair.type]
            for side, mention, types in (("head", head, allowed.head), ("tail", tail, allowed.tail)):
                if mention.type not in types:
                    wanted = " or ".join(types)
                    yield f"{self._shown(pair)} has a {mention.type} as its {side}; the schema wants {wanted}"
        if head.entity == tail.entity:
            yield f"{self._shown(pair)} joins an entity to itself, which no system does; name two entities"

    def _shown(self, pair: NegativePair) -> str:
        head, tail = self.mentions[pair.head], self.mentions[pair.tail]
        return f"{pair.type}({head.id} {head.text!r}, {tail.id} {tail.text!r})"

    def _fact(self, kind: str, head: Mention, tail: Mention) -> tuple[str, ...]:
        known = self.schema.relations.get(kind)
        ends = (head.entity, tail.entity)
        return (kind, *(sorted(ends) if known and known.symmetric else ends))
