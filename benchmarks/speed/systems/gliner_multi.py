"""GLiNER in the shape of its multilingual models: mDeBERTa-v3-base under markers of spans, up to 12 words each.

The weights are fresh. The tokenizer is made from the texts themselves, with a vocabulary that cuts them into as many
pieces a word as XLM-R's does (1.36), mDeBERTa's being out of reach without a hub. Fresh weights find names everywhere
or nowhere; the threshold is set for nowhere, so that no time goes into sorting out what overlaps: GLiNER's best case.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_LABELS = ["person", "rank", "role", "organisation", "country", "location", "date", "agreement", "event"]
_ENCODER: dict[str, Any] = {
    "model_type": "deberta-v2",
    "vocab_size": 251000,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "max_relative_positions": -1,
    "position_buckets": 256,
    "relative_attention": True,
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
    "pad_token_id": 0,
}
_SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
_WORDS = 384  # GLiNER reads no more of a text: longer articles are cut into passages


def prepare(folder: Path, texts: list[str], vocabulary: int) -> dict[str, float]:
    """Write tokenizer and model."""
    import torch
    from gliner import GLiNER

    pieces = _make_tokenizer(texts, vocabulary, folder / "tokenizer")
    config = {
        "model_type": "gliner_uni_encoder_span",
        "model_name": str(folder / "tokenizer"),
        "encoder_config": _ENCODER,
        "span_mode": "markerV0",
        "subtoken_pooling": "first",
        "max_width": 12,
        "max_len": _WORDS,
        "hidden_size": 768,
        "num_rnn_layers": 1,
    }
    torch.manual_seed(13)
    GLiNER.from_config(config, backbone_from_pretrained=False).save_pretrained(folder / "model")
    return {"pieces_a_word": pieces}


def _make_tokenizer(texts: list[str], vocabulary: int, folder: Path) -> float:
    """Train and save a byte-pair tokenizer, filled up with pieces that never come; returns its pieces a word."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=_SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    content = json.loads(tokenizer.to_str())
    known = content["model"]["vocab"]
    known |= {f"unused {number}": number for number in range(len(known), _ENCODER["vocab_size"])}
    tokenizer = Tokenizer.from_str(json.dumps(content))
    names = {f"{name.strip('[]').lower()}_token": name for name in _SPECIAL}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    pieces = sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
    return pieces / sum(len(text.split()) for text in texts)


def model_bytes(folder: Path, vocabulary: int) -> int:
    """The saved model with its tokenizer."""
    return sum(file.stat().st_size for file in (folder / "model").rglob("*") if file.is_file())


def load(folder: Path, vocabulary: int) -> Model:
    """The model in that folder."""
    return Model(folder / "model")


class Model:
    """``GLiNER.inference``."""

    def __init__(self, folder: Path) -> None:
        from gliner import GLiNER

        self._model: Any = GLiNER.from_pretrained(str(folder), local_files_only=True)

    def run(self, texts: list[str], batch: int = 8) -> int:
        """Entities of all passages of the texts."""
        passages = [passage for text in texts for passage in _passages(text)]
        return sum(map(len, self._model.inference(passages, _LABELS, threshold=0.999, batch_size=batch)))


def _passages(text: str) -> list[str]:
    """A text in parts of whole lines, or of words, that GLiNER reads to their end; it counts marks as words too."""
    passages: list[str] = []
    room = 0
    for line in text.split("\n"):
        words = line.split()
        for start in range(0, len(words), _WORDS // 2):
            part = words[start : start + _WORDS // 2]
            length = len(part) + sum(not character.isalnum() for word in part for character in word)
            if passages and length <= room:
                passages[-1] += "\n" + " ".join(part)
            else:
                passages.append(" ".join(part))
                room = _WORDS
            room -= length
    return passages
