"""Encoders, in PhoBERT's file format or another: from a folder, or from a model hub by name."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    MODEL_MAPPING,
    AutoConfig,
    AutoModel,
    AutoModelForTokenClassification,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging as hf_logging

from pipeline.errors import QuanheError
from pipeline.windows.tokenizer import PHOBERT_FILES

# Files and patterns of all tokenizer formats that transformers reads.
TOKENIZER_FILES = (
    *PHOBERT_FILES,
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "*.model",
    "vocab.json",
    "merges.txt",
)
_ROBERTAS = ("roberta", "xlm-roberta", "camembert")
_HUB_FILES = ("config.json", "*.safetensors", "pytorch_model.bin")


def find_encoder(name: str) -> Path:
    """The folder of an encoder with its tokenizer, fetched from the model hub when no such folder exists.

    Raises:
        QuanheError: no such folder and the hub does not have it or cannot be reached; or files are missing in it.
    """
    folder = find_folder(name)
    missing = [file for file in ("config.json", *PHOBERT_FILES) if not (folder / file).is_file()]
    if "config.json" in missing or (missing and not _other_tokenizer(folder)):
        raise QuanheError(
            f"encoder {folder}: {', '.join(missing)} missing; it must be in PhoBERT's file format, "
            "or bring another tokenizer that transformers loads"
        )
    return folder


def _other_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a tokenizer of another format than PhoBERT's."""
    if (folder / "tokenizer.json").is_file() or any(folder.glob("*.model")):
        return True
    return (folder / "vocab.txt").is_file() and encoder_config(folder).model_type == "bert"


def find_phobert(name: str) -> Path:
    """As ``find_encoder``, of an encoder in PhoBERT's file format.

    Raises:
        QuanheError: it is not to be had, or in another format.
    """
    folder = find_encoder(name)
    missing = [file for file in PHOBERT_FILES if not (folder / file).is_file()]
    if missing:
        raise QuanheError(f"encoder {folder}: {', '.join(missing)} missing; it must be in PhoBERT's file format")
    return folder


def find_folder(name: str) -> Path:
    """The folder of an encoder whatever is in it.

    Raises:
        QuanheError: no such folder and the hub does not have it or cannot be reached.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    # A checkout is often used from another folder: its encoders are found from anywhere.
    beside_code = Path(__file__).resolve().parent.parent / name
    return beside_code if beside_code.is_dir() else _fetch(name, [*_HUB_FILES, *TOKENIZER_FILES])


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
    """Pieces that the encoder takes, special tokens included."""
    return int(config.max_position_embeddings) - first_position(config)


def first_position(config: PretrainedConfig) -> int:
    """The first position's number: RoBERTa and its kin count from behind the padding id, others from 0."""
    return int(config.pad_token_id or 0) + 1 if config.model_type in _ROBERTAS else 0


def load_encoder(folder: Path, **changes: Any) -> PreTrainedModel:
    """The encoder without a head; ``changes`` go to its configuration (dropout)."""
    kind = MODEL_MAPPING.get(type(encoder_config(folder)), None)
    if kind is not None and "add_pooling_layer" in inspect.signature(kind.__init__).parameters:
        changes["add_pooling_layer"] = False
    return load_as(AutoModel, folder, **changes)


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
    processor = torch.cpu.get_capabilities()
    return bool(processor.get("amx_bf16") or processor.get("avx512_bf16"))


def save_fp16(model: PreTrainedModel, folder: Path) -> None:
    """Write configuration and half-precision safetensors weights (half the size, no loss that scores show)."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().to("cpu", torch.float16) for name, tensor in model.state_dict().items()}
    with quiet():
        model.save_pretrained(folder, state_dict=state, safe_serialization=True)


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy an encoder's tokenizer files."""
    for pattern in TOKENIZER_FILES:
        for file in source.glob(pattern):
            if file.is_file():
                shutil.copyfile(file, target / file.name)
