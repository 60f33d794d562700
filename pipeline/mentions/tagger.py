"""The tagger: windows of words in, mentions out; the classifier behind it runs in torch or ONNX Runtime."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pipeline.config import WindowConfig
from pipeline.document import Document, Mention, number_mentions
from pipeline.errors import QuanheError
from pipeline.mentions.decoding import Scores, decode
from pipeline.text.edges import trim
from pipeline.windows.pieces import Pieces, WordTokenizer
from pipeline.windows.windows import Window, best_windows, make_windows

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """What the encoder reads of one window.

    Attributes:
        ids: piece ids with ``<s>`` and ``</s>``.
        first_pieces: for each word of the window, where its first piece stands in ``ids``.
    """

    window: Window
    ids: list[int]
    first_pieces: list[int]


def encode_windows(document: Document, tokenizer: WordTokenizer, config: WindowConfig) -> list[EncodedWindow]:
    """Cut a document's words into windows of at most ``config.pieces`` piece ids."""
    pieces = tokenizer([word.form for word in document.words])
    lengths = [end - start for start, end in zip(pieces.starts, pieces.starts[1:], strict=False)]
    windows = make_windows(lengths, config.pieces - 2, config.overlap, [start for start, _ in document.sentences])
    return [_encode(window, pieces, tokenizer, config.pieces - 2) for window in windows]


def _encode(window: Window, pieces: Pieces, tokenizer: WordTokenizer, capacity: int) -> EncodedWindow:
    start, end = pieces.starts[window.first], pieces.starts[window.last]
    kept = min(end, start + capacity)  # only a single word that exceeds the window is cut; its label is on its start
    if kept < end:
        _log.warning("a word of %d pieces is longer than a window; its last %d are not read", end - start, end - kept)
    ids = [tokenizer.bos_id, *pieces.ids[start:kept], tokenizer.eos_id]
    first_pieces = [pieces.starts[word] - start + 1 for word in range(window.first, window.last)]
    return EncodedWindow(window, ids, first_pieces)


class PieceScorer(Protocol):
    """A token classifier, whichever engine computes it.

    Attributes:
        labels: IOB2 labels, in the order of the scores.
        max_pieces: pieces that a window may have, special tokens included.
        vocabulary: number of piece ids that it knows.
    """

    labels: list[str]
    max_pieces: int
    vocabulary: int

    def __call__(self, windows: Sequence[Sequence[int]]) -> list[Scores]:
        """Log probabilities ``[pieces, labels]`` of each window of piece ids, in the order given."""

    def grammar(self) -> tuple[Scores, Scores]:
        """What may follow what, as ``legal_transitions`` gives it."""


class Tagger:
    """Finds mentions.

    Args:
        scorer: a token classifier.
        tokenizer: of the same encoder.
        windows: how long articles are cut.
    """

    def __init__(self, scorer: PieceScorer, tokenizer: WordTokenizer, windows: WindowConfig) -> None:
        limit = scorer.max_pieces
        if windows.pieces > limit:
            raise QuanheError(f"windows.pieces is {windows.pieces}, but the encoder takes {limit}; lower it to {limit}")
        if tokenizer.size > scorer.vocabulary:
            raise QuanheError(
                f"{tokenizer.folder}: the tokenizer has {tokenizer.size} pieces, "
                f"but the weights are of {scorer.vocabulary}"
            )
        self.scorer, self.tokenizer, self.windows = scorer, tokenizer, windows

    @property
    def labels(self) -> list[str]:
        """IOB2 labels, in the order of the scores."""
        return self.scorer.labels

    def predict(self, documents: Sequence[Document]) -> list[list[Mention]]:
        """Mentions of each document, in text order. The documents need words; they are not changed."""
        return [mentions for mentions, _ in self.predict_with_scores(documents)]

    def predict_with_scores(self, documents: Sequence[Document]) -> list[tuple[list[Mention], Scores]]:
        """``predict``, with the log probabilities ``[words, labels]`` of each document before decoding."""
        scored = zip(documents, self.log_probabilities(documents), strict=True)
        return [(self.decode(document, scores), scores) for document, scores in scored]

    def log_probabilities(self, documents: Sequence[Document]) -> list[Scores]:
        """The classifier's opinion of every word of each document, ``[words, labels]``."""
        encoded = [encode_windows(document, self.tokenizer, self.windows) for document in documents]
        flat = [window for windows in encoded for window in windows]
        of_pieces = self.scorer([window.ids for window in flat])
        scores = [rows[window.first_pieces] for rows, window in zip(of_pieces, flat, strict=True)]
        result: list[Scores] = []
        position = 0
        for document, windows in zip(documents, encoded, strict=True):
            result.append(self._merge(len(document.words), windows, scores[position : position + len(windows)]))
            position += len(windows)
        return result

    def _merge(self, words: int, windows: Sequence[EncodedWindow], scores: Sequence[Scores]) -> Scores:
        """Each word takes its scores from the window that gives it the most context."""
        merged = np.zeros((words, len(self.labels)), dtype=np.float32)
        best = best_windows([encoded.window for encoded in windows], words)
        for index, (encoded, window_scores) in enumerate(zip(windows, scores, strict=True)):
            first, last = encoded.window.first, encoded.window.last
            mine = best[first:last] == index
            merged[first:last][mine] = window_scores[mine]
        return merged

    def decode(self, document: Document, scores: Scores) -> list[Mention]:
        """The mentions of the likeliest label sequence.

        Args:
            scores: log probabilities of the document's words, ``[words, labels]``.
        """
        words = document.words
        sentences = [first for first, _ in document.sentences]
        found = []
        for first, last, kind, score in decode(scores, self.labels, *self.scorer.grammar(), sentences):
            span = trim(document.text, words[first].start, words[last - 1].end)
            if span:
                found.append((*span, kind, score))
        return number_mentions(document.text, found)


def training_rows(
    documents: Sequence[Document],
    labels: Sequence[Sequence[str]],
    tokenizer: WordTokenizer,
    windows: WindowConfig,
    label_ids: dict[str, int],
) -> list[dict[str, Any]]:
    """One row a window: ``input_ids``; for each piece ``labels``, -100 on all but the first piece of a word, and
    ``sentences``, the number of its word's sentence; and ``length``.

    Args:
        labels: for each document, the IOB2 label of each word.
    """
    rows: list[dict[str, Any]] = []
    for document, document_labels in zip(documents, labels, strict=True):
        begins = {first for first, _ in document.sentences}
        sentence_of = [number for number, (first, last) in enumerate(document.sentences) for _ in range(first, last)]
        for encoded in encode_windows(document, tokenizer, windows):
            targets, sentences = [-100] * len(encoded.ids), [0] * len(encoded.ids)
            cut = True  # inside a mention that began outside the window or the sentence: I- must not begin a sequence
            for word, piece in enumerate(encoded.first_pieces, encoded.window.first):
                label = document_labels[word]
                cut = (cut or word in begins) and label.startswith("I-")
                if not cut:
                    targets[piece], sentences[piece] = label_ids[label], sentence_of[word]
            if any(target >= 0 for target in targets):
                rows.append(
                    {"input_ids": encoded.ids, "labels": targets, "sentences": sentences, "length": len(encoded.ids)}
                )
    return rows
