"""Text, corpus, pieces, disturbances, packing and masking."""

from __future__ import annotations

import itertools
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PhobertTokenizer, PreTrainedTokenizerFast

from pipeline.distil.augment import disturb, split, swap_tone
from pipeline.distil.batches import Batch, Packer, Position, Stream, heldout_batches, train_articles
from pipeline.distil.config import DistilConfig, TextConfig
from pipeline.distil.corpus import Corpus, load_corpus
from pipeline.distil.pieces import WordPieces
from pipeline.distil.text import read_articles
from pipeline.errors import QuanheError


@pytest.fixture(scope="module")
def packer(tiny: DistilConfig) -> Packer:
    return Packer(tiny.data, WordPieces(Path(tiny.student or "")), WordPieces(Path(tiny.teacher)))


@pytest.fixture(scope="module")
def corpus(tiny: DistilConfig) -> Corpus:
    return load_corpus(tiny.data, tiny.data.cache or Path())


def test_corpus_and_its_cache(tiny: DistilConfig, tmp_path: Path) -> None:
    first = load_corpus(tiny.data, tmp_path)
    again = load_corpus(tiny.data, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    texts = tiny.data.corpus[0].path.read_text(encoding="utf-8").split("\n\n")
    assert len(first) == len(again) == len(texts)
    for corpus in (first, again):
        assert "\n".join(" ".join(sentence) for sentence in corpus.sentences(7)) == texts[7].strip()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    config = TextConfig.model_validate({"corpus": str(path)})
    path.write_text("một hai\n\nba\n", encoding="utf-8")
    assert len(load_corpus(config, tmp_path / "cache")) == 2
    path.write_text("một hai\n\nba\n\nbốn\n", encoding="utf-8")
    assert len(load_corpus(config, tmp_path / "cache")) == 3


def articles(**settings: Any) -> list[str]:
    config = TextConfig.model_validate(settings)
    return ["|".join(" ".join(sentence) for sentence in article) for article in read_articles(config)]


def test_folders_and_packed_files(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("\n\nHai nước\nhợp_tác .\n\n\nba\n", encoding="utf-8")
    (tmp_path / "note.md").write_text("no", encoding="utf-8")
    (tmp_path / "inner").mkdir()
    with lzma.open(tmp_path / "inner" / "c.txt.xz", "wt", encoding="utf-8") as handle:
        handle.write("bốn\n")
    assert articles(corpus=str(tmp_path)) == ["Hai nước|hợp_tác .", "ba", "bốn"]
    assert articles(corpus=[str(tmp_path / "inner"), {"path": str(tmp_path / "b.txt")}])[0] == "bốn"


def test_raw_text_is_segmented(tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_text("Bộ trưởng thăm Việt Nam. Hai bên hợp tác.\n", encoding="utf-8")
    (found,) = articles(corpus=str(tmp_path / "raw.txt"), segmenter="underthesea-crf")
    assert found == "Bộ_trưởng thăm Việt_Nam .|Hai bên hợp_tác ."


def test_a_dataset(tmp_path: Path) -> None:
    records = [{"body": "Một hai\n\nba"}, {"body": "bốn"}]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    assert articles(corpus={"dataset": str(tmp_path), "field": "body"}) == ["Một hai|ba", "bốn"]
    with pytest.raises(QuanheError, match=r"no text in 'text'.*it has body"):
        articles(corpus={"dataset": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, "no such file"),
        ("latin.txt", b"\xe9\n", "not UTF-8"),
        ("broken.txt.xz", b"no xz", "cannot be read"),
        ("one.txt", "một\n".encode(), "fewer than two articles"),
    ],
)
def test_text_that_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(QuanheError, match=message):
        load_corpus(TextConfig.model_validate({"corpus": str(tmp_path / name)}), tmp_path / "cache")


@pytest.mark.parametrize(
    ("word", "other"),
    [("hoà_bình", "hòa_bình"), ("Uỷ_ban", "Ủy_ban"), ("HOÀ", "HÒA"), ("sức_khoẻ", "sức_khỏe"),
     ("quý", "quý"), ("hoàn", "hoàn"), ("quỹ", "quỹ"), ("_", "_")],
)  # fmt: skip
def test_swap_tone(word: str, other: str) -> None:
    assert swap_tone(word) == other
    assert swap_tone(other) == word


def test_disturb(tiny: DistilConfig) -> None:
    words = ["Tổng_thống", "Mỹ", "_", "hoà_bình"]
    quiet = {"split_word": 0.0, "split_line": 0.0, "lower_line": 0.0, "upper_line": 0.0, "tone_line": 0.0}
    rng = np.random.default_rng(0)
    assert disturb(words, tiny.data.model_copy(update=quiet), rng) == [(word, word) for word in words]
    loud = tiny.data.model_copy(update=quiet | {"split_line": 1.0, "upper_line": 1.0})
    unsegmented = disturb(words, loud, rng)
    assert unsegmented == [(part.upper(), part) for word in words for part in split(word)]
    assert len(unsegmented) == 6


def test_words_one_by_one_are_the_text(tiny: DistilConfig, corpus: Corpus, packer: Packer) -> None:
    student = PhobertTokenizer.from_pretrained(tiny.student)
    teacher = PreTrainedTokenizerFast.from_pretrained(tiny.teacher)
    for words in corpus.sentences(3):
        text = " ".join(words)
        assert [p for w in words for p in packer.student(w)] == student.encode(text, add_special_tokens=False)
        plain = teacher.encode(text.replace("_", " "), add_special_tokens=False)
        assert [p for w in words for p in packer.teacher(w)] == plain
    assert packer.student.special.mask == student.mask_token_id
    assert packer.student.special.size == len(student)


def test_a_phobert_teacher_reads_words(tiny: DistilConfig) -> None:
    assert WordPieces(Path(tiny.student or "")).reads_words
    assert not WordPieces(Path(tiny.teacher)).reads_words


def _equal(a: Batch, b: Batch) -> bool:
    return torch.equal(a.student_ids, b.student_ids) and torch.equal(a.teacher_ids, b.teacher_ids)


def test_batches_are_aligned_masked_and_repeatable(tiny: DistilConfig, corpus: Corpus, packer: Packer) -> None:
    stream = Stream(corpus, packer, tiny.data, seed=5)
    seen = list(itertools.islice(stream.batches(Position()), 120))
    assert any(position.epoch > 0 for _, position in seen), "the test should cross an epoch"
    mask = packer.student.special.mask
    hidden = predicted = pieces = 0
    for batch, _ in seen:
        rows, length = batch.student_ids.shape
        assert length % tiny.data.length_multiple == 0
        assert length <= tiny.data.max_tokens and rows * length <= tiny.data.batch_tokens
        assert int(batch.student_unit[-1]) + 1 == batch.units == int(batch.teacher_unit[-1]) + 1
        assert len(batch.student_unit.unique()) == batch.units == len(batch.teacher_unit.unique())
        # <s>, pieces and </s> of every row, and nothing else, are keys.
        assert batch.tokens == len(batch.student_at) + 2 * rows == int(batch.student_keys.sum())
        flat = batch.student_ids.reshape(-1)
        chosen = torch.isin(batch.student_at, batch.masked_at)
        whole = batch.student_unit[chosen].unique()
        assert int(torch.isin(batch.student_unit, whole).sum()) == len(batch.masked_at), "whole words"
        hidden += int((flat[batch.masked_at] == mask).sum())
        predicted, pieces = predicted + len(batch.labels), pieces + len(batch.student_at)
        assert not bool((flat[batch.student_at[~chosen]] == mask).any())
    assert 0.15 < predicted / pieces < 0.25
    assert 0.7 < hidden / predicted < 0.9
    for cut in (1, 17, 40):
        follow = stream.batches(seen[cut - 1][1])
        for want, _ in seen[cut : cut + 5]:
            assert _equal(next(follow)[0], want)


def test_long_sentence_is_cut_between_words(tiny: DistilConfig, packer: Packer) -> None:
    sentence = [("Mỹ", "Mỹ"), ("Việt_Nam", "Việt_Nam")] * 60
    packed = list(packer.pack([sentence], np.random.default_rng(0)))
    assert sum(len(row.units) for row in packed) == 120
    assert all(row.student_length + 2 <= tiny.data.max_tokens for row in packed)


def test_words_left_out_are_counted(tiny: DistilConfig, packer: Packer) -> None:
    own = Packer(tiny.data, packer.student, packer.teacher)
    packed = list(own.pack([[("Mỹ", "Mỹ"), ("x" * 30, "x" * 30)]], np.random.default_rng(0)))
    assert [len(row.units) for row in packed] == [1]
    assert own.dropped == 1


def test_heldout_is_fixed_and_apart(tiny: DistilConfig, corpus: Corpus, packer: Packer) -> None:
    assert train_articles(corpus, tiny.data) == 57
    first = heldout_batches(corpus, packer, tiny.data, 200)
    again = heldout_batches(corpus, packer, tiny.data, 200)
    assert sum(batch.tokens for batch in first) >= 200
    assert all(_equal(a, b) for a, b in zip(first, again, strict=True))
