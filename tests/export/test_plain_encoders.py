"""Encoders with another tokenizer than PhoBERT's: what transformers splits, ``tokenizer.json`` alone splits alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from pipeline.commands.export import export
from pipeline.commands.train import train
from pipeline.config import Config
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.model import load_model, load_pipeline
from pipeline.onnx_files import read_export
from pipeline.windows.json_tokenizer import JsonPieces
from pipeline.windows.plain import PlainPieces

SYLLABLES = ["Việt", "Nam", "Bộ", "Quốc", "phòng", "hội", "đàm", "tướng", "Đại", "a"]
LETTERS = sorted(
    {letter for syllable in SYLLABLES for letter in syllable} | set("bcdelmnoprstuvxyABCKLMNPT0123456789-,.")
)


@pytest.fixture(scope="module")
def model(tiny_config: Config, tiny_data: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model on a tiny BERT with a WordPiece tokenizer, with its ONNX files."""
    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SYLLABLES, *LETTERS, *(f"##{c}" for c in LETTERS)]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder / "encoder")
    shape = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        pad_token_id=0,
    )
    BertModel(shape, add_pooling_layer=False).save_pretrained(folder / "encoder")
    train(tiny_config.model_copy(update={"encoder": str(folder / "encoder")}), folder / "model")
    return export(folder / "model", texts=[tiny_data["test"]])


def test_onnx_says_what_torch_says(model: Path, tiny_data: dict[str, str]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path(tiny_data["test"]).glob("*.txt"))]
    results = []
    for engine in ("torch", "onnx"):
        extractor = load_pipeline(model, Config(engine=engine, precision="fp32"))  # type: ignore[arg-type]
        found = extractor.extract([Document(str(number), text) for number, text in enumerate(texts)])
        results.append(
            [[(m.span, m.type) for m in d.mentions] + [(f.type, f.evidence) for f in d.facts] for d in found]
        )
    assert results[0] == results[1]
    assert any(results[0])
    assert isinstance(load_model(model, Config(engine="onnx"))[0].tagger.tokenizer, JsonPieces)


@given(st.lists(st.text(st.sampled_from([*LETTERS, "_", "ư", "☃"]), min_size=1, max_size=9), max_size=8))
def test_both_tokenizers_split_alike(model: Path, words: list[str]) -> None:
    ours = JsonPieces(model / "onnx" / "tokenizer.json", read_export_tokenizer(model))
    theirs = PlainPieces(model / "entities")
    assert ours(words) == theirs(words)
    for name in ("size", "pad_id", "bos_id", "eos_id", "unk_id", "mask_id"):
        assert getattr(ours, name) == getattr(theirs, name)


def read_export_tokenizer(model: Path):
    facts = read_export(model, "fp32").tokenizer
    assert facts is not None
    return facts


def test_a_tokenizer_that_is_damaged(model: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(QuanheError, match=r"tokenizer\.json: cannot be read"):
        JsonPieces(tmp_path / "tokenizer.json", read_export_tokenizer(model))
