"""Encoders in PhoBERT's file format: from a folder, or from a model hub by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModel, AutoModelForTokenClassification, PretrainedConfig, PreTrainedModel
from transformers.utils import logging as hf_logging

from pipeline.errors import QuanheError

TOKENIZER_FILES = ("vocab.txt", "bpe.codes")
_HUB_FILES = ("config.json", "*.safetensors", "pytorch_model.bin")


def find_encoder(name: str) -> Path:
    """The folder of an encoder, fetched from the model hub when no such folder exists.

    Raises:
        QuanheError: no such folder and the hub does not have it or cannot be reached; or files are missing in it.
    """
    folder = find_folder(name, TOKENIZER_FILES)
    missing = [file for file in ("config.json", *TOKENIZER_FILES) if not (folder / file).is_file()]
    if missing:
        raise QuanheError(f"encoder {folder}: {', '.join(missing)} missing; it must be in PhoBERT's file format")
    return folder


def find_folder(name: str, tokenizer_files: Sequence[str]) -> Path:
    """The folder of an encoder whatever its format.

    Args:
        tokenizer_files: file names or patterns to fetch from the hub beside configuration and weights.

    Raises:
        QuanheError: no such folder and the hub does not have it or cannot be reached.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    # A checkout is often used from another folder: its encoders are found from anywhere.
    beside_code = Path(__file__).resolve().parent.parent / name
    return beside_code if beside_code.is_dir() else _fetch(name, [*_HUB_FILES, *tokenizer_files])


def _fetch(name: str, patterns: list[str]) -> Path:
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise QuanheError(f"encoder {name}: no such folder; give a folder, or a hub name such as vinai/phobert-base")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:  # the hub client raises a dozen unrelated types when it has no network or no such name
        raise QuanheError(
            f"encoder {name}: no such folder, and the model hub does not give it ({type(error).__name__}); "
            "check the name or use models/phobert-mini, which needs no network"
        ) from error


def encoder_config(folder: Path) -> PretrainedConfig:
    """The encoder's transformers configuration.

    Raises:
        QuanheError: ``config.json`` is damaged or no known architecture.
    """
    try:
        return AutoConfig.from_pretrained(folder)
    except (OSError, ValueError, json.JSONDecodeError) as error:
        raise QuanheError(f"{folder / 'config.json'}: {_first_line(error)}; copy the folder again") from error


def max_pieces(config: PretrainedConfig) -> int:
    """Positions that the encoder takes, special tokens included (RoBERTa's begin behind the padding id)."""
    return int(config.max_position_embeddings) - int(config.pad_token_id or 0) - 1


def load_encoder(folder: Path, **changes: Any) -> PreTrainedModel:
    """The encoder without a head; ``changes`` go to its configuration (dropout)."""
    return load_as(AutoModel, folder, add_pooling_layer=False, **changes)


def load_token_classifier(folder: Path, labels: list[str], **changes: Any) -> PreTrainedModel:
    """The encoder with a token-classification head, fresh when the folder has none."""
    names = dict(enumerate(labels))
    return load_as(
        AutoModelForTokenClassification,
        folder,
        id2label=names,
        label2id={label: index for index, label in names.items()},
        **changes,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from telling of loading bars and fresh weights: here they are meant to be fresh."""
    level, bars = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    try:
        yield
    finally:
        hf_logging.set_verbosity(level)
        if bars:
            hf_logging.enable_progress_bar()


def load_as(kind: Any, folder: Path, **changes: Any) -> PreTrainedModel:
    """The folder's weights in fp32 as one of transformers' auto classes.

    Raises:
        QuanheError: configuration or weights cannot be read.
    """
    encoder_config(folder)
    try:
        with quiet():
            model: PreTrainedModel = kind.from_pretrained(folder, dtype=torch.float32, **changes)
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        raise QuanheError(f"encoder {folder}: weights cannot be read ({_first_line(error)}); copy it again") from error
    return model


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200] or type(error).__name__


def pick_device(setting: str) -> torch.device:
    """``auto`` is the GPU when there is one.

    Raises:
        QuanheError: a GPU is asked for and there is none.
    """
    if setting == "cuda" and not torch.cuda.is_available():
        raise QuanheError("device: cuda asked for, but torch sees no GPU; set device=auto or device=cpu")
    if setting == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(setting)


def use_bf16(setting: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16: ``auto`` does where the processor multiplies it natively."""
    if setting != "auto":
        return setting == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def save_fp16(model: PreTrainedModel, folder: Path) -> None:
    """Write configuration and half-precision safetensors weights (half the size, no loss that scores show)."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().to("cpu", torch.float16) for name, tensor in model.state_dict().items()}
    with quiet():
        model.save_pretrained(folder, state_dict=state, safe_serialization=True)
