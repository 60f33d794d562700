"""Which formats there are, and which of them a file or folder is in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import QuanheError, read_utf8
from pipeline.interchange import brat, conll, doccano, jsonl, label_studio
from pipeline.interchange.articles import Read, Write


@dataclass(frozen=True, slots=True)
class Format:
    """One format: how it is read and written, and as what."""

    name: str
    read: Read
    write: Write
    suffixes: tuple[str, ...]
    folder: bool = False
    """Whether several articles need a folder."""


_ALL = (
    Format("brat", brat.read, brat.write, (".ann", ".txt"), folder=True),
    Format("conll", conll.read, conll.write, conll.SUFFIXES),
    Format("label-studio", label_studio.read, label_studio.write, (".json",)),
    Format("doccano", doccano.read, doccano.write, (".jsonl",)),
    Format("jsonl", jsonl.read, jsonl.write, (".jsonl",)),
)
NAMES = tuple(found.name for found in _ALL)


def by_name(name: str) -> Format:
    """The format of this name.

    Raises:
        QuanheError: there is none.
    """
    for found in _ALL:
        if found.name == name:
            return found
    raise QuanheError(f"unknown format {name!r}; choose one of {', '.join(NAMES)}")


def guess_input(path: Path) -> Format:
    """The format of what is there, by names of files and, of JSON lines, by the keys of the first.

    Raises:
        QuanheError: nothing is there, or it cannot be told.
    """
    if not path.exists():
        raise QuanheError(f"{path}: not found; check the path")
    if path.is_dir():
        suffixes = {file.suffix for file in path.iterdir() if file.is_file() and not file.name.startswith(".")}
        for found in (by_name("brat"), by_name("conll"), by_name("label-studio")):
            if suffixes & (set(found.suffixes) - {".txt"}):
                return found
        if ".jsonl" in suffixes:
            return guess_input(min(path.glob("*.jsonl")))
        raise QuanheError(f"{path}: no labelled articles in this folder; say what they are with --from")
    if path.suffix in (".json", ".jsonl"):
        return _guess_json(path)
    return _by_suffix(path, "--from")


def _guess_json(path: Path) -> Format:
    """A list is Label Studio's; of objects, the keys tell."""
    text = read_utf8(path).removeprefix("\ufeff").lstrip()
    if text.startswith("["):
        return by_name("label-studio")
    try:
        first = json.loads(text.partition("\n")[0])
    except (ValueError, RecursionError):
        try:
            first = json.loads(text)  # one task over many lines
        except (ValueError, RecursionError):
            first = None
    if isinstance(first, dict):
        if isinstance(first.get("data"), dict):
            return by_name("label-studio")
        if "mentions" in first:
            return by_name("jsonl")
        if {"label", "labels"} & first.keys() or _has_offsets(first.get("entities")):
            return by_name("doccano")
    raise QuanheError(f"{path}: cannot tell which format this is; say it with --from ({', '.join(NAMES)})")


def _has_offsets(entities: object) -> bool:
    if not isinstance(entities, list):
        return False
    return not entities or (isinstance(entities[0], dict) and "start_offset" in entities[0])


def guess_output(path: Path) -> Format:
    """The format that a name calls for; ``.jsonl`` is quanhe's own.

    Raises:
        QuanheError: the suffix is none that is known.
    """
    if path.suffix == ".jsonl":
        return by_name("jsonl")
    return by_name("brat") if not path.suffix else _by_suffix(path, "--to")


def _by_suffix(path: Path, option: str) -> Format:
    for found in _ALL:
        if path.suffix in found.suffixes:
            return found
    raise QuanheError(f"{path}: cannot tell the format from this name; say it with {option} ({', '.join(NAMES)})")
