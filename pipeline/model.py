"""Model folders: training makes one, everything else reads one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pipeline.config import Config, load_config
from pipeline.engines import choose_engine, load_stages
from pipeline.extractor import Extractor
from pipeline.manifest import Manifest, read_manifest
from pipeline.mentions.blend import BlendedTagger
from pipeline.mentions.crf import CrfTagger
from pipeline.mentions.tagger import Tagger
from pipeline.relations.classifier import RelationClassifier
from pipeline.relations.linear import LinearRelations
from pipeline.relations.rules import NearestPairRules
from pipeline.schema import Schema, load_schema
from pipeline.text.segmenters import check_segmenter, load_segmenter
from pipeline.text.words import WordSplitter

CRF_FILE = "baseline/crf.crfsuite"


class Model:
    """Trained stages with everything around them.

    Attributes:
        crf_path: the baseline's file; ``None`` when the folder has none.
        engine: what computes the encoders, and in which numbers.
    """

    def __init__(
        self,
        config: Config,
        schema: Schema,
        splitter: WordSplitter,
        tagger: Tagger,
        relations: RelationClassifier | None,
        crf_path: Path | None = None,
        engine: str = "torch",
    ) -> None:
        self.config, self.schema, self.splitter = config, schema, splitter
        self.tagger, self.relations, self.crf_path, self.engine = tagger, relations, crf_path, engine

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


def load_model(folder: str | Path, config: Config | None = None) -> tuple[Model, Manifest]:
    """Read a model folder.

    Args:
        config: what it sets of engine, threads, device, precision, blends, relation threshold and evaluation goes
            before the stored settings.

    Raises:
        QuanheError: the folder is incomplete or damaged, or needs a segmenter or an engine that is not there.
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
    engine, note = choose_engine(folder, stored)
    if note:
        print(f"quanhe: {note}", file=sys.stderr)
    tagger, classifier = load_stages(folder, engine, stored, schema)
    crf_path = folder / CRF_FILE if (folder / CRF_FILE).is_file() else None
    return Model(stored, schema, WordSplitter(segmenter), tagger, classifier, crf_path, str(engine)), manifest


def _with_settings(stored: Config, config: Config) -> Config:
    """The stored config with what the given one sets and a trained model can still follow."""
    names = {"engine", "threads", "device", "precision", "evaluation"} & config.model_fields_set
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
