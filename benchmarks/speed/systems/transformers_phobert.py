"""A PhoBERT token classifier through transformers' own ``pipeline``, from raw text, as its documentation shows it.

Timed are sentence splitting and word segmentation (underthesea: PhoBERT wants segmented words), transformers'
``PhobertTokenizer`` (there is none in Rust), the network and the grouping of labels. Sentences are cut at 256 pieces,
PhoBERT's limit. The weights are fresh, with PhoBERT-base's shape; the tokenizer's files are those of the encoder in
this repository.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

_TYPES = ("PERSON", "RANK", "ROLE", "ORG", "COUNTRY", "LOCATION", "DATE", "AGREEMENT", "EVENT")
_LIMIT = 256
# Fresh weights label at random; so raised, "O" is what most words get, and grouping has as much to do as on real news.
_OUTSIDE = 1.0


def prepare(folder: Path, texts: list[str], tokenizer: str) -> None:
    """Write the model: 12 layers × 768, 64,001 pieces."""
    import torch
    from transformers import RobertaConfig, RobertaForTokenClassification

    labels = ["O", *(f"{part}-{kind}" for kind in _TYPES for part in "BI")]
    config = RobertaConfig(
        vocab_size=64001,
        max_position_embeddings=_LIMIT + 2,
        type_vocab_size=1,
        tokenizer_class="PhobertTokenizer",
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    torch.manual_seed(13)
    model = RobertaForTokenClassification(config)
    with torch.no_grad():
        model.classifier.bias[0] = _OUTSIDE
    model.save_pretrained(folder)
    for name in ("vocab.txt", "bpe.codes", "tokenizer_config.json", "added_tokens.json"):
        shutil.copyfile(Path(tokenizer) / name, folder / name)


def load(folder: Path, tokenizer: str) -> Pipeline:
    """The pipeline on that folder."""
    return Pipeline(folder)


class Pipeline:
    """``pipeline("token-classification")`` behind underthesea's segmenter."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer, pipeline

        pieces = AutoTokenizer.from_pretrained(folder, model_max_length=_LIMIT)
        self._pipeline: Any = pipeline(
            "token-classification", model=str(folder), tokenizer=pieces, aggregation_strategy="simple", device="cpu"
        )

    def run(self, texts: list[str], batch: int = 8) -> dict[str, Any]:
        """Label all sentences of the texts."""
        from underthesea import sent_tokenize, word_tokenize

        lines = (line for text in texts for line in text.split("\n"))
        sentences = [word_tokenize(sentence, format="text") for line in lines for sentence in sent_tokenize(line)]
        return {"found": sum(map(len, self._pipeline(sentences, batch_size=batch)))}
