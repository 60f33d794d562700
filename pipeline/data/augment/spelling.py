"""How a word is spelt: looked up without regard to it, and given to its replacement."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pipeline.text.normalise import tone_to_new

_MARKS = re.compile("[\u0300-\u036f]")
# Spelt as Vietnamese syllables are, once tones are taken off (ơ and ê keep their marks).
_SYLLABLE = re.compile(
    r"(?:b|ch?|d|đ|gh?|gi|h|kh?|l|m|ngh?|nh?|ph?|qu?|r|s|th?|tr|v|x)?[aeiouyăâêôơư]{1,3}(?:ch?|m|ng?|nh|p|t)?"
)
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")


def same_length_key(text: str) -> str:
    """NFC text with tones placed in one way: what is compared when offsets must hold (for NFC input they do)."""
    return tone_to_new(unicodedata.normalize("NFC", text))


@lru_cache(maxsize=16384)
def lookup_key(text: str) -> str:
    """What two spellings of one name have in common: no letter case, one tone placement, single blanks."""
    return " ".join(same_length_key(text).lower().split())


def without_diacritics(text: str) -> str:
    """``Đại tướng`` → ``Dai tuong``."""
    plain = _MARKS.sub("", unicodedata.normalize("NFD", text)).replace("đ", "d").replace("Đ", "D")
    return unicodedata.normalize("NFC", plain)


@lru_cache(maxsize=16384)
def looks_vietnamese(word: str) -> bool:
    """Whether a word is one syllable of Vietnamese spelling."""
    toneless = _TONES.sub("", unicodedata.normalize("NFD", word.lower()))
    return bool(_SYLLABLE.fullmatch(unicodedata.normalize("NFC", toneless)))


def lower_first(text: str) -> str:
    """The text with its first letter in lower case."""
    return text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def spelt_like(surface: str, plain: str, replacement: str) -> str:
    """Spell a replacement as an article spells what it replaces.

    Args:
        surface: what stands in the article.
        plain: the same words as the gazetteer spells them.
        replacement: other words as the gazetteer spells them.

    Returns:
        The replacement in capitals, in lower case, with a small first letter or without diacritics when the surface
        differs from ``plain`` in just this; otherwise as it is.
    """
    seen, known = same_length_key(surface), same_length_key(plain)
    if seen == known:
        return replacement
    for change in (str.upper, str.lower, lower_first, upper_first, without_diacritics):
        if seen == change(known):
            return change(replacement)
    if seen == without_diacritics(known).upper():
        return without_diacritics(replacement).upper()
    return replacement
