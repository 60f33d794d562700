"""From the arguments of a command to the articles in them, one after the other."""

from __future__ import annotations

import codecs
import glob
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import Problem, ProblemsError, QuanheError
from pipeline.inputs.json_lines import json_lines, read_jsonl
from pipeline.inputs.records import DEFAULT_NAMES, FieldNames, Item, Skipped, file_record
from pipeline.inputs.tables import read_csv, read_parquet
from pipeline.inputs.text_files import decode_utf8, read_html, read_text

STDIN = "-"
_STDIN_NAME = "stdin"

Reader = Callable[[Path, FieldNames], Iterator[Item]]
_READERS: dict[str, Reader] = {
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".parquet": read_parquet,
}
KNOWN_SUFFIXES = tuple(_READERS)
_KINDS = f"{', '.join(KNOWN_SUFFIXES[:-1])} or {KNOWN_SUFFIXES[-1]}"


def check_arguments(arguments: Sequence[str], output: Path | None = None) -> None:
    """Refuse arguments of which nothing can come, before a model is loaded for them.

    Raises:
        QuanheError: no argument names anything that is there, stdin is named twice, or the output is also an input.
    """
    if not arguments:
        raise QuanheError("no input given; name files, folders or globs, or - for stdin")
    if list(arguments).count(STDIN) > 1:
        raise QuanheError("stdin (-) can be read only once; name it once")
    if output is not None and any(_same(Path(argument), output) for argument in arguments if argument != STDIN):
        raise QuanheError(f"{output}: both an input and the output; write to another file")
    if not any(isinstance(found, str | Path) for argument in arguments for found in _expand(argument)):
        problems = [found for argument in arguments for found in _expand(argument) if isinstance(found, Problem)]
        raise ProblemsError(problems)


def read_items(
    arguments: Sequence[str],
    names: FieldNames = DEFAULT_NAMES,
    output: Path | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Item]:
    """Read articles lazily, in the order of the arguments, folders sorted by name.

    Args:
        arguments: files, folders, globs, or ``-`` for stdin.
        names: the fields of a record that hold id and text.
        output: a file, or a folder of output, that is not read even when it lies in one of the folders.
        stdin: read for ``-``; default the process's own.

    Yields:
        Records, problems and skipped files; a problem in one file never ends the reading of the others.
    """
    for found in find(arguments, output):
        if isinstance(found, str):
            yield from _guarded(_read_stdin(stdin or sys.stdin.buffer, names), _STDIN_NAME)
        else:
            yield from read_found(found, names)


def find(arguments: Sequence[str], output: Path | None = None) -> Iterator[str | Path | Problem | Skipped]:
    """What there is to read, in order: files of known kinds, ``-``, and what is wrong or left out."""
    for found in itertools.chain.from_iterable(map(_expand, arguments)):
        if isinstance(found, Path) and output is not None and (_same(found, output) or _same(found.parent, output)):
            yield Skipped(str(found), "this is the output; it is not read")
        else:
            yield found


def read_found(found: Path | Problem | Skipped, names: FieldNames) -> Iterator[Item]:
    """The articles of one file that :func:`find` has found, or what it says in place of one."""
    if isinstance(found, Path):
        yield from _guarded(_READERS[found.suffix.lower()](found, names), str(found))
    else:
        yield found


def input_bytes(arguments: Sequence[str], enough: int) -> int:
    """The size of the files that the arguments stand for, added up until it is ``enough``; 0 for stdin."""
    total = 0
    for found in itertools.chain.from_iterable(map(_expand, arguments)):
        if isinstance(found, Path) and os.path.exists(found):
            total += os.path.getsize(found)
        if total >= enough:
            break
    return total


def _guarded(items: Iterator[Item], path: str) -> Iterator[Item]:
    """Turn what ends the reading of one file into a problem of that file."""
    empty = True
    try:
        for item in items:
            empty = False
            yield item
    except ProblemsError as error:
        yield from error.problems
    except QuanheError as error:
        yield Problem(path, 0, str(error))
    except OSError as error:
        yield Problem(path, 0, f"cannot be read ({error.strerror}); check the path and its permissions")
    else:
        if empty:
            yield Skipped(path, "holds no records")


def _expand(argument: str) -> Iterator[str | Path | Problem | Skipped]:
    """What an argument stands for: ``-`` as it is, files of known kinds, and what is wrong or left out."""
    path = Path(argument)
    if argument == STDIN:
        yield STDIN
    elif os.path.isdir(path):
        yield from _nonempty(_walk(path, ()), Problem(argument, 0, f"no {_KINDS} in this folder"))
    elif os.path.exists(path):
        known = path.suffix.lower() in _READERS
        yield path if known else Problem(argument, 0, f"no {_KINDS}; give a plain text of another name as stdin (-)")
    elif glob.has_magic(argument):
        matches = (Path(match) for match in sorted(glob.iglob(argument, recursive=True)))
        files = (_known(match) for match in matches if not os.path.isdir(match))
        yield from _nonempty(files, Problem(argument, 0, f"no {_KINDS} matches this pattern"))
    else:
        yield Problem(argument, 0, "not found; check the path and its permissions")


def _nonempty(found: Iterator[Path | Problem | Skipped], problem: Problem) -> Iterator[Path | Problem | Skipped]:
    """Pass on, with the problem at the end when there was no file."""
    any_file = False
    for item in found:
        any_file = any_file or not isinstance(item, Skipped)
        yield item
    if not any_file:
        yield problem


def _known(path: Path) -> Path | Skipped:
    """A file to read, unless its name says otherwise; a dangling link is passed on, for its reader to report."""
    if path.name.startswith(".") or path.suffix.lower() not in _READERS:
        return Skipped(str(path))
    return Skipped(str(path), "not a file") if os.path.exists(path) and not os.path.isfile(path) else path


def _walk(folder: Path, parents: tuple[str, ...]) -> Iterator[Path | Problem | Skipped]:
    """The files under a folder, sorted by name within each; links are followed, hidden names are not read."""
    real = os.path.realpath(folder)
    if real in parents:
        yield Skipped(str(folder), "a link back to a folder above it; not followed")
        return
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield Problem(str(folder), 0, f"cannot be listed ({error.strerror}); check the folder's permissions")
        return
    for name in names:
        path = folder / name
        if os.path.isdir(path) and not name.startswith("."):
            yield from _walk(path, (*parents, real))
        else:
            yield _known(path)


def _same(path: Path, other: Path) -> bool:
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False


def _read_stdin(stream: BinaryIO, names: FieldNames) -> Iterator[Item]:
    """JSONL when the first visible character is ``{``, else one plain text."""
    before: list[bytes] = []
    for line in stream:
        before.append(line)
        if line.removeprefix(codecs.BOM_UTF8).strip():
            break
    if not before:
        yield Problem(_STDIN_NAME, 0, "nothing came in; pipe a text or JSONL into it")
    elif before[-1].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        yield from json_lines(itertools.chain(before, stream), _STDIN_NAME, names)
    else:
        yield file_record(_STDIN_NAME, decode_utf8(b"".join(before) + stream.read(), _STDIN_NAME))
