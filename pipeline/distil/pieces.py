"""Words to pieces for both models, each distinct word only once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.windows.plain import load_tokenizer
from pipeline.windows.tokenizer import PhobertPieces

Pieces = tuple[int, ...]


@dataclass(frozen=True)
class SpecialIds:
    """Ids of the special tokens of one vocabulary, and its size."""

    bos: int
    eos: int
    pad: int
    mask: int
    unk: int
    size: int


class WordPieces:
    """Gives the pieces of a word (``_`` joins its syllables), whatever the encoder's tokenizer.

    Attributes:
        reads_words: whether the vocabulary is PhoBERT's, of words and not of plain text.

    Raises:
        QuanheError: the folder's tokenizer cannot be loaded.
    """

    def __init__(self, folder: Path) -> None:
        self._tokenizer = load_tokenizer(folder)
        self._cache: dict[str, Pieces] = {}
        self.reads_words = isinstance(self._tokenizer, PhobertPieces)
        t = self._tokenizer
        self.special = SpecialIds(t.bos_id, t.eos_id, t.pad_id, t.mask_id, t.unk_id, t.size)

    def __call__(self, word: str) -> Pieces:
        found = self._cache.get(word)
        if found is None:
            found = self._cache[word] = tuple(self._tokenizer([word]).ids)
        return found
