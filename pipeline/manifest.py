"""What a model folder says of itself, and the check that it is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipeline.document import Document
from pipeline.errors import QuanheError, read_utf8

FORMAT = 1
MANIFEST = "quanhe.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TrainingData(_Part):
    """What the model has seen: it must never be scored on it.

    Attributes:
        articles: id → SHA-256 of the text.
        mentions, relations: number by type.
        unaligned: labels that no words express, even with words cut at gold edges.
    """

    articles: dict[str, str] = Field(default_factory=dict)
    mentions: dict[str, int] = Field(default_factory=dict)
    relations: dict[str, int] = Field(default_factory=dict)
    unaligned: int = 0


class StageTraining(_Part):
    """How a stage's training went; ``dev`` holds a score per epoch."""

    epochs: int
    best_epoch: int
    dev: list[float]
    seconds: float
    parameters: int


class Manifest(_Part):
    """``quanhe.json``: everything needed to load a model and to know where it comes from.

    Attributes:
        files: path in the folder → size in bytes; a file that is missing or cut off is noticed when loading.
        seen_pairs: text pairs related in training, for the score on pairs never seen.
    """

    format: int = FORMAT
    name: str
    quanhe: str
    segmenter: str
    config_hash: str
    encoder: str
    training: TrainingData
    dev_articles: dict[str, str] = Field(default_factory=dict)
    stages: dict[str, StageTraining] = Field(default_factory=dict)
    seen_pairs: list[tuple[str, str]] = Field(default_factory=list)
    files: dict[str, int] = Field(default_factory=dict)


def text_hash(document: Document) -> str:
    """Identity of a text."""
    return hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()


def list_files(folder: Path) -> dict[str, int]:
    """Every file below a folder with its size, the manifest itself left out."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Note the folder's files and write the manifest: the last file, so that half a folder never looks whole."""
    manifest.files = {name: size for name, size in list_files(folder).items() if name not in _EDITABLE}
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")


_EDITABLE = frozenset({"README.md", "scores.json"})


def read_manifest(folder: Path) -> Manifest:
    """Read and check a model folder.

    Raises:
        QuanheError: no such folder, no model in it, another format, or files missing or cut off.
    """
    if not folder.is_dir():
        raise QuanheError(f"model {folder}: no such folder; run `make train`, or name another with --model")
    path = folder / MANIFEST
    if not path.is_file():
        raise QuanheError(f"model {folder}: {MANIFEST} is missing, so this is no quanhe model; run `make train`")
    try:
        content = json.loads(read_utf8(path))
        # Before anything else is looked at: another format may have other keys.
        if isinstance(content, dict) and content.get("format", FORMAT) != FORMAT:
            raise QuanheError(f"model {folder}: format {content['format']}, this quanhe reads {FORMAT}; train again")
        manifest = Manifest.model_validate(content)
    except ValueError as error:  # pydantic's ValidationError and JSONDecodeError are
        raise QuanheError(f"{path}: damaged ({str(error).splitlines()[0]}); train again or copy it again") from error
    faults = list(_faults(folder, manifest))
    if faults:
        raise QuanheError(f"model {folder}: {'; '.join(faults)}; copy the folder again or run `make train`")
    return manifest


def _faults(folder: Path, manifest: Manifest) -> Iterable[str]:
    for name, size in manifest.files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif path.stat().st_size != size:
            yield f"{name} has {path.stat().st_size} bytes instead of {size}"


def folder_hash(folder: Path) -> str:
    """SHA-256 of a model folder: the names and contents of all its files but those that may be edited.

    That of a folder that is not there is the hash of nothing: loading it says what is wrong.
    """
    whole = hashlib.sha256()
    for name in [MANIFEST, *list_files(folder)]:
        path = folder / name
        if name not in _EDITABLE and path.is_file():
            with path.open("rb") as stream:
                whole.update(f"{name}\0".encode() + hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def default_model() -> Path:
    """The shipped model: ``models/defence-diplomacy`` here, or in the checkout that the code lies in.

    Raises:
        QuanheError: it is in neither place.
    """
    name = Path("models/defence-diplomacy")
    beside_code = Path(__file__).resolve().parent.parent / name
    for folder in (name, beside_code):
        if folder.is_dir():
            return folder
    raise QuanheError(f"no model at {name}; run `make train` there, or name one with --model")
