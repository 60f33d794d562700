"""The texts that every system reads: the seed articles and all authored ones, as they are in the repository."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models" / "defence-diplomacy"


def load_texts(count: int = 0, root: Path = ROOT) -> list[str]:
    """Raw articles.

    Args:
        count: how many, evenly spaced over all of them; 0 takes all.
    """
    files = [*sorted((root / "seeds").glob("*.txt")), *sorted((root / "annotations" / "authored").glob("*.txt"))]
    texts = [file.read_text(encoding="utf-8") for file in files]
    return spread(texts, count) if count else texts


def spread(texts: Sequence[str], count: int) -> list[str]:
    """``count`` of the texts, evenly spaced; all when there are no more."""
    if count >= len(texts):
        return list(texts)
    return [texts[index * len(texts) // count] for index in range(count)]


def words(texts: Sequence[str]) -> int:
    """White-space tokens of raw text: a count that favours no segmenter."""
    return sum(len(text.split()) for text in texts)


def digest(texts: Sequence[str]) -> str:
    """Of the texts, to know whether two measurements are of the same."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]
