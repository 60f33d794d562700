"""A tiny student, teacher and corpus, made from scratch for every test session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    PhobertTokenizer,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

from pipeline.distil.config import DistilConfig
from pipeline.distil.corpus import load_corpus
from pipeline.distil.trainer import Trainer

WORDS = [
    *("Tổng_thống", "Mỹ", "thăm", "Việt_Nam", "hoà_bình", ",", "nói", ":"),
    *("hai", "nước", "hợp_tác", ".", "Bộ_trưởng", "Quốc_phòng", "quý", "ông"),
]


def _student(folder: Path) -> None:
    folder.mkdir()
    symbols = sorted({c for w in WORDS for c in w + w.upper() + w.lower()})
    lines = [f"{c}@@ 1" for c in symbols] + [f"{c} 1" for c in symbols]
    lines += [f"{w} 1" for w in WORDS if len(w) > 1 and w != "hợp_tác"]
    merges: list[str] = []
    for word in WORDS:
        if len(word) == 1 or word == "hợp_tác":
            continue
        left = word[0]
        for i, c in enumerate(word[1:], start=1):
            end = "</w>" if i == len(word) - 1 else ""
            merges.append(f"{left} {c}{end} 1")
            left += c
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf8")
    (folder / "bpe.codes").write_text("\n".join(dict.fromkeys(merges)) + "\n", encoding="utf8")
    tokenizer = PhobertTokenizer(str(folder / "vocab.txt"), str(folder / "bpe.codes"), model_max_length=64)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    model = RobertaForMaskedLM(
        RobertaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=66,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
            tokenizer_class="PhobertTokenizer",
        )
    )
    model.save_pretrained(folder)


def _teacher(folder: Path, width: int) -> None:
    folder.mkdir()
    vocab = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0)]
    vocab += [(f"▁{s}", -4.0) for s in dict.fromkeys(s for w in WORDS for s in w.split("_"))]
    known = {v for v, _ in vocab}
    letters = sorted({c for w in WORDS for c in w} - known)
    tokenizer = Tokenizer(models.Unigram([*vocab, *((c, -6.0) for c in letters)], unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )
    fast.save_pretrained(folder)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(fast),
        hidden_size=width,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
        pad_token_id=1,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> DistilConfig:
    """A configuration whose whole world fits into a second."""
    base = tmp_path_factory.mktemp("tiny")
    _student(base / "student")
    _teacher(base / "teacher", 32)
    _teacher(base / "wide", 48)
    generator = torch.Generator().manual_seed(2)
    articles = []
    for _ in range(60):
        lines = []
        for _ in range(6):
            size = int(torch.randint(3, 15, (), generator=generator))
            picks = torch.randint(len(WORDS), (size,), generator=generator).tolist()
            lines.append(" ".join(WORDS[i] for i in picks))
        articles.append("\n".join(lines))
    (base / "corpus.txt").write_text("\n\n".join(articles) + "\n", encoding="utf8")
    return DistilConfig.model_validate(
        {
            "student": str(base / "student"),
            "teacher": str(base / "teacher"),
            "data": {
                "corpus": base / "corpus.txt",
                "cache": base / "cache",
                "heldout": 0.05,
                "shard_articles": 8,
                "max_tokens": 40,
                "min_target": 30,
                "short_target": 8,
                "teacher_max_tokens": 100,
                "batch_tokens": 160,
                "tone_line": 0.3,
                "upper_line": 0.2,
                "lower_line": 0.2,
            },
            "device": "cpu",
            "precision": "bf16",
            "loss": {"pairs": [{"student": 2, "teacher": 3}, {"student": 1, "teacher": 1}]},
            "optim": {"warmup_tokens": 2000, "peak_lr": 2e-3, "ema_every": 2},
            "run": {
                "log_steps": 2,
                "eval_tokens": 3000,
                "eval_size": 200,
                "threads": 1,
            },
        }
    )


@pytest.fixture(scope="session")
def start_trainer(tiny: DistilConfig) -> Callable[..., Trainer]:
    """Makes the trainer of a run in a folder, which goes on when it has begun; keywords go to ``run``."""
    corpus = load_corpus(tiny.data, tiny.data.cache or Path())

    def start(out: Path, config: DistilConfig = tiny, **run: object) -> Trainer:
        config = config.model_copy(update={"run": config.run.model_copy(update=run)})
        return Trainer(config, corpus, Path(config.student or ""), Path(config.teacher), out)

    return start
