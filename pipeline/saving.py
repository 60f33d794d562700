"""Writing a model folder: complete or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from safetensors import SafetensorError

from pipeline.encoders import copy_tokenizer, save_fp16
from pipeline.errors import QuanheError
from pipeline.manifest import Manifest, write_manifest
from pipeline.mentions.torch_engine import weights_of as entity_weights
from pipeline.model import CRF_FILE, Model
from pipeline.relations.linear import LINEAR_FILE
from pipeline.relations.model import save_relation_model
from pipeline.relations.torch_engine import weights_of as relation_weights


def save_model(model: Model, manifest: Manifest, folder: Path, extra: dict[str, str]) -> None:
    """Write a complete model folder, or nothing: it is built beside its place and moved there.

    Args:
        extra: further text files, name → content (scores, model card).

    Raises:
        QuanheError: it cannot be written; what stood there before still does.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            new, old = Path(scratch) / "model", Path(scratch) / "old"
            _write_folder(model, manifest, new, extra)
            if folder.exists():
                folder.rename(old)
            try:
                new.rename(folder)
            except OSError:
                if old.exists():
                    old.rename(folder)
                raise
    except (OSError, SafetensorError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise QuanheError(f"model {folder}: cannot be written ({reason}); free the place or name another") from error


def _write_folder(model: Model, manifest: Manifest, folder: Path, extra: dict[str, str]) -> None:
    folder.mkdir()
    _write_yaml(model.config.resolved(), folder / "config.yaml")
    _write_yaml(model.schema.model_dump(mode="json"), folder / "schema.yaml")
    save_fp16(entity_weights(model.tagger), folder / "entities")
    copy_tokenizer(model.tagger.tokenizer.folder, folder / "entities")
    if model.relations:
        save_relation_model(relation_weights(model.relations), folder / "relations")
        copy_tokenizer(model.relations.tokenizer.folder, folder / "relations")
        if model.relations.linear:
            model.relations.linear.save(folder / "relations" / LINEAR_FILE)
    if model.crf_path:
        (folder / CRF_FILE).parent.mkdir()
        shutil.copyfile(model.crf_path, folder / CRF_FILE)
    for name, content in extra.items():
        (folder / name).write_text(content, encoding="utf-8")
    write_manifest(manifest, folder)


def _write_yaml(data: Any, path: Path) -> None:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(data, stream)
