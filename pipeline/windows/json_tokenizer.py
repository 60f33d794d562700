"""Tokenizers of plain text from their ``tokenizer.json`` alone, on the Rust library: no transformers is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.errors import QuanheError
from pipeline.onnx_files import TokenizerFacts
from pipeline.windows.pieces import Pieces, split_words


class JsonPieces:
    """The pieces of ``PlainPieces``, without transformers.

    Args:
        path: ``tokenizer.json``.
        facts: what transformers said of the special pieces.

    Raises:
        QuanheError: the file is missing or damaged.
    """

    def __init__(self, path: Path, facts: TokenizerFacts) -> None:
        self.folder = path.parent
        self.size, self.pad_id, self.bos_id, self.eos_id = facts.size, facts.pad_id, facts.bos_id, facts.eos_id
        self.unk_id, self.mask_id = facts.unk_id, facts.mask_id
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the Rust library raises plain Exception
            raise QuanheError(f"{path}: cannot be read ({error}); run `quanhe export` again") from error

    def __call__(self, forms: Sequence[str]) -> Pieces:
        """As ``WordTokenizer.__call__``; a word that the tokenizer makes nothing of becomes the unknown piece."""
        return split_words(forms, self._split, self.unk_id)

    def _split(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        found = self._tokenizer.encode(text, add_special_tokens=False)
        return found.ids, found.offsets
