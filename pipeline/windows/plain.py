"""Tokenizers of encoders that read plain text (XLM-R, mBERT, E5 …), word by word, and the choice between formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from pipeline.errors import MissingExtraError, QuanheError
from pipeline.windows.pieces import Pieces, WordTokenizer, split_words
from pipeline.windows.tokenizer import PHOBERT_FILES, PhobertPieces


class PlainPieces:
    """Any tokenizer that transformers loads, given one word at a time with its ``_`` as blanks.

    That is how SentencePiece and WordPiece split anyway: never across blanks.

    Args:
        folder: holds the tokenizer's files.

    Raises:
        QuanheError: it cannot be loaded, knows no words, or has no tokens for the ends of a text.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from transformers import AutoTokenizer

            from pipeline.encoders import quiet
        except ImportError as error:
            raise MissingExtraError("transformers", "torch", f"the tokenizer in {folder}") from error
        self.folder = Path(folder)
        try:
            with quiet():
                self._tokenizer: Any = AutoTokenizer.from_pretrained(self.folder)
        except (OSError, ValueError, KeyError, ImportError) as error:
            reason = str(error).strip().split("\n")[0][:200]
            raise QuanheError(f"{self.folder}: its tokenizer cannot be loaded ({reason})") from error
        t = self._tokenizer
        first = t.cls_token_id if t.cls_token_id is not None else t.bos_token_id
        last = t.sep_token_id if t.sep_token_id is not None else t.eos_token_id
        if first is None or last is None or t.unk_token_id is None:
            raise QuanheError(f"{self.folder}: its tokenizer has no first, last or unknown token; take an encoder")
        self.size = len(t)
        self.bos_id, self.eos_id, self.unk_id = int(first), int(last), int(t.unk_token_id)
        self.pad_id = int(t.pad_token_id if t.pad_token_id is not None else last)
        self.mask_id = int(t.mask_token_id if t.mask_token_id is not None else t.unk_token_id)
        # A folder that names no tokenizer class loads as an empty one, without an error.
        if all(piece == self.unk_id for form in ("Việt", "Nam", "a") for piece in self([form]).ids):
            raise QuanheError(f"{self.folder}: its tokenizer knows no words; its files are missing or incomplete")

    def __call__(self, forms: Sequence[str]) -> Pieces:
        """As ``WordTokenizer.__call__``; a word that the tokenizer makes nothing of becomes the unknown piece."""
        return split_words(forms, self._split, self.unk_id)

    @property
    def rust(self) -> Tokenizer | None:
        """The tokenizer as the Rust library has it, which writes ``tokenizer.json``; ``None`` when it is another."""
        return self._tokenizer.backend_tokenizer if self._tokenizer.is_fast else None

    def _split(self, text: str) -> tuple[list[int], list[tuple[int, int]] | None]:
        # Only the Rust tokenizers tell where a piece stands.
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=self._tokenizer.is_fast)
        return [int(piece) for piece in found["input_ids"]], found.get("offset_mapping")


def load_tokenizer(folder: str | Path) -> WordTokenizer:
    """An encoder's tokenizer: PhoBERT's when the folder has PhoBERT's files, else what transformers makes of it.

    Raises:
        QuanheError: its files are missing or damaged.
    """
    folder = Path(folder)
    phobert = all((folder / name).is_file() for name in PHOBERT_FILES)
    return PhobertPieces(folder) if phobert else PlainPieces(folder)
