"""Disturbances that make the student forgive other segmenters, spellings and headlines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.distil.config import TextConfig
from pipeline.text.normalise import tone_to_new, tone_to_old

Unit = tuple[str, str]
"""What is aligned: (form that the student reads, form that the teacher reads)."""


def swap_tone(word: str) -> str:
    """Write a word's tones the other way: hoà_bình, hòa_bình."""
    new = tone_to_new(word)
    return new if new != word else tone_to_old(word)


def split(word: str) -> list[str]:
    """Syllables of a word; an underscore by itself or at an edge is left alone."""
    parts = word.split("_")
    return parts if len(parts) > 1 and all(parts) else [word]


def disturb(words: Sequence[str], config: TextConfig, rng: np.random.Generator) -> list[Unit]:
    """Disturb one sentence.

    The teacher keeps the original letters: its view of "Chủ tịch nước" is a better aim for the student's
    "CHỦ_TỊCH NƯỚC" than its view of the rarely seen upper-case form.
    """
    line = rng.random(3)
    if line[0] < config.split_line:
        words = [syllable for word in words for syllable in split(word)]
    elif config.split_word > 0:
        draws = rng.random(len(words)).tolist()
        words = [
            part
            for word, draw in zip(words, draws, strict=True)
            for part in (split(word) if draw < config.split_word else [word])
        ]
    seen = list(words)
    if line[1] < config.tone_line:
        seen = [swap_tone(word) for word in seen]
    if line[2] < config.lower_line:
        seen = [word.lower() for word in seen]
    elif line[2] < config.lower_line + config.upper_line:
        seen = [word.upper() for word in seen]
    return list(zip(seen, words, strict=True))
