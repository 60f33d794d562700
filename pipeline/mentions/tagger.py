"""The PhoBERT token classifier: windows of words in, mentions out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from pipeline.config import WindowConfig
from pipeline.document import Document, Mention, number_mentions
from pipeline.encoders import encoder_config, load_token_classifier, max_pieces
from pipeline.errors import QuanheError
from pipeline.mentions.decoding import Scores, decode, legal_transitions
from pipeline.mentions.transitions import learnt_grammar
from pipeline.text.edges import trim
from pipeline.training import pad_rows
from pipeline.windows.pieces import Pieces, WordTokenizer
from pipeline.windows.plain import load_tokenizer
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


class Tagger:
    """Finds mentions.

    Args:
        model: a token classifier; its labels are IOB2.
        tokenizer: of the same encoder.
        windows: how long articles are cut.
        bf16: compute in bfloat16.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: WordTokenizer, windows: WindowConfig, *, bf16: bool = False
    ) -> None:
        limit = max_pieces(model.config)
        if windows.pieces > limit:
            raise QuanheError(f"windows.pieces is {windows.pieces}, but the encoder takes {limit}; lower it to {limit}")
        known = int(model.config.vocab_size)
        if tokenizer.size > known:
            raise QuanheError(
                f"{tokenizer.folder}: the tokenizer has {tokenizer.size} pieces, but the weights are of {known}"
            )
        self.model, self.tokenizer, self.windows, self.bf16 = model, tokenizer, windows, bf16
        self.labels = [model.config.id2label[index] for index in range(model.config.num_labels)]

    @classmethod
    def load(cls, folder: Path, windows: WindowConfig, device: torch.device, *, bf16: bool = False) -> Tagger:
        """Load what ``save_fp16`` wrote, with the tokenizer files beside it."""
        labels = encoder_config(folder).id2label
        model = load_token_classifier(folder, [labels[index] for index in range(len(labels))])
        return cls(model.to(device).eval(), load_tokenizer(folder), windows, bf16=bf16)

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
        scores = self._score(flat)
        result: list[Scores] = []
        position = 0
        for document, windows in zip(documents, encoded, strict=True):
            result.append(self._merge(len(document.words), windows, scores[position : position + len(windows)]))
            position += len(windows)
        return result

    def _score(self, windows: Sequence[EncodedWindow]) -> list[Scores]:
        """Log probabilities ``[words, labels]`` of each window, in the order given."""
        scores: list[Scores] = [np.zeros((0, 0), dtype=np.float32)] * len(windows)
        device = self.model.device
        for batch in batches([len(window.ids) for window in windows]):
            ids = pad_rows([windows[index].ids for index in batch], self.tokenizer.pad_id).to(device)
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
                logits = self.model(input_ids=ids, attention_mask=(ids != self.tokenizer.pad_id).long()).logits
            probabilities = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
            for row, index in enumerate(batch):
                scores[index] = probabilities[row, windows[index].first_pieces]
        return scores

    def _merge(self, words: int, windows: Sequence[EncodedWindow], scores: Sequence[Scores]) -> Scores:
        """Each word takes its scores from the window that gives it the most context."""
        merged = np.zeros((words, len(self.labels)), dtype=np.float32)
        best = np.array(best_windows([encoded.window for encoded in windows], words), dtype=np.int64)
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
        for first, last, kind, score in decode(scores, self.labels, *self._grammar(), sentences):
            span = trim(document.text, words[first].start, words[last - 1].end)
            if span:
                found.append((*span, kind, score))
        return number_mentions(document.text, found)

    def _grammar(self) -> tuple[Scores, Scores]:
        """What may follow what: learnt with the classifier, by a layer that is still in training or that was saved."""
        layer = getattr(self.model, "transitions", None)
        values = layer.values() if layer is not None else getattr(self.model.config, "transitions", None)
        if values:
            return learnt_grammar(self.labels, values)
        return legal_transitions(self.labels, getattr(self.model.config, "adjacency", None))


def batches(lengths: Sequence[int], tokens: int = 8192) -> Iterator[list[int]]:
    """Indices grouped by similar length, each group at most ``tokens`` once padded: little padding, flat memory."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and lengths[index] * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


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
