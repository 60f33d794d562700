"""When two strings name the same thing: spelling set aside, never meaning."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pipeline.text.normalise import normalise, tone_to_new
from pipeline.yaml_file import read_yaml

Words = tuple[str, ...]

_BLANKS = re.compile(r"\s+")
_QUOTES = re.compile("[\"“”„«»‘’'`´]")
_DASH = re.compile(" ?[-\u2010-\u2015\u2212] ?")
_DOT = re.compile(r"(?<!\d)\.|\.(?!\d)")
_SPLIT = re.compile(r"[\s,;:()\[\]/\-]+")
_PUNCTUATION = " ,;:-"
_MAX_CACHED = 200  # longer names are too rare to keep


def name_key(text: str) -> str:
    """The form under which equal names are equal strings.

    NFC, no letter case, one placement of tones, single blanks, one kind of dash without blanks around it, no quotation
    marks, no full stops after abbreviations: ``TP. Hòa  Bình`` and ``TP Hoà Bình`` have one key. The letters i and y
    are kept apart: they distinguish names.
    """
    return _cached_key(text) if len(text) <= _MAX_CACHED else _key(text)


def _key(text: str) -> str:
    key = unicodedata.normalize("NFC", normalise(text).text.casefold())
    key = _BLANKS.sub(" ", _DOT.sub(" ", _QUOTES.sub("", tone_to_new(key))))
    return _DASH.sub("-", key).replace(" +", "+").strip(_PUNCTUATION)


_cached_key = lru_cache(maxsize=8192)(_key)


@lru_cache(maxsize=8192)
def words(key: str) -> Words:
    """The words of a key, without punctuation."""
    return tuple(word for word in _SPLIT.split(key) if word)


def starts_with(long: Words, short: Words) -> bool:
    """Whether ``short`` is a prefix of ``long`` (or all of it)."""
    return long[: len(short)] == short


def is_subsequence(short: Words, long: Words) -> bool:
    """Whether the words of ``short`` stand in ``long`` in this order, others between them allowed."""
    rest = iter(long)
    return all(word in rest for word in short)


def one_edit_apart(first: str, second: str) -> bool:
    """Whether one inserted, dropped or changed character turns one string into the other, or none."""
    if abs(len(first) - len(second)) > 1:
        return False
    if len(first) > len(second):
        first, second = second, first
    at = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    return first[at:] == second[at + 1 :] or first[at + 1 :] == second[at + 1 :]


def is_abbreviation(text: str) -> bool:
    """Whether a mention is written like an abbreviation: LHQ, ADMM+, UAVs."""
    letters = text.rstrip(" +")
    capitals = sum(character.isupper() for character in letters)
    return 2 <= len(letters) <= 12 and letters.isalnum() and 2 * capitals > len(letters)


@lru_cache(maxsize=8192)
def clean_name(text: str) -> str:
    """A name as it is written, in NFC, with single blanks and without invisible characters."""
    return " ".join(normalise(text).text.split())


def display_name(texts: Iterable[str]) -> str:
    """The canonical one of several names of a thing: the longest in words, not in capitals, most frequent, first."""
    counts = Counter(map(clean_name, texts))
    if len(counts) == 1:
        return next(iter(counts))
    return max(counts, key=lambda text: (len(text.split()), not text.isupper(), len(text), counts[text]))


@cache
def table(name: str) -> dict[str, Any]:
    """A YAML file of this stage's ``data`` folder, read at its first use."""
    return read_yaml(Path(__file__).parent / "data" / f"{name}.yaml")[0]


@cache
def keys(name: str, section: str) -> frozenset[str]:
    """The keys of a list in a data file."""
    return frozenset(name_key(text) for text in table(name)[section])


@cache
def aliases(name: str) -> dict[str, str]:
    """Key of each name that a data file knows → the canonical name."""
    return {
        name_key(text): canonical for canonical, others in table(name)["names"].items() for text in (canonical, *others)
    }
