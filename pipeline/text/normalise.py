"""Normalised text that remembers where each character stood in the raw text.

PhoBERT's vocabulary is NFC: decomposed letters and zero-width characters would all become ``<unk>``. The raw text is
never changed; the models read the normalised one, and every span goes back through the map.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Invisible format characters that news pages carry: soft hyphen, zero-width (non-)joiners and spaces, direction marks,
# byte-order mark. They separate nothing and are dropped.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe00-\ufe0f]")
# White space that is not a plain blank, and control characters: each becomes one blank (a line break stays).
_BLANK = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufffd]")


@dataclass(frozen=True, slots=True)
class NormalisedText:
    """Text in the form that models read.

    Attributes:
        text: NFC, without invisible characters, every white space a blank or a line break.
        starts, ends: raw half-open offsets of each normalised character; ``None`` when nothing changed position.
    """

    text: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """Raw offsets of the non-empty normalised span ``[start, end)``."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> NormalisedText:
    """Normalise a text, keeping the way back to its raw offsets.

    A raw combining sequence maps to one NFC character; the raw offsets of that character cover the whole sequence, so
    a span never ends inside a letter. Dropped characters belong to no normalised character.
    """
    if unicodedata.is_normalized("NFC", text) and not _INVISIBLE.search(text):
        return NormalisedText(_BLANK.sub(" ", text))
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        while end - start > 1 and _INVISIBLE.match(text[end - 1]):
            end -= 1  # what follows the letter unseen is not part of it
        composed = unicodedata.normalize("NFC", _INVISIBLE.sub("", text[start:end]))
        for character in composed:
            characters.append(" " if _BLANK.match(character) else character)
            starts.append(start)
            ends.append(end)
    return NormalisedText("".join(characters), tuple(starts), tuple(ends))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Spans that NFC composes independently: a base character with what follows it until the next base.

    Invisible characters between a base and its accent are taken in, so that the accent still composes.
    """
    clusters: list[tuple[int, int]] = []
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or not _continues(text[position]):
            clusters.append((start, position))
            start = position
    return clusters if text else []


@lru_cache(maxsize=4096)
def _continues(character: str) -> bool:
    """Whether a character composes with, or is invisible after, the one before it."""
    if unicodedata.combining(character) or _INVISIBLE.match(character):
        return True
    # Hangul vowels and trailing consonants compose although their combining class is 0.
    return "\u1161" <= character <= "\u1175" or "\u11a8" <= character <= "\u11c2"


# Both placements of a tone on oa, oe, uy are correct Vietnamese (hòa and hoà); one word must not be two to the model.
_OLD_TO_NEW = {
    old: new
    for pair, tones in (("oa", ("òóỏõọ", "àáảãạ")), ("oe", ("òóỏõọ", "èéẻẽẹ")), ("uy", ("ùúủũụ", "ỳýỷỹỵ")))
    for first, second in zip(*tones, strict=True)
    for old, new in ((first + pair[1], pair[0] + second),)
}
_OLD_TO_NEW |= {old.upper(): new.upper() for old, new in _OLD_TO_NEW.items()} | {
    old.capitalize(): new.capitalize() for old, new in _OLD_TO_NEW.items()
}
_NEW_TO_OLD = {new: old for old, new in _OLD_TO_NEW.items()}
# Only at the end of a syllable is there a choice (hoàn has one spelling), and qu is a consonant (quý).
# The letter before is looked at last: re passes over text quickly where a pattern begins with a few letters.
_OLD = re.compile(rf"({'|'.join(_OLD_TO_NEW)})(?<![qQ]..)(?![^\W\d_])")
_NEW = re.compile(rf"({'|'.join(_NEW_TO_OLD)})(?<![qQ]..)(?![^\W\d_])")


def tone_to_new(text: str) -> str:
    """Write tones the new way (hoà, uỷ, khoẻ), the more frequent one in news; NFC text of the same length."""
    return _OLD.sub(lambda match: _OLD_TO_NEW[match.group(1)], text)


def tone_to_old(text: str) -> str:
    """Write tones the old way (hòa, ủy, khỏe); NFC text of the same length."""
    return _NEW.sub(lambda match: _NEW_TO_OLD[match.group(1)], text)
