"""Noise on words: syllables that the segmenter joined stand alone, as where it errs."""

from __future__ import annotations

import re
from random import Random

from pipeline.document import Document, Word

_BLANKS = re.compile(r"\s+")


def split_words(document: Document, share: float, rng: Random) -> int:
    """Cut words of several syllables into syllables, in place; mentions and sentences stay where they are.

    Args:
        document: with words.
        share: probability for each such word.

    Returns:
        How many words were cut.
    """
    words: list[Word] = []
    starts: list[int] = []
    cut = 0
    for word in document.words:
        starts.append(len(words))
        syllables = _syllables(document.text, word)
        if len(syllables) > 1 and rng.random() < share:
            words += syllables
            cut += 1
        else:
            words.append(word)
    starts.append(len(words))
    document.words = words
    document.sentences = [(starts[first], starts[last]) for first, last in document.sentences]
    return cut


def _syllables(text: str, word: Word) -> list[Word]:
    """The syllables of a word as words; the word alone when its form does not tell where they stand."""
    forms = word.form.split("_")
    raw = text[word.start : word.end]
    blanks = [match.span() for match in _BLANKS.finditer(raw)]
    if len(forms) < 2 or len(blanks) != len(forms) - 1 or not all(forms):
        return [word]
    starts = [word.start, *(word.start + end for _, end in blanks)]
    ends = [*(word.start + start for start, _ in blanks), word.end]
    return [Word(start, end, form) for start, end, form in zip(starts, ends, forms, strict=True)]
