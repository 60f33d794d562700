"""The folder of ONNX files in a model folder, and what it says of itself.

``onnx/export.json`` holds all that extraction must know of the encoders, so that neither torch nor transformers has to
be asked, and the hashes by which an export that is older than the weights is told from a fresh one.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import QuanheError, read_utf8

FORMAT = 1
FOLDER = "onnx"
MANIFEST = "export.json"
TOKENIZER = "tokenizer.json"
Numbers = Literal["fp32", "int8"]
# What the graphs are made of; when one of these changes, they are stale.
SOURCES = (
    "entities/model.safetensors",
    "entities/config.json",
    "relations/model.safetensors",
    "relations/config.json",
    "relations/pair_head.safetensors",
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TokenizerFacts(_Part):
    """Special pieces and size of a tokenizer that lies in the folder as ``tokenizer.json``."""

    size: int
    pad_id: int
    bos_id: int
    eos_id: int
    unk_id: int
    mask_id: int


class EntityFacts(_Part):
    """What the tagger must know: see ``mentions.tagger.PieceScorer`` and ``mentions.grammar.grammar``."""

    labels: list[str]
    max_pieces: int
    vocabulary: int
    transitions: dict[str, list[float] | list[list[float]]] | None = None
    adjacency: dict[str, float] | None = None


class RelationFacts(_Part):
    """What the relation classifier must know: see ``relations.classifier.PairScorer``."""

    first_marker: int
    levitated: bool


class Export(_Part):
    """``export.json``.

    Attributes:
        quanhe: version that made it.
        sources: file of the model folder → SHA-256.
        files: file beside this one → SHA-256.
        tokenizer: ``None`` when the encoder's folder has PhoBERT's files.
    """

    format: int = FORMAT
    quanhe: str
    sources: dict[str, str]
    files: dict[str, str] = Field(default_factory=dict)
    entities: EntityFacts
    relations: RelationFacts | None = None
    tokenizer: TokenizerFacts | None = None


def graph_name(stage: str, numbers: Numbers) -> str:
    """The file of a stage's graph."""
    return f"{stage}.{numbers}.onnx"


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def source_hashes(model: Path) -> dict[str, str]:
    """SHA-256 of all files of a model folder that graphs are made of."""
    return {name: file_hash(model / name) for name in SOURCES if (model / name).is_file()}


def read_export(model: Path, numbers: Numbers) -> Export:
    """Read what a model folder's export says of itself, and check it.

    Args:
        numbers: whose graphs are wanted.

    Raises:
        QuanheError: there is none, it is damaged, lacks these graphs, or was made from other weights.
    """
    folder = model / FOLDER
    path = folder / MANIFEST
    remedy = f"run `quanhe export {model}`"
    if not path.is_file():
        raise QuanheError(f"{folder}: no ONNX files; {remedy}")
    try:
        content = json.loads(read_utf8(path))
        if isinstance(content, dict) and content.get("format") != FORMAT:
            raise QuanheError(f"{path}: format {content.get('format')}, this quanhe reads {FORMAT}; {remedy}")
        export = Export.model_validate(content)
    except ValueError as error:  # pydantic's ValidationError and JSONDecodeError are
        raise QuanheError(f"{path}: damaged ({str(error).splitlines()[0]}); {remedy}") from error
    for name, digest in export.sources.items():
        # A folder made for extraction alone has no torch weights.
        if (model / name).is_file() and file_hash(model / name) != digest:
            raise QuanheError(f"{folder}: older than {model / name}; {remedy}")
    stages = ["entities", "relations"] if export.relations else ["entities"]
    needed = [graph_name(stage, numbers) for stage in stages] + ([TOKENIZER] if export.tokenizer else [])
    for name in needed:
        if name not in export.files or not (folder / name).is_file():
            raise QuanheError(f"{folder / name}: missing; {remedy}")
        if file_hash(folder / name) != export.files[name]:
            raise QuanheError(f"{folder / name}: damaged; {remedy}")
    return export
