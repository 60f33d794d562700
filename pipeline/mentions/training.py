"""Training of the token classifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn import functional
from transformers import PreTrainedModel

from pipeline.config import Config, EntityConfig
from pipeline.document import Document
from pipeline.encoders import load_token_classifier, pick_device, use_bf16
from pipeline.mentions.decoding import adjacency
from pipeline.mentions.tagger import Tagger, training_rows
from pipeline.mentions.torch_engine import torch_tagger
from pipeline.mentions.transitions import Transitions
from pipeline.schema import Schema
from pipeline.training import History, pad_rows, train_model
from pipeline.windows.pieces import WordTokenizer
from pipeline.windows.plain import load_tokenizer


def train_tagger(
    documents: Sequence[Document],
    labels: Sequence[Sequence[str]],
    config: Config,
    schema: Schema,
    encoder: Path,
    *,
    dev_score: Callable[[Tagger], float] | None = None,
    progress: bool = False,
) -> tuple[Tagger, History]:
    """Fine-tune an encoder to a tagger.

    Args:
        documents: with words.
        labels: for each document, the IOB2 label of each word.
        encoder: a folder that ``find_encoder`` accepts.
        dev_score: scores the tagger as it stands, for early stopping.
    """
    torch.manual_seed(config.seed)
    settings = config.entities
    device = pick_device(config.device)
    tokenizer = load_tokenizer(encoder)
    # Dropout inside attention costs a third of the time (no fused kernel takes it) and gained nothing.
    model = load_token_classifier(
        encoder,
        schema.labels,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=settings.dropout,
    ).to(device)
    # Saved with the model; the tagger looks for it there.
    model.config.adjacency = adjacency(labels)
    model.config.transitions = None  # not those of a model that the encoder's folder was
    if settings.crf:
        model.transitions = Transitions(schema.labels).to(device)
    bf16 = use_bf16(config.precision, device)
    tagger = torch_tagger(model, tokenizer, config.windows, bf16=bf16)
    label_ids = {label: index for index, label in enumerate(schema.labels)}
    rows = training_rows(documents, labels, tokenizer, config.windows, label_ids)
    history = train_model(
        model,
        Dataset.from_list(rows),
        WindowCollator(tokenizer, settings.word_dropout),
        settings,
        seed=config.seed,
        device=device,
        bf16=bf16,
        progress=progress,
        loss=_make_loss(model, settings, rows, len(schema.labels)),
        dev_score=(lambda: dev_score(tagger)) if dev_score else None,
    )
    if settings.crf:
        model.config.transitions = model.transitions.values()
        del model.transitions
    return tagger, history


class WindowCollator:
    """Pads a batch of windows; hides the pieces of some words so that context, not only the name, is learnt."""

    def __init__(self, tokenizer: WordTokenizer, word_dropout: float = 0.0) -> None:
        self.tokenizer, self.word_dropout = tokenizer, word_dropout

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        ids = pad_rows([row["input_ids"] for row in rows], self.tokenizer.pad_id)
        labels = pad_rows([row["labels"] for row in rows], -100)
        sentences = pad_rows([row["sentences"] for row in rows], 0)
        mask = (ids != self.tokenizer.pad_id).long()
        if self.word_dropout:
            # A word begins at each labelled piece; its other pieces share the draw.
            words = (labels != -100).long().cumsum(dim=1)
            hidden = torch.rand(ids.shape[0], int(words.max()) + 1) < self.word_dropout
            hidden[:, 0] = False
            drop = hidden.gather(1, words) & mask.bool() & (ids != self.tokenizer.eos_id)
            ids = torch.where(drop, self.tokenizer.unk_id, ids)
        return {"input_ids": ids, "attention_mask": mask, "labels": torch.stack([labels, sentences], dim=-1)}


def _make_loss(
    model: PreTrainedModel, settings: EntityConfig, rows: Sequence[dict[str, Any]], classes: int
) -> Callable[..., torch.Tensor]:
    """Likelihood of label sequences, or cross entropy of single labels, optionally weighted against the many ``O``.

    The loss takes labels and sentence numbers as ``WindowCollator`` stacks them, ``[rows, pieces, 2]``.
    """
    weights = None
    if settings.class_weights == "sqrt":
        counts = Counter(label for row in rows for label in row["labels"] if label >= 0)
        inverse = torch.tensor([max(counts[index], 1) ** -0.5 for index in range(classes)])
        weights = inverse / inverse.mean()

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits: torch.Tensor = outputs.logits.float()
        layer: Transitions | None = getattr(model, "transitions", None)
        if layer is not None:
            return layer.loss(logits, labels[..., 0], labels[..., 1])
        return functional.cross_entropy(
            logits.flatten(0, 1),
            labels[..., 0].flatten(),
            weight=None if weights is None else weights.to(logits.device),
            ignore_index=-100,
            label_smoothing=settings.label_smoothing,
        )

    return loss
