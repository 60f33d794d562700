"""The token classifier in torch: training needs it, and extraction where ONNX Runtime is not to be had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from pipeline.config import WindowConfig
from pipeline.encoders import encoder_config, load_token_classifier, max_pieces
from pipeline.errors import QuanheError
from pipeline.mentions.decoding import Scores
from pipeline.mentions.grammar import grammar
from pipeline.mentions.tagger import Tagger
from pipeline.training import pad_rows
from pipeline.windows.pieces import WordTokenizer
from pipeline.windows.plain import load_tokenizer


class TorchPieceScorer:
    """A ``PieceScorer`` on a transformers model.

    Args:
        model: a token classifier; its labels are IOB2.
        pad_id: the padding piece.
        bf16: compute in bfloat16.
    """

    def __init__(self, model: PreTrainedModel, pad_id: int, *, bf16: bool = False) -> None:
        self.model, self.pad_id, self.bf16 = model, pad_id, bf16
        self.labels: list[str] = [model.config.id2label[index] for index in range(model.config.num_labels)]
        self.max_pieces = max_pieces(model.config)
        self.vocabulary = int(model.config.vocab_size)

    def __call__(self, windows: Sequence[Sequence[int]]) -> list[Scores]:
        """As ``PieceScorer.__call__``."""
        scores: list[Scores] = [np.zeros((0, 0), dtype=np.float32)] * len(windows)
        device = self.model.device
        for batch in batches([len(window) for window in windows]):
            ids = pad_rows([list(windows[index]) for index in batch], self.pad_id).to(device)
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
                logits = self.model(input_ids=ids, attention_mask=(ids != self.pad_id).long()).logits
            probabilities = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
            for row, index in enumerate(batch):
                scores[index] = probabilities[row, : len(windows[index])]
        return scores

    def grammar(self) -> tuple[Scores, Scores]:
        """What was learnt with the classifier, by a layer that is still in training or that was saved."""
        layer, config = getattr(self.model, "transitions", None), self.model.config
        learnt = layer.values() if layer is not None else getattr(config, "transitions", None)
        return grammar(self.labels, learnt, getattr(config, "adjacency", None))


def torch_tagger(
    model: PreTrainedModel, tokenizer: WordTokenizer, windows: WindowConfig, *, bf16: bool = False
) -> Tagger:
    """A tagger on a transformers model.

    Raises:
        QuanheError: windows or tokenizer do not fit the model.
    """
    return Tagger(TorchPieceScorer(model, tokenizer.pad_id, bf16=bf16), tokenizer, windows)


def load_torch_tagger(folder: Path, windows: WindowConfig, device: torch.device, *, bf16: bool = False) -> Tagger:
    """Load what ``save_fp16`` wrote, with the tokenizer files beside it."""
    labels = encoder_config(folder).id2label
    model = load_token_classifier(folder, [labels[index] for index in range(len(labels))])
    return torch_tagger(model.to(device).eval(), load_tokenizer(folder), windows, bf16=bf16)


def weights_of(tagger: Tagger) -> PreTrainedModel:
    """The transformers model of a tagger.

    Raises:
        QuanheError: another engine computes it, which has no weights to save.
    """
    if not isinstance(tagger.scorer, TorchPieceScorer):
        raise QuanheError("only a model that torch has loaded can be saved or exported: load it with engine: torch")
    return tagger.scorer.model


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
