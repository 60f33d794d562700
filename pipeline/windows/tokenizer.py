"""PhoBERT's tokenizer with word ids and character offsets, on the Rust ``tokenizers`` library.

transformers' ``PhobertTokenizer`` gives neither offsets nor word ids, and it treats ``<s>`` in a text as its special
token. This one reads the same files (``vocab.txt``: fairseq dictionary; ``bpe.codes``: subword-nmt merges), gives the
same ids for every word, and takes words, never raw text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import BPE

from pipeline.document import Word
from pipeline.errors import QuanheError, read_utf8
from pipeline.text.normalise import normalise
from pipeline.windows.pieces import Pieces, check_words

PHOBERT_FILES = ("vocab.txt", "bpe.codes")
_Split = tuple[list[int], list[tuple[int, int]]]

_END = "</w>"
_MAX_WORDS = 50_000  # whose pieces are kept, some 35 MB; then all are forgotten
SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
MASK_TOKEN = "<mask>"  # transformers appends it behind the vocabulary


class PhobertPieces:
    """Splits words to PhoBERT's byte-pair pieces (Sennrich et al., 2016).

    Args:
        folder: holds ``vocab.txt`` and ``bpe.codes``.

    Raises:
        QuanheError: a file is missing or malformed; the message says which and where.
    """

    pad_id, bos_id, eos_id, unk_id = 1, 0, 2, 3

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        vocabulary = _read_vocabulary(self.folder / "vocab.txt")
        merges = _read_merges(self.folder / "bpe.codes")
        self.mask_id = vocabulary.get(MASK_TOKEN, len(vocabulary))
        self.size = max(len(vocabulary), self.mask_id + 1)
        self._known = len(vocabulary)
        self._bpe = Tokenizer(_build_bpe(vocabulary, merges))
        self._splits: dict[str, _Split] = {}

    def __call__(self, forms: Sequence[str]) -> Pieces:
        """Split words.

        Args:
            forms: the words' normalised forms (``Word.form``), none of them blank.

        Raises:
            ValueError: a word is blank; it would vanish and shift every label behind it.
        """
        if not forms:
            return Pieces([], [], [0], [])
        self._learn(forms)
        ids: list[int] = []
        words: list[int] = []
        starts: list[int] = []
        offsets: list[tuple[int, int]] = []
        for index, form in enumerate(forms):
            word_ids, word_offsets = self._splits[form]
            starts.append(len(ids))
            ids += word_ids
            offsets += word_offsets
            words += [index] * len(word_ids)
        return Pieces(ids, words, [*starts, len(ids)], offsets)

    def _learn(self, forms: Sequence[str]) -> None:
        """Split the words that are not known yet, all at once."""
        if len(self._splits) > _MAX_WORDS:
            self._splits.clear()
        new = list({form for form in forms if form not in self._splits})
        if not new:
            return
        check_words(forms)
        encoding = self._bpe.encode(new, is_pretokenized=True, add_special_tokens=False)
        splits: list[_Split] = [([], []) for _ in new]
        for piece, word, offset in zip(encoding.ids, encoding.word_ids, encoding.offsets, strict=True):
            if word is not None:
                ids, offsets = splits[word]
                ids.append(piece if piece < self._known else self.unk_id)
                offsets.append(offset)
        self._splits.update(zip(new, splits, strict=True))


def raw_offsets(text: str, words: Sequence[Word], pieces: Pieces) -> list[tuple[int, int]]:
    """Raw ``[start, end)`` of every piece in the text.

    Args:
        text: the raw text that the words come from.
        words: the words that were split to the pieces, in the same order.
    """
    offsets: list[tuple[int, int]] = []
    cached, characters = -1, [(0, 0)]
    for word_index, (start, end) in zip(pieces.words, pieces.offsets, strict=True):
        if word_index != cached:
            cached, characters = word_index, _character_offsets(text, words[word_index])
        offsets.append((characters[start][0], characters[end - 1][1]))
    return offsets


def _character_offsets(text: str, word: Word) -> list[tuple[int, int]]:
    """Raw offsets of every character of a word's form; ``_`` stands for the white space between syllables."""
    normalised = normalise(text[word.start : word.end])
    result: list[tuple[int, int]] = []
    position = 0
    for character in word.form:
        end = position + 1
        if character == "_" and normalised.text[position].isspace():
            while normalised.text[end].isspace():
                end += 1
        raw_start, raw_end = normalised.raw_span(position, end)
        result.append((word.start + raw_start, word.start + raw_end))
        position = end
    return result


def _read_vocabulary(path: Path) -> dict[str, int]:
    """PhoBERT's dictionary: the special tokens, then one ``piece count`` a line; the first of equal pieces counts."""
    vocabulary = {token: index for index, token in enumerate(SPECIAL_TOKENS)}
    for number, line in enumerate(_lines(path), 1):
        piece, blank, _ = line.strip().rpartition(" ")
        if not blank:
            raise QuanheError(f"{path}:{number}: expected 'piece count'; is this PhoBERT's vocab.txt?")
        if piece in vocabulary:
            continue
        vocabulary[piece] = len(vocabulary)
    return vocabulary


def _read_merges(path: Path) -> list[tuple[str, str]]:
    """subword-nmt merges, one ``left right count`` a line, the most frequent first."""
    merges: dict[tuple[str, str], int] = {}
    for number, line in enumerate(_lines(path), 1):
        parts = line.split()
        if len(parts) != 3:
            raise QuanheError(f"{path}:{number}: expected 'left right count'; is this PhoBERT's bpe.codes?")
        merges[(parts[0], parts[1])] = number
    return sorted(merges, key=lambda pair: merges[pair])


def _lines(path: Path) -> list[str]:
    lines = read_utf8(path).split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise QuanheError(f"{path}: is empty; copy the encoder's folder again")
    return lines


def _build_bpe(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> BPE:
    """The Rust model. It marks a word's last piece by ``</w>``, where PhoBERT marks all but the last by ``@@``.

    Merges pass through pieces that are not in the vocabulary; they get ids behind it, which the caller turns to
    ``<unk>``, as PhoBERT does.
    """
    pieces = {
        (piece[:-2] if piece.endswith("@@") else piece + _END): index
        for piece, index in vocabulary.items()
        if index >= len(SPECIAL_TOKENS)
    }
    pieces["<unk>"] = len(vocabulary)
    for left, right in merges:
        for piece in (left, right, left + right):
            pieces.setdefault(piece, len(vocabulary) + len(pieces))
    return BPE(vocab=pieces, merges=merges, unk_token="<unk>", end_of_word_suffix=_END)
