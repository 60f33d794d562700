"""A PhoBERT-format vocabulary learnt from text: ``vocab.txt`` (fairseq) and ``bpe.codes`` (subword-nmt)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.trainers import BpeTrainer

from pipeline.distil.corpus import Corpus
from pipeline.errors import QuanheError, read_utf8
from pipeline.windows.tokenizer import MASK_TOKEN, SPECIAL_TOKENS

_END = "</w>"
_ALPHABET = 1000  # characters; rarer ones become <unk>


def train_vocabulary(corpus: Corpus, articles: int, pieces: int, folder: Path) -> int:
    """Learn byte-pair pieces (Sennrich et al., 2016) of word-segmented text and write them as PhoBERT does.

    Args:
        articles: the corpus' first articles, which are read; the others are held out.
        pieces: size of the vocabulary, special tokens included.
        folder: gets ``vocab.txt`` and ``bpe.codes``.

    Returns:
        The size reached; a small text has fewer pieces than asked for.

    Raises:
        QuanheError: the text has more characters than pieces are asked for.
    """
    wanted = pieces - len(SPECIAL_TOKENS) - 1
    tokenizer = Tokenizer(BPE(end_of_word_suffix=_END))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    trainer = BpeTrainer(
        vocab_size=wanted, end_of_word_suffix=_END, limit_alphabet=_ALPHABET, min_frequency=2, show_progress=False
    )
    tokenizer.train_from_iterator(_texts(corpus, articles), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    if len(model["vocab"]) > wanted:
        raise QuanheError(f"start.pieces: the text has {len(model['vocab'])} characters alone; ask for more pieces")
    merges = [tuple(merge) if isinstance(merge, list) else tuple(merge.split(" ")) for merge in model["merges"]]
    counts = _count(tokenizer, corpus, articles)
    # fairseq sorts by frequency; pieces that only lead to longer ones come last.
    ordered = sorted(model["vocab"], key=lambda piece: (-counts[piece], model["vocab"][piece]))
    names = {piece: piece.removesuffix(_END) if piece.endswith(_END) else f"{piece}@@" for piece in ordered}
    lines = [
        f"{names[piece]} {counts[piece]}" for piece in ordered if names[piece] not in (*SPECIAL_TOKENS, MASK_TOKEN)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # Readers go by the order of the merges; the third column is there for the format.
    codes = [f"{left} {right} {len(merges) - rank}" for rank, (left, right) in enumerate(merges)]
    (folder / "bpe.codes").write_text("\n".join(codes) + "\n", encoding="utf-8")
    return len(lines) + len(SPECIAL_TOKENS) + 1


def _texts(corpus: Corpus, articles: int) -> Iterator[str]:
    for article in range(articles):
        yield "\n".join(" ".join(sentence) for sentence in corpus.sentences(article))


def _count(tokenizer: Tokenizer, corpus: Corpus, articles: int) -> Counter[str]:
    """How often each piece occurs in the text."""
    end = corpus.lines[corpus.articles[articles]]
    frequency = np.bincount(corpus.ids[:end], minlength=len(corpus.words)).tolist()
    counts: Counter[str] = Counter()
    for word, times in zip(corpus.words, frequency, strict=True):
        for piece in tokenizer.encode(word).tokens:
            counts[piece] += times
    return counts


def piece_numbers(folder: Path) -> dict[str, int]:
    """The pieces of a folder's ``vocab.txt`` as they are written there, each with its id."""
    numbers = {token: index for index, token in enumerate(SPECIAL_TOKENS)}
    for line in read_utf8(folder / "vocab.txt").split("\n"):
        if line:
            numbers.setdefault(line.rpartition(" ")[0], len(numbers))
    return numbers
