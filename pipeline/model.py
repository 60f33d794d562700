"""Model folders: training makes one, everything else reads one."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from safetensors import SafetensorError

from pipeline.config import Config, load_config
from pipeline.encoders import copy_tokenizer, pick_device, save_fp16, use_bf16
from pipeline.errors import QuanheError
from pipeline.extractor import Extractor
from pipeline.manifest import Manifest, read_manifest, write_manifest
from pipeline.mentions.blend import BlendedTagger
from pipeline.mentions.crf import CrfTagger
from pipeline.mentions.tagger import Tagger
from pipeline.relations.classifier import RelationClassifier
from pipeline.relations.linear import LINEAR_FILE, LinearRelations
from pipeline.relations.model import save_relation_model
from pipeline.relations.rules import NearestPairRules
from pipeline.schema import Schema, load_schema
from pipeline.text.segmenters import check_segmenter, load_segmenter
from pipeline.text.words import WordSplitter

_CRF_FILE = "baseline/crf.crfsuite"


class Model:
    """Trained stages with everything around them.

    Attributes:
        crf_path: the baseline's file; ``None`` when the folder has none.
    """

    def __init__(
        self,
        config: Config,
        schema: Schema,
        splitter: WordSplitter,
        tagger: Tagger,
        relations: RelationClassifier | None,
        crf_path: Path | None = None,
    ) -> None:
        self.config, self.schema, self.splitter = config, schema, splitter
        self.tagger, self.relations, self.crf_path = tagger, relations, crf_path

    @property
    def mentions(self) -> Tagger | BlendedTagger:
        """What finds mentions: the tagger, with the CRF's opinion as the settings say."""
        weight = self.config.entities.blend
        return BlendedTagger(self.tagger, CrfTagger(self.crf_path), weight) if weight and self.crf_path else self.tagger

    def extractor(self) -> Extractor:
        """quanhe itself: mentions and the relation classifier."""
        return Extractor(self.schema, self.splitter, self.mentions, self.relations)

    def systems(self) -> dict[str, Extractor]:
        """quanhe and the baselines, for reports: what does each trained stage buy?"""
        systems = {"quanhe": self.extractor()}
        rules = NearestPairRules(self.schema, self.config.relations) if self.schema.relations else None
        if rules:
            systems["PhoBERT + rules"] = Extractor(self.schema, self.splitter, self.tagger, rules)
        if self.crf_path:
            name = "CRF + rules" if rules else "CRF"
            systems[name] = Extractor(self.schema, self.splitter, CrfTagger(self.crf_path), rules)
            if self.relations and self.relations.linear:
                linear = LinearRelations(self.relations.linear, self.schema, self.config.relations)
                systems["features alone"] = Extractor(self.schema, self.splitter, CrfTagger(self.crf_path), linear)
        return systems


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
    save_fp16(model.tagger.model, folder / "entities")
    copy_tokenizer(model.tagger.tokenizer.folder, folder / "entities")
    if model.relations:
        save_relation_model(model.relations.model, folder / "relations")
        copy_tokenizer(model.relations.tokenizer.folder, folder / "relations")
        if model.relations.linear:
            model.relations.linear.save(folder / "relations" / LINEAR_FILE)
    if model.crf_path:
        (folder / _CRF_FILE).parent.mkdir()
        shutil.copyfile(model.crf_path, folder / _CRF_FILE)
    for name, content in extra.items():
        (folder / name).write_text(content, encoding="utf-8")
    write_manifest(manifest, folder)


def _write_yaml(data: Any, path: Path) -> None:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(data, stream)


def load_model(folder: str | Path, config: Config | None = None) -> tuple[Model, Manifest]:
    """Read a model folder.

    Args:
        config: what it sets of device, precision, blends, relation threshold and evaluation goes before the stored
            settings.

    Raises:
        QuanheError: the folder is incomplete or damaged, or needs a segmenter that is not there.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    stored = load_config(folder / "config.yaml")
    if config:
        stored = _with_settings(stored, config)
    schema = load_schema(folder / "schema.yaml")
    segmenter = load_segmenter(stored.text.segmenter)
    warning = check_segmenter(manifest.segmenter, segmenter)
    if warning:
        print(f"quanhe: {warning}", file=sys.stderr)
    device = pick_device(stored.device)
    bf16 = use_bf16(stored.precision, device)
    tagger = Tagger.load(folder / "entities", stored.windows, device, bf16=bf16)
    classifier = None
    if (folder / "relations").is_dir():
        classifier = RelationClassifier.load(
            folder / "relations", schema, stored.relations, stored.windows, device, bf16=bf16
        )
    crf_path = folder / _CRF_FILE if (folder / _CRF_FILE).is_file() else None
    return Model(stored, schema, WordSplitter(segmenter), tagger, classifier, crf_path), manifest


def _with_settings(stored: Config, config: Config) -> Config:
    """The stored config with what the given one sets and a trained model can still follow."""
    names = {"device", "precision", "evaluation"} & config.model_fields_set
    update: dict[str, Any] = {name: getattr(config, name) for name in names}
    if "blend" in config.entities.model_fields_set:
        update["entities"] = stored.entities.model_copy(update={"blend": config.entities.blend})
    changed = {
        name: getattr(config.relations, name) for name in {"threshold", "blend"} & config.relations.model_fields_set
    }
    if changed:
        update["relations"] = stored.relations.model_copy(update=changed)
    return stored.model_copy(update=update)


def load_pipeline(folder: str | Path, config: Config | None = None) -> Extractor:
    """A model folder, ready to extract."""
    model, _ = load_model(folder, config)
    return model.extractor()
