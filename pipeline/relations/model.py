"""The pair classifier: one encoder pass a window, a small network on each pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from pipeline.encoders import load_encoder, quiet, save_fp16
from pipeline.errors import QuanheError
from pipeline.relations.candidates import FEATURE_SIZES

_HEAD_FILE = "pair_head.safetensors"


class PairHead(nn.Module):
    """Scores pairs of spans.

    Args:
        hidden: the encoder's width.
        types: number of entity types.
        relations: number of relation types.
    """

    def __init__(
        self,
        hidden: int,
        types: int,
        relations: int,
        dropout: float,
        width: int = 256,
        *,
        features: int = len(FEATURE_SIZES),
        evidence: bool = True,
    ) -> None:
        super().__init__()
        self.types = nn.Embedding(types, 32)
        self.features = nn.ModuleList(nn.Embedding(size, 16) for size in FEATURE_SIZES[:features])
        self.span = nn.Linear(2 * hidden, width)
        self.between = nn.Linear(hidden, width)
        self.pair = nn.Linear(4 * width + 2 * 32 + 16 * features, width)
        self.evidence = Evidence(hidden, width) if evidence else None
        self.out = nn.Linear(width, relations)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        states: torch.Tensor,
        mask: torch.Tensor,
        window: torch.Tensor,
        ends: torch.Tensor,
        between: torch.Tensor,
        types: torch.Tensor,
        features: torch.Tensor,
    ) -> torch.Tensor:
        """Score pairs.

        Args:
            states: hidden states of the windows, ``[windows, pieces, hidden]``, and which pieces are text, ``mask
                [windows, pieces]``.
            window: each pair's window, ascending, ``[pairs]``.
            ends: hidden states of both spans' ends, ``[pairs, 2, 2 * hidden]`` (head, tail).
            between: mean hidden state of the text between them, ``[pairs, hidden]``.
            types: type indices ``[pairs, 2]``.
            features: ``[pairs, len(FEATURE_SIZES)]``.

        Returns:
            Logits ``[pairs, relations]``.
        """
        spans = self.spans(ends)
        hidden = self.join(spans[:, 0], spans[:, 1], between, types, features)
        if self.evidence is not None:
            hidden = hidden + self.evidence(hidden, states, mask, window)
        logits: torch.Tensor = self.out(self.dropout(hidden))
        return logits

    def spans(self, ends: torch.Tensor) -> torch.Tensor:
        """Spans of their ends' hidden states: ``[..., 2 * hidden]`` → ``[..., width]``."""
        return functional.gelu(self.span(self.dropout(ends)))

    def join(
        self,
        head: torch.Tensor,
        tail: torch.Tensor,
        between: torch.Tensor,
        types: torch.Tensor,
        features: torch.Tensor,
    ) -> torch.Tensor:
        """What is known of each pair before it looks for evidence, ``[pairs, width]``; head and tail from ``spans``."""
        parts = [head, tail, head * tail, functional.gelu(self.between(self.dropout(between)))]
        parts.append(self.types(types).flatten(1))
        parts += [embedding(features[:, column]) for column, embedding in enumerate(self.features)]
        return functional.gelu(self.pair(self.dropout(torch.cat(parts, dim=-1))))


