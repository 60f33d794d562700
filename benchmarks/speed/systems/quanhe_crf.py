"""quanhe's baseline: the CRF on hand-made features and nearest-pair rules, without any network."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_MODEL = _ROOT / "models" / "defence-diplomacy"
_CRF = _MODEL / "baseline" / "crf.crfsuite"


def model_bytes(folder: Path) -> int:
    """The CRF."""
    return _CRF.stat().st_size


def load(folder: Path) -> Baseline:
    """The baseline of the shipped model."""
    sys.path.insert(0, str(_ROOT))
    return Baseline()


class Baseline:
    """``Extractor`` with the baselines as its stages."""

    def __init__(self) -> None:
        from pipeline.config import load_config
        from pipeline.extractor import Extractor
        from pipeline.mentions.crf import CrfTagger
        from pipeline.relations.rules import NearestPairRules
        from pipeline.schema import load_schema
        from pipeline.text.segmenters import load_segmenter
        from pipeline.text.words import WordSplitter

        config, schema = load_config(_MODEL / "config.yaml"), load_schema(_MODEL / "schema.yaml")
        splitter = WordSplitter(load_segmenter(config.text.segmenter))
        self._extractor = Extractor(schema, splitter, CrfTagger(_CRF), NearestPairRules(schema, config.relations))

    def run(self, texts: list[str]) -> int:
        """Mentions of all texts."""
        from pipeline.document import Document

        documents = [Document(str(number), text) for number, text in enumerate(texts)]
        return sum(len(document.mentions) for document in self._extractor.extract(documents))
