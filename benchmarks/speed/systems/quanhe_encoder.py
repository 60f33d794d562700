"""quanhe's encoder: how much arithmetic it does a second, where nothing else is to be done.

Timed is the tagger from words to the scores of labels, which is the encoder and a few per cent for the tokenizer.
Counted are the multiplications and additions of the matrix products that its windows need, without padding.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]
_SHIPPED = _ROOT / "models" / "defence-diplomacy"


def load(folder: Path, settings: dict[str, str], exported: str = "", arguments: Any = ()) -> Encoder:
    """The tagger of the shipped model, or of its copy with ONNX files.

    Args:
        settings: of ``Config``; those that this quanhe does not know are left out.
    """
    sys.path.insert(0, str(_ROOT))
    return Encoder(Path(exported) if exported else _SHIPPED, settings)


class Encoder:
    """The tagger of a model."""

    def __init__(self, model: Path, settings: dict[str, str]) -> None:
        from pipeline.config import Config
        from pipeline.model import load_model

        known = {name: value for name, value in settings.items() if name in Config.model_fields}
        self._model, _ = load_model(model, Config.model_validate(known) if known else None)
        scorer = getattr(self._model.tagger, "scorer", self._model.tagger)
        self._numbers = settings.get("precision") or ("bf16" if scorer.bf16 else "fp32")

    def run(self, texts: list[str]) -> dict[str, Any]:
        """``gflops``: 10⁹ multiplications and additions a second, under the name of the numbers."""
        from pipeline.document import Document
        from pipeline.encoders import encoder_config
        from pipeline.mentions.tagger import encode_windows

        documents = [Document(str(number), text) for number, text in enumerate(texts)]
        for document in documents:
            self._model.splitter(document)
        tagger = self._model.tagger
        shape = encoder_config(_SHIPPED / "entities")
        windows = (window for d in documents for window in encode_windows(d, tagger.tokenizer, tagger.windows))
        work = sum(_operations(len(window.ids), shape) for window in windows)
        tagger.log_probabilities(documents[:2])
        begin = time.perf_counter()
        tagger.log_probabilities(documents)
        return {"found": 0, "gflops": {self._numbers: work / (time.perf_counter() - begin) / 1e9}}


def _operations(pieces: int, shape: Any) -> int:
    """Of a window: four projections, two products of attention, and the feed-forward part, in each layer."""
    hidden, inner = int(shape.hidden_size), int(shape.intermediate_size)
    products = 4 * pieces * hidden * hidden + 2 * pieces * pieces * hidden + 2 * pieces * hidden * inner
    return 2 * products * int(shape.num_hidden_layers)
