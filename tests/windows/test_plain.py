"""Encoders that read plain text: a SentencePiece-like and a WordPiece tokenizer made here from a few words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from pipeline.commands.train import train
from pipeline.config import Config
from pipeline.document import Document
from pipeline.encoders import encoder_config, find_encoder, find_phobert, max_pieces
from pipeline.errors import QuanheError
from pipeline.model import load_pipeline
from pipeline.windows.plain import PlainPieces, load_tokenizer
from pipeline.windows.tokenizer import PhobertPieces

SYLLABLES = ["Việt", "Nam", "Bộ", "Quốc", "phòng", "hội", "đàm", "tướng", "Đại", "a"]
LETTERS = sorted(
    {letter for syllable in SYLLABLES for letter in syllable} | set("bcdelmnoprstuvxyABCHKLMNPT0123456789-,.")
)


def save_tokenizer(folder: Path, kind: str) -> Path:
    """A tokenizer of syllables and letters, as transformers saves it."""
    folder.mkdir(parents=True)
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    if kind == "unigram":
        specials = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0)]
        vocabulary = [*specials, *((f"▁{s}", -4.0) for s in SYLLABLES), *((letter, -6.0) for letter in LETTERS)]
        tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        frame = [("<s>", 0), ("</s>", 2)]
    else:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SYLLABLES, *LETTERS, *(f"##{c}" for c in LETTERS)]
        tokenizer = Tokenizer(
            models.WordPiece({word: index for index, word in enumerate(dict.fromkeys(words))}, unk_token="[UNK]")
        )
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
        frame = [("[CLS]", 2), ("[SEP]", 3)]
    first, last = frame[0][0], frame[1][0]
    tokenizer.post_processor = processors.TemplateProcessing(f"{first} $A {last}", special_tokens=frame)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["unigram", "wordpiece"])
def plain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PlainPieces:
    return PlainPieces(save_tokenizer(tmp_path_factory.mktemp("tokenizer") / request.param, request.param))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with a WordPiece tokenizer, random weights."""
    folder = save_tokenizer(tmp_path_factory.mktemp("encoder") / "bert", "wordpiece")
    size = len(PreTrainedTokenizerFast.from_pretrained(folder))
    config = BertConfig(
        vocab_size=size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        pad_token_id=0,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def test_words_give_the_pieces_of_their_text(plain: PlainPieces) -> None:
    words = ["Đại_tướng", "hội_đàm", "Việt_Nam", "a"]
    theirs = PreTrainedTokenizerFast.from_pretrained(plain.folder)
    expected = theirs("Đại tướng hội đàm Việt Nam a", add_special_tokens=False)["input_ids"]
    pieces = plain(words)
    assert pieces.ids == expected
    assert [pieces.words.index(word) for word in range(4)] == pieces.starts[:4]
    assert pieces.starts[4] == len(pieces.ids) == len(pieces.words) == len(pieces.offsets)


@given(st.lists(st.text(st.sampled_from([*LETTERS, "_", "ư", "☃"]), min_size=1, max_size=9), max_size=8))
def test_no_word_vanishes_and_pieces_lie_inside_their_word(plain: PlainPieces, words: list[str]) -> None:
    pieces = plain(words)
    assert sorted(set(pieces.words)) == list(range(len(words)))
    assert pieces.words == sorted(pieces.words)
    for word, (start, end) in zip(pieces.words, pieces.offsets, strict=True):
        assert 0 <= start < end <= len(words[word])


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_blank_word_is_refused(plain: PlainPieces, blank: str) -> None:
    with pytest.raises(ValueError, match="word 1 is blank"):
        plain(["a", blank])


def test_the_format_decides_the_tokenizer(plain: PlainPieces, encoder_folder: Path) -> None:
    assert isinstance(load_tokenizer(encoder_folder), PhobertPieces)
    assert isinstance(load_tokenizer(plain.folder), PlainPieces)


def test_a_tokenizer_that_knows_no_words_is_refused(tmp_path: Path) -> None:
    empty = Tokenizer(models.WordPiece({"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}, unk_token="[UNK]"))
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_object=empty, **names).save_pretrained(tmp_path)
    with pytest.raises(QuanheError, match="knows no words"):
        PlainPieces(tmp_path)


def test_a_folder_without_a_tokenizer_is_refused(bert: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((bert / "config.json").read_bytes())
    with pytest.raises(QuanheError, match=r"vocab\.txt, bpe\.codes missing"):
        find_encoder(str(tmp_path))
    with pytest.raises(QuanheError, match=r"tokenizer cannot be loaded|knows no words"):
        PlainPieces(tmp_path)


def test_where_phobert_is_needed_another_format_is_refused(bert: Path) -> None:
    assert find_encoder(str(bert)) == bert
    with pytest.raises(QuanheError, match="must be in PhoBERT's file format"):
        find_phobert(str(bert))


def test_bert_counts_positions_from_zero(bert: Path) -> None:
    assert max_pieces(encoder_config(bert)) == 256


def test_a_model_is_trained_saved_and_used_on_a_plain_encoder(bert: Path, tiny_config: Config, tmp_path: Path) -> None:
    config = tiny_config.model_copy(update={"encoder": str(bert)})
    train(config, tmp_path / "model")
    held_out = tiny_config.data.test[0].path
    text = sorted(held_out.glob("*.txt"))[0].read_text(encoding="utf-8")
    (found,) = load_pipeline(tmp_path / "model").extract([Document("a", text)])
    assert found.mentions
    assert all(text[m.start : m.end] == m.text for m in found.mentions)


def test_levitated_markers_need_roberta_positions(bert: Path, tiny_config: Config, tmp_path: Path) -> None:
    relations = tiny_config.relations.model_copy(update={"encoding": "levitated"})
    config = tiny_config.model_copy(update={"encoder": str(bert), "relations": relations})
    with pytest.raises(QuanheError, match="levitated needs an encoder in PhoBERT's format"):
        train(config, tmp_path / "model")