class Evidence(nn.Module):
    """Lets each pair look for what speaks for it anywhere in its window: "hai bên đã ký" may stand behind both spans.

    Attention of pairs over pieces, in the spirit of localised context pooling (Zhou et al., 2021).
    """

    def __init__(self, hidden: int, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(hidden, width)
        self.value = nn.Linear(hidden, width)
        self.join = nn.Linear(2 * width, width)

    def forward(
        self, pairs: torch.Tensor, states: torch.Tensor, mask: torch.Tensor, window: torch.Tensor
    ) -> torch.Tensor:
        """What each pair finds, ``[pairs, width]``; arguments as in ``PairHead.forward``."""
        queries = self._split(self.query(pairs)[None])[0]
        keys, values = self._split(self.key(states)), self._split(self.value(states))
        counts = torch.bincount(window, minlength=len(states)).tolist()
        found = [
            functional.scaled_dot_product_attention(own, keys[at], values[at], attn_mask=mask[at][None, None])
            for at, own in enumerate(torch.split(queries, counts, dim=1))
        ]
        mixed = torch.cat(found, dim=1).transpose(0, 1).flatten(1)
        return self._joined(pairs, mixed)

    def in_window(self, pairs: torch.Tensor, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """As ``forward`` when all pairs are of one window: pairs ``[pairs, width]``, states ``[pieces, hidden]``.

        Args:
            mask: which pieces are text, ``[pieces]``; ``None`` when all are.
        """
        queries, keys, values = (
            self._split(layer(vectors[None]))
            for layer, vectors in ((self.query, pairs), (self.key, states), (self.value, states))
        )
        found = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=None if mask is None else mask[None, None, None]
        )
        return self._joined(pairs, found[0].transpose(0, 1).flatten(1))

    def _joined(self, pairs: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
        return functional.gelu(self.join(torch.cat([pairs, found.to(pairs.dtype)], dim=-1)))

    def _split(self, vectors: torch.Tensor) -> torch.Tensor:
        """``[windows, items, width]`` → ``[windows, heads, items, width / heads]``."""
        return vectors.view(*vectors.shape[:-1], self.heads, -1).transpose(1, 2)


class RelationModel(nn.Module):
    """An encoder with a pair head.

    Args:
        encoder: without pooling layer; its vocabulary already holds the markers.
    """

    def __init__(self, encoder: PreTrainedModel, head: PairHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, labels: torch.Tensor | None = None, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Score all candidates of a batch of windows.

        Args:
            labels: 1 related, 0 not, -100 not asked, ``[pairs, relations]``.
            batch: from ``collate``: ``input_ids``, ``attention_mask``, ``position_ids`` (may be missing), ``pair_window
                [pairs]``, ``pair_ends [pairs, 4]`` (positions of head start, end, tail start, end), ``pair_between
                [pairs, 2]``, ``pair_types [pairs, 2]``, ``pair_features``.

        Returns:
            ``logits [pairs, relations]``, and ``loss`` when there are labels.
        """
        inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
        if "position_ids" in batch:
            inputs["position_ids"] = batch["position_ids"]
        states = self.encoder(**inputs).last_hidden_state
        window = batch["pair_window"]
        ends = states[window[:, None], batch["pair_ends"]].unflatten(1, (2, 2)).flatten(2)
        between = _means(states, window, batch["pair_between"])
        mask = batch["attention_mask"]
        text = mask.bool() if mask.dim() == 2 else mask[:, 0, 0]  # what the first piece may see: text, no markers
        logits = self.head(states, text, window, ends, between, batch["pair_types"], batch["pair_features"])
        if labels is None:
            return {"logits": logits}
        asked = labels >= 0
        losses = functional.binary_cross_entropy_with_logits(
            logits.float(), labels.clamp(min=0).float(), reduction="none"
        )
        return {"loss": (losses * asked).sum() / asked.sum().clamp(min=1), "logits": logits}


def _means(states: torch.Tensor, window: torch.Tensor, ranges: torch.Tensor) -> torch.Tensor:
    """Mean state of ``[start, end)`` in each pair's window, zero for an empty range; by prefix sums, not by loops."""
    sums = functional.pad(states.float().cumsum(dim=1), (0, 0, 1, 0))
    total = sums[window, ranges[:, 1]] - sums[window, ranges[:, 0]]
    return (total / (ranges[:, 1] - ranges[:, 0]).clamp(min=1)[:, None]).to(states.dtype)


def build_model(encoder: Path, types: int, relations: int, dropout: float) -> tuple[RelationModel, int]:
    """A fresh model on an encoder's folder; its vocabulary grows by two markers a type.

    Returns:
        The model and the id of the first marker.
    """
    body = load_encoder(encoder, hidden_dropout_prob=dropout, attention_probs_dropout_prob=0.0)
    first_marker = body.get_input_embeddings().num_embeddings
    with quiet():
        body.resize_token_embeddings(first_marker + 2 * types, mean_resizing=True)
    return RelationModel(body, PairHead(body.config.hidden_size, types, relations, dropout)), first_marker


def save_relation_model(model: RelationModel, folder: Path) -> None:
    """Write encoder and head, both as fp16 safetensors."""
    save_fp16(model.encoder, folder)
    head = {name: tensor.detach().to("cpu", torch.float16) for name, tensor in model.head.state_dict().items()}
    save_file(head, folder / _HEAD_FILE, metadata={"format": "pt"})


def load_relation_model(folder: Path, types: int, relations: int) -> tuple[RelationModel, int]:
    """Read what ``save_relation_model`` wrote.

    Raises:
        QuanheError: the folder is incomplete, damaged, or of another schema.
    """
    body = load_encoder(folder)
    try:
        weights = load_file(folder / _HEAD_FILE)
        # Models from before a feature or the evidence was there have no weights for it.
        known = sum(name.startswith("features.") for name in weights)
        seeks = any(name.startswith("evidence.") for name in weights)
        head = PairHead(
            body.config.hidden_size,
            types,
            relations,
            dropout=0.0,
            features=min(known, len(FEATURE_SIZES)),
            evidence=seeks,
        )
        head.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise QuanheError(f"{folder / _HEAD_FILE}: cannot be read or fits another schema; train again") from error
    return RelationModel(body, head), body.get_input_embeddings().num_embeddings - 2 * types


def to_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Move a batch's tensors."""
    return {name: tensor.to(device) for name, tensor in batch.items()}
