"""A checkpoint as a PhoBERT-format folder that transformers loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save_file

from pipeline.distil.checkpoint import load_checkpoint
from pipeline.distil.encoder import transformers_state
from pipeline.encoders import copy_tokenizer
from pipeline.errors import QuanheError

Weights = Literal["average", "master"]


def export(run: Path, student: Path, target: Path, weights: Weights = "average") -> int:
    """Write a run's weights in half precision.

    Args:
        student: the folder that the run started from; gives configuration and vocabulary.
        weights: the averaged ones, or the masters as they are, which are the better ones after a cool-down.

    Returns:
        Student pieces that the weights have seen.

    Raises:
        QuanheError: the run has no checkpoint.
    """
    state = load_checkpoint(run)
    if state is None:
        raise QuanheError(f"{run}: holds no checkpoint to export; name the folder of a run")
    config = json.loads((student / "config.json").read_text(encoding="utf-8"))
    ours = {
        name.removeprefix("model."): tensor
        for name, tensor in state["optim"][weights].items()
        if name.startswith("model.")
    }
    target.mkdir(parents=True, exist_ok=True)
    copy_tokenizer(student, target)
    config |= {"dtype": "float16", "architectures": ["RobertaForMaskedLM"], "tokenizer_class": "PhobertTokenizer"}
    write_weights(transformers_state(ours, config["num_hidden_layers"]), target, torch.float16)
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return int(state["tokens"])


def write_weights(state: Mapping[str, torch.Tensor], folder: Path, dtype: torch.dtype) -> None:
    """Write ``model.safetensors``."""
    tensors = {name: tensor.detach().to(dtype).contiguous() for name, tensor in state.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
