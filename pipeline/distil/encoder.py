"""A BERT/RoBERTa body written for speed on a CPU with bfloat16 matrix units.

Same arithmetic as transformers' models (checked by a test) but with one matrix product for query,
key and value, and the attention of ``pipeline.attention``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from transformers import AutoModel, AutoModelForMaskedLM

from pipeline.attention import Attention, Padding, find_padding, flash_pays
from pipeline.encoders import encoder_config, first_position, load_as
from pipeline.errors import QuanheError


@dataclass(frozen=True)
class Shape:
    """Sizes of an encoder; position_offset is RoBERTa's padding_idx + 1, 0 for BERT."""

    vocab: int
    hidden: int
    inner: int
    layers: int
    heads: int
    positions: int
    types: int
    eps: float
    pad: int
    position_offset: int


def read_shape(folder: Path) -> Shape | None:
    """Sizes from a folder's configuration; None when it is no BERT or RoBERTa as this module computes them."""
    config: Any = encoder_config(folder)
    offset = first_position(config)
    absolute = getattr(config, "position_embedding_type", None) in (None, "absolute")
    if not (offset or config.model_type == "bert") or config.hidden_act != "gelu" or not absolute:
        return None
    return Shape(
        vocab=config.vocab_size,
        hidden=config.hidden_size,
        inner=config.intermediate_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        positions=config.max_position_embeddings,
        types=config.type_vocab_size,
        eps=config.layer_norm_eps,
        pad=config.pad_token_id or 0,
        position_offset=offset,
    )


class Layer(nn.Module):
    """One post-norm transformer block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        h = shape.hidden
        self.heads = shape.heads
        self.qkv = nn.Linear(h, 3 * h)
        self.out = nn.Linear(h, h)
        self.norm1 = nn.LayerNorm(h, shape.eps)
        self.up = nn.Linear(h, shape.inner)
        self.down = nn.Linear(shape.inner, h)
        self.norm2 = nn.LayerNorm(h, shape.eps)

    def forward(self, x: torch.Tensor, rows: int, padding: Padding | None) -> torch.Tensor:
        """x: (B * L, H) with rows = B."""
        n, h = x.shape
        length, depth = n // rows, h // self.heads
        qkv = self.qkv(x).view(rows, length, 3, self.heads, depth).permute(2, 0, 3, 1, 4)
        if torch.is_grad_enabled() or not flash_pays(x.device):
            q, k, v = qkv.contiguous().view(3, rows * self.heads, length, depth).unbind(0)
            scaled = q * depth**-0.5
            mixed = Attention.apply(scaled, k, v, padding)  # type: ignore[no-untyped-call]
        else:
            q, k, v = qkv.unbind(0)
            mask = None if padding is None else padding.full(length)
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        mixed = mixed.view(rows, self.heads, length, depth).transpose(1, 2).reshape(n, h)
        x = self.norm1(self.out(mixed) + x)
        out: torch.Tensor = self.norm2(self.down(F.gelu(self.up(x))) + x)
        return out


class Encoder(nn.Module):
    """Embeddings and blocks; gives the states of the layers that are asked for.

    Attributes:
        width: of the hidden states.
        depth: number of blocks.
        room: pieces it takes, special tokens included.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.width = shape.hidden
        self.depth = shape.layers
        self.room = shape.positions - shape.position_offset
        self.words = nn.Embedding(shape.vocab, shape.hidden)
        self.positions = nn.Embedding(shape.positions, shape.hidden)
        self.types = nn.Embedding(shape.types, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, shape.eps)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))

    def forward(self, ids: torch.Tensor, keys: torch.Tensor, wanted: set[int]) -> dict[int, torch.Tensor]:
        """ids, keys: (B, L). Gives {layer: states (B * L, H)}; nothing above max(wanted) is run."""
        rows, length = ids.shape
        at = slice(self.shape.position_offset, self.shape.position_offset + length)
        # Padding comes last, so counting positions from the left equals RoBERTa's counting.
        place = self.positions.weight[at] + self.types.weight[0]
        x = self.norm((self.words(ids) + place).view(rows * length, -1))
        padding = find_padding(keys, x.dtype)
        states = {}
        for number, layer in enumerate(self.layers, start=1):
            x = layer(x, rows, padding)
            if number in wanted:
                states[number] = x
            if number == max(wanted):
                break
        return states


class AnyEncoder(nn.Module):
    """A teacher of another architecture, as transformers computes it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        config: Any = encoder_config(folder)
        if getattr(config, "is_encoder_decoder", False) or not hasattr(config, "num_hidden_layers"):
            raise QuanheError(f"teacher {folder}: {config.model_type} is no encoder; take another teacher")
        self.width = int(config.hidden_size)
        self.depth = int(config.num_hidden_layers)
        self.room = int(getattr(config, "max_position_embeddings", 512))
        self.model = load_as(AutoModel, folder)

    def forward(self, ids: torch.Tensor, keys: torch.Tensor, wanted: set[int]) -> dict[int, torch.Tensor]:
        """As ``Encoder.forward``."""
        states = self.model(input_ids=ids, attention_mask=keys.long(), output_hidden_states=True).hidden_states
        return {number: states[number].flatten(0, 1) for number in wanted}


class MaskedLM(nn.Module):
    """Encoder plus RoBERTa's language-model head, whose output matrix is the word embeddings."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder = Encoder(shape)
        self.dense = nn.Linear(shape.hidden, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, shape.eps)
        self.bias = nn.Parameter(torch.zeros(shape.vocab))

    def transform(self, states: torch.Tensor) -> torch.Tensor:
        """States (N, H) to the vectors (N, H) that are compared with the word embeddings."""
        out: torch.Tensor = self.norm(F.gelu(self.dense(states)))
        return out


# ---------------------------------------------------------------- transformers' names
_LAYER = {
    "out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm2": "output.LayerNorm",
}
_QKV = ("query", "key", "value")


def _encoder_names(layers: int) -> dict[str, str]:
    names = {
        "words.weight": "embeddings.word_embeddings.weight",
        "positions.weight": "embeddings.position_embeddings.weight",
        "types.weight": "embeddings.token_type_embeddings.weight",
    }
    for kind in ("weight", "bias"):
        names[f"norm.{kind}"] = f"embeddings.LayerNorm.{kind}"
        for n in range(layers):
            for ours, theirs in _LAYER.items():
                names[f"layers.{n}.{ours}.{kind}"] = f"encoder.layer.{n}.{theirs}.{kind}"
    return names


def _encoder_state(theirs: dict[str, torch.Tensor], layers: int, prefix: str) -> dict[str, torch.Tensor]:
    state = {o: theirs[prefix + t].float() for o, t in _encoder_names(layers).items()}
    for n in range(layers):
        for kind in ("weight", "bias"):
            parts = [theirs[f"{prefix}encoder.layer.{n}.attention.self.{p}.{kind}"] for p in _QKV]
            state[f"layers.{n}.qkv.{kind}"] = torch.cat(parts).float()
    return state


_HEAD = {
    "dense.weight": "lm_head.dense.weight",
    "dense.bias": "lm_head.dense.bias",
    "norm.weight": "lm_head.layer_norm.weight",
    "norm.bias": "lm_head.layer_norm.bias",
    "bias": "lm_head.bias",
}


def load_teacher(folder: Path) -> Encoder | AnyEncoder:
    """A teacher without head, fp32: in this module's fast form where it has one.

    Raises:
        QuanheError: the folder's weights cannot be read, or it holds no encoder.
    """
    shape = read_shape(folder)
    if shape is None:
        return AnyEncoder(folder)
    model = Encoder(shape)
    theirs = load_as(AutoModel, folder, add_pooling_layer=False).state_dict()
    model.load_state_dict(_encoder_state(theirs, shape.layers, ""))
    return model


def load_masked_lm(folder: Path) -> MaskedLM:
    """A student folder (PhoBERT is a RoBERTa), fp32; its language-model head is fresh when the folder has none.

    Raises:
        QuanheError: the folder's weights cannot be read, or it holds no RoBERTa.
    """
    shape = read_shape(folder)
    if shape is None or shape.position_offset == 0:
        raise QuanheError(f"student {folder}: is no RoBERTa with GELU, as PhoBERT is; take another student")
    theirs = load_as(AutoModelForMaskedLM, folder).state_dict()
    body = _encoder_state(theirs, shape.layers, "roberta.")
    state = {f"encoder.{name}": tensor for name, tensor in body.items()}
    state |= {ours: theirs[name].float() for ours, name in _HEAD.items()}
    model = MaskedLM(shape)
    model.load_state_dict(state)
    return model


def transformers_state(ours: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """The way back: a MaskedLM's tensors under RobertaForMaskedLM's names."""
    state = {f"roberta.{t}": ours[f"encoder.{o}"] for o, t in _encoder_names(layers).items()}
    for n in range(layers):
        for kind in ("weight", "bias"):
            for part, tensor in zip(_QKV, ours[f"encoder.layers.{n}.qkv.{kind}"].chunk(3), strict=True):
                state[f"roberta.encoder.layer.{n}.attention.self.{part}.{kind}"] = tensor
    state |= {t: ours[o] for o, t in _HEAD.items()}
    return {name: tensor.contiguous() for name, tensor in state.items()}
