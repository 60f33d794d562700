"""Words to pieces for both models, each distinct word only once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from transformers import AutoTokenizer

from pipeline.encoders import TOKENIZER_FILES, quiet
from pipeline.errors import QuanheError
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


class WordPieces(Protocol):
    """Gives the pieces of a word; they do not depend on the words around it."""

    special: SpecialIds

    def __call__(self, word: str) -> Pieces:
        """Ids of a word's pieces; ``_`` joins its syllables."""


class PhobertWords:
    """PhoBERT's pieces, of the student or of a teacher that reads words."""

    def __init__(self, folder: Path) -> None:
        self._pieces = PhobertPieces(folder)
        self._cache: dict[str, Pieces] = {}
        p = self._pieces
        self.special = SpecialIds(p.bos_id, p.eos_id, p.pad_id, p.mask_id, p.unk_id, p.size)

    def __call__(self, word: str) -> Pieces:
        found = self._cache.get(word)
        if found is None:
            found = self._cache[word] = tuple(self._pieces([word]).ids)
        return found


class PlainWords:
    """Any tokenizer of transformers, for a teacher that reads plain text: syllable by syllable, as it splits anyway.

    Raises:
        QuanheError: the folder's tokenizer cannot be loaded, or it has no tokens for the ends of a text.
    """

    def __init__(self, folder: Path) -> None:
        try:
            with quiet():
                self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        except (OSError, ValueError, KeyError, ImportError) as error:
            reason = str(error).strip().split("\n")[0][:200]
            raise QuanheError(f"teacher {folder}: its tokenizer cannot be loaded ({reason})") from error
        self._cache: dict[str, Pieces] = {}
        t = self._tokenizer
        first = t.cls_token_id if t.cls_token_id is not None else t.bos_token_id
        last = t.sep_token_id if t.sep_token_id is not None else t.eos_token_id
        if first is None or last is None or t.unk_token_id is None:
            raise QuanheError(f"teacher {folder}: its tokenizer has no first, last or unknown token; take an encoder")
        pad = t.pad_token_id if t.pad_token_id is not None else last
        mask = t.mask_token_id if t.mask_token_id is not None else t.unk_token_id
        self.special = SpecialIds(first, last, pad, mask, t.unk_token_id, len(t))

    def __call__(self, word: str) -> Pieces:
        found = self._cache.get(word)
        if found is None:
            plain = word.replace("_", " ").strip() or word
            found = self._cache[word] = tuple(self._tokenizer.encode(plain, add_special_tokens=False))
        return found


def teacher_words(folder: Path) -> WordPieces:
    """The tokenizer of a teacher: PhoBERT's when it has PhoBERT's files."""
    reads_words = all((folder / name).is_file() for name in TOKENIZER_FILES)
    return PhobertWords(folder) if reads_words else PlainWords(folder)
