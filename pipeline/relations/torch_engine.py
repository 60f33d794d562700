"""The pair classifier in torch: training needs it, and extraction where ONNX Runtime is not to be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pipeline.config import RelationConfig, WindowConfig
from pipeline.errors import QuanheError
from pipeline.relations.batch import collate
from pipeline.relations.candidates import Candidates
from pipeline.relations.classifier import RelationClassifier
from pipeline.relations.encoding import RelationWindow
from pipeline.relations.linear import LinearPairs, Logits
from pipeline.relations.model import RelationModel, load_relation_model, to_device
from pipeline.relations.rows import window_row
from pipeline.schema import Schema
from pipeline.windows.plain import load_tokenizer

_BATCH_PIECES = 4096


class TorchPairScorer:
    """A ``PairScorer`` on a ``RelationModel``.

    Args:
        first_marker: vocabulary id of the first marker.
        pad_id: the padding piece.
        bf16: compute in bfloat16.
    """

    def __init__(self, model: RelationModel, first_marker: int, pad_id: int, *, bf16: bool = False) -> None:
        self.model, self.first_marker, self.pad_id, self.bf16 = model, first_marker, pad_id, bf16

    def __call__(self, windows: Sequence[tuple[RelationWindow, Candidates]]) -> list[Logits]:
        """As ``PairScorer.__call__``."""
        scores: list[Logits] = [np.zeros((0, 0), dtype=np.float32)] * len(windows)
        for batch in _group([len(window.ids) for window, _ in windows]):
            rows = [window_row(*windows[index]) for index in batch]
            logits = self._logits(collate(rows, self.pad_id))
            counts = np.cumsum([len(row["ends"]) for row in rows])
            for index, part in zip(batch, np.split(logits, counts[:-1]), strict=True):
                scores[index] = part
        return scores

    def _logits(self, batch: dict[str, torch.Tensor]) -> Logits:
        device = self.model.encoder.device
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(**to_device(batch, device))["logits"]
        values: Logits = logits.float().cpu().numpy()
        return values


def load_torch_classifier(
    folder: Path,
    schema: Schema,
    config: RelationConfig,
    windows: WindowConfig,
    device: torch.device,
    *,
    bf16: bool = False,
    linear: LinearPairs | None = None,
) -> RelationClassifier:
    """Load what ``save_relation_model`` wrote, with the tokenizer files beside it."""
    model, first_marker = load_relation_model(folder, len(schema.entities), len(schema.relations))
    tokenizer = load_tokenizer(folder)
    scorer = TorchPairScorer(model.to(device).eval(), first_marker, tokenizer.pad_id, bf16=bf16)
    return RelationClassifier(scorer, tokenizer, schema, config, windows, linear=linear)


def weights_of(classifier: RelationClassifier) -> RelationModel:
    """The torch model of a classifier.

    Raises:
        QuanheError: another engine computes it, which has no weights to save.
    """
    if not isinstance(classifier.scorer, TorchPairScorer):
        raise QuanheError("only a model that torch has loaded can be saved or exported: load it with engine: torch")
    return classifier.scorer.model


def _group(lengths: Sequence[int]) -> list[list[int]]:
    """Indices of windows of similar length, each group bounded in padded pieces."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if groups and lengths[index] * (len(groups[-1]) + 1) <= _BATCH_PIECES:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups
