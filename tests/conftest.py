"""What many tests share: the segmenter, the schema, a tiny encoder and a model trained on it in seconds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tiny_corpus import tiny_article, write_corpus

from pipeline.cli import main
from pipeline.config import Config
from pipeline.schema import Schema, load_schema
from pipeline.text.segmenters import load_segmenter
from pipeline.text.words import WordSplitter
from pipeline.windows.tokenizer import PhobertPieces

ROOT = Path(__file__).parents[1]

settings.register_profile("quanhe", deadline=None)  # a busy machine makes no test fail
settings.load_profile("quanhe")


@pytest.fixture(scope="session")
def splitter() -> WordSplitter:
    return WordSplitter(load_segmenter("underthesea-crf"))


@pytest.fixture(scope="session")
def schema() -> Schema:
    return load_schema(ROOT / "annotations" / "schema.yaml")


@pytest.fixture(scope="session")
def encoder_folder() -> Path:
    return ROOT / "models" / "phobert-mini"


@pytest.fixture(scope="session")
def tokenizer(encoder_folder: Path) -> PhobertPieces:
    return PhobertPieces(encoder_folder)


@pytest.fixture(scope="session")
def tiny_encoder(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in PhoBERT's file format: random weights, 2 layers × 32, the vocabulary of the encoder in the repo."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    torch.manual_seed(13)
    config = RobertaConfig(
        vocab_size=24000,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=258,
        type_vocab_size=1,
        tokenizer_class="PhobertTokenizer",
    )
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    RobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    for name in ("vocab.txt", "bpe.codes", "tokenizer_config.json", "added_tokens.json"):
        shutil.copyfile(encoder_folder / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def tiny_settings(tiny_encoder: Path) -> dict[str, Any]:
    """Settings, without data, that make the tiny encoder learn tiny articles by heart in a second or two."""
    stage = {"epochs": 15, "learning_rate": 5e-3, "head_learning_rate": 5e-3, "dropout": 0.0, "patience": 10}
    return {
        "name": "tiny",
        "encoder": str(tiny_encoder),
        "schema": str(ROOT / "annotations" / "schema.yaml"),
        "device": "cpu",
        "precision": "fp32",
        "entities": stage,
        "relations": {**stage, "max_sentences": 2},
        "crf": {"iterations": 30},
        "evaluation": {"resamples": 50},
    }


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of tiny articles: 10 to train on, 3 for early stopping, 3 held out."""
    folder = tmp_path_factory.mktemp("articles")
    splits = {"train": range(10), "dev": range(10, 13), "test": range(13, 16)}
    return {split: str(write_corpus(map(tiny_article, numbers), folder / split)) for split, numbers in splits.items()}


@pytest.fixture(scope="session")
def tiny_config(tiny_settings: dict[str, Any], tiny_data: dict[str, str]) -> Config:
    return Config.model_validate({**tiny_settings, "data": tiny_data})


@pytest.fixture(scope="session")
def tiny_model(tiny_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trained model; tests must not change it."""
    from pipeline.commands.train import train

    folder = tmp_path_factory.mktemp("models") / "tiny"
    train(tiny_config, folder)
    return folder


@dataclass(frozen=True)
class Outcome:
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Of stderr."""
        return self.err.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Of stdout."""
        return [json.loads(line) for line in self.out.split("\n") if line]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs ``quanhe`` with these arguments, in this process."""

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Outcome(code, *capfd.readouterr())

    return run
