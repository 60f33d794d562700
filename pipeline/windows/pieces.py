"""What the stages ask of a tokenizer, whichever encoder it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of a sequence of words, without special tokens.

    Attributes:
        ids: vocabulary ids.
        words: for each piece, the index of its word.
        starts: for each word, the index of its first piece; one more entry at the end, ``len(ids)``.
        offsets: for each piece, ``[start, end)`` in its word's form.
    """

    ids: list[int]
    words: list[int]
    starts: list[int]
    offsets: list[tuple[int, int]]


class WordTokenizer(Protocol):
    """Splits words to pieces; a word's pieces do not depend on the words around it.

    Attributes:
        folder: where its files lie.
        size: number of ids, special tokens included.
    """

    folder: Path
    size: int
    pad_id: int
    bos_id: int
    eos_id: int
    unk_id: int
    mask_id: int

    def __call__(self, forms: Sequence[str]) -> Pieces:
        """Split words.

        Args:
            forms: the words' normalised forms (``Word.form``), none of them blank.

        Raises:
            ValueError: a word is blank; it would vanish and shift every label behind it.
        """


def check_words(forms: Sequence[str]) -> None:
    """Refuse blank words.

    Raises:
        ValueError: naming the first.
    """
    for index, form in enumerate(forms):
        if not form or form.isspace():
            raise ValueError(f"word {index} is blank")


def split_words(
    forms: Sequence[str], split: Callable[[str], tuple[list[int], list[tuple[int, int]] | None]], unk_id: int
) -> Pieces:
    """Split words one by one with a tokenizer of plain text.

    Args:
        forms: words, their ``_`` standing for blanks.
        split: text → ids and ``[start, end)`` of each piece, or ``None`` when it cannot say where pieces stand.
        unk_id: what a word becomes that the tokenizer makes nothing of.

    Raises:
        ValueError: a word is blank.
    """
    check_words(forms)
    ids: list[int] = []
    words: list[int] = []
    starts: list[int] = []
    offsets: list[tuple[int, int]] = []
    for index, form in enumerate(forms):
        plain = form.replace("_", " ")
        found, places = split(plain if plain.strip() else form)
        if not found:
            found, places = [unk_id], None
        starts.append(len(ids))
        ids += found
        words += [index] * len(found)
        # A piece without a place stands for its whole word; a lone SentencePiece blank belongs to what follows.
        offsets += [(a, max(b, a + 1)) for a, b in places] if places else [(0, len(form))] * len(found)
    return Pieces(ids, words, [*starts, len(ids)], offsets)
