"""PhoBERT's pieces: the ids of transformers' own tokenizer, and offsets."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.text.normalise import normalise
from pipeline.windows.tokenizer import SPECIAL_TOKENS, PhobertPieces, raw_offsets

ROOT = Path(__file__).parents[2]
# fmt: off
ODD_WORDS = [
    "<s>", "</s>", "<pad>", "<unk>", "<mask>", "@@", "@@@@", "a@@", "@", "@@a", "</w>", "a</w>", "w>", "</w></w>",
    "_", "__", "a_", "_a", "国家", "日本国", "한국", "Москва", "ไทย", "العربية", "\N{GRINNING FACE}", "❤\ufe0f",
    "\N{WOMAN}\u200d\N{GIRL}", "\U0001f1fb\U0001f1f3", "e\u0302\u0301", "\u0301", "z\u0302\u0335\u0321", "\u200b",
    "a\u200bb", "\u00ad", "\ufeff", "½", "①", "\ufb01", "Ⅳ", "…", "–", "“", "%", "°C", "\x08", "\x00", "ﾃｽﾄ",
    "x" * 300, "ế" * 80, "1.000.000", "H'Mông", "hợp_tác_quốc_phòng", "\U0010ffff",
]
# fmt: on


@pytest.fixture(scope="module")
def expected(encoder_folder):
    """The ids that transformers' own tokenizer gives a word."""
    from transformers import PhobertTokenizer

    theirs = PhobertTokenizer.from_pretrained(encoder_folder)
    return cache(lambda word: theirs.convert_tokens_to_ids(theirs._tokenize(word)))


def ids_of_words(tokenizer: PhobertPieces, words: list[str]) -> list[list[int]]:
    pieces = tokenizer(words)
    return [pieces.ids[start:end] for start, end in zip(pieces.starts, pieces.starts[1:], strict=False)]


def assert_equal_ids(tokenizer: PhobertPieces, words: list[str], expected) -> None:
    found = ids_of_words(tokenizer, words)
    different = [(word, ids, expected(word)) for word, ids in zip(words, found, strict=True) if ids != expected(word)]
    assert different == []


def test_ids_of_real_text(tokenizer, splitter, expected):
    words: list[str] = []
    for path in sorted((ROOT / "seeds").glob("*.txt")) + sorted((ROOT / "annotations" / "authored").glob("*.txt")):
        words += [word.form for word in splitter(Document("a", path.read_text(encoding="utf-8"))).words]
    variants = [variant for word in words for variant in (word, word.upper(), word.replace("_", ""))]
    assert len(variants) >= 20_000
    assert len(set(words)) > 2_500
    assert_equal_ids(tokenizer, variants, expected)


def test_ids_of_the_whole_vocabulary(tokenizer, encoder_folder, expected):
    lines = (encoder_folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.rpartition(" ")[0] for line in lines]
    words = [word for entry in entries for word in {entry, entry.removesuffix("@@")} if word.strip()]
    assert len(words) > 20_000
    assert_equal_ids(tokenizer, words, expected)


def test_ids_of_odd_words(tokenizer, expected):
    assert_equal_ids(tokenizer, ODD_WORDS, expected)
    assert_equal_ids(tokenizer, [unicodedata.normalize("NFD", "thuỷ_thủ"), "ABC" * 50], expected)


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda word: not any(map(str.isspace, word))), max_size=8))
def test_ids_of_any_words(tokenizer, expected, words):
    assert_equal_ids(tokenizer, words, expected)


def test_words_that_look_like_special_tokens_are_text(tokenizer):
    for word in (*SPECIAL_TOKENS, "<mask>"):
        special = {tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id, tokenizer.mask_id}
        assert special.isdisjoint(tokenizer([word]).ids)


def test_special_ids_are_those_of_the_encoder(tokenizer, encoder_folder):
    from transformers import PhobertTokenizer

    theirs = PhobertTokenizer.from_pretrained(encoder_folder)
    ours = (tokenizer.bos_id, tokenizer.pad_id, tokenizer.eos_id, tokenizer.unk_id, tokenizer.mask_id)
    assert list(ours) == theirs.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    assert tokenizer.size == len(theirs)


def test_an_unknown_character_is_unknown(tokenizer):
    assert tokenizer(["國"]).ids == [tokenizer.unk_id]
    assert tokenizer(["國\N{GRINNING FACE}"]).ids == [tokenizer.unk_id] * 2


@given(st.lists(st.sampled_from([*ODD_WORDS, "Việt_Nam", "hội_đàm", "Mẫu"]), max_size=8))
def test_word_ids_starts_and_offsets_agree(tokenizer, words):
    pieces = tokenizer(words)
    assert len(pieces.ids) == len(pieces.words) == len(pieces.offsets) == pieces.starts[-1]
    assert len(pieces.starts) == len(words) + 1
    for index, word in enumerate(words):
        own = range(pieces.starts[index], pieces.starts[index + 1])
        assert len(own) > 0
        assert {pieces.words[piece] for piece in own} == {index}
        assert "".join(word[slice(*pieces.offsets[piece])] for piece in own) == word


@pytest.mark.parametrize("words", [[""], ["Việt_Nam", " "], ["\u00a0"]])
def test_a_blank_word_is_refused(tokenizer, words):
    with pytest.raises(ValueError, match=f"word {len(words) - 1} is blank"):
        tokenizer(words)


# fmt: off
RAW_PARTS = st.sampled_from([
    "Việt Nam", "quốc phòng", "quốc  phòng", "Tha\u0309o luận", "hòa bình", "Uỷ viên", "Uy\u0309",
    "Sample-Muster", "29/6", ".", ",", " ", "\n", "国", "\N{GRINNING FACE}", "a_b", "https://a_b.vn/", "ADMM+",
])
# fmt: on


@given(st.lists(RAW_PARTS, max_size=12).map(" ".join))
def test_the_raw_pieces_of_a_word_make_up_the_word(tokenizer, splitter, text):
    words = splitter(Document("a", text)).words
    pieces = tokenizer([word.form for word in words])
    offsets = raw_offsets(text, words, pieces)
    for index, word in enumerate(words):
        own = offsets[pieces.starts[index] : pieces.starts[index + 1]]
        assert "".join(text[start:end] for start, end in own) == text[word.start : word.end]


@given(st.lists(st.sampled_from("ếệaoàN\u0301\u0302\u200b\u00ad -_1\u09dc"), max_size=12).map("".join))
def test_raw_pieces_keep_order_and_lie_in_their_word(tokenizer, splitter, text):
    words = splitter(Document("a", text)).words
    pieces = tokenizer([word.form for word in words])
    offsets = raw_offsets(text, words, pieces)
    assert offsets == sorted(offsets)
    for (start, end), index in zip(offsets, pieces.words, strict=True):
        assert words[index].start <= start < end <= words[index].end
        assert normalise(text[start:end]).text


def write_encoder(folder: Path, vocabulary: str, merges: str) -> Path:
    (folder / "vocab.txt").write_text(vocabulary, encoding="utf-8")
    (folder / "bpe.codes").write_text(merges, encoding="utf-8")
    return folder


def test_a_tiny_encoder_by_hand(tmp_path):
    folder = write_encoder(tmp_path, "ab 9\na@@ 8\nb 7\nabc 6\n", "a b</w> 3\na b 2\nab c</w> 1\n")
    tokenizer = PhobertPieces(folder)
    # ab@@ is merged but not in the vocabulary; d is unknown
    assert ids_of_words(tokenizer, ["ab", "ba", "abc", "abb", "d"]) == [[4], [3, 3], [7], [3, 6], [3]]
    assert tokenizer(["abb"]).offsets == [(0, 2), (2, 3)]
    assert tokenizer.mask_id == 8


@pytest.mark.parametrize(
    ("vocabulary", "merges", "message"),
    [
        ("a 1\nb\n", "a b 1\n", r"vocab\.txt:2: expected 'piece count'"),
        ("a 1\n\nb 1\n", "a b 1\n", r"vocab\.txt:2: expected 'piece count'"),
        ("", "a b 1\n", r"vocab\.txt: is empty"),
        ("a 1\n", "a b 1\na b\n", r"bpe\.codes:2: expected 'left right count'"),
        ("a 1\n", "#version: 0.2\n", r"bpe\.codes:1: expected"),
        ("a 1\n", "", r"bpe\.codes: is empty"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path, vocabulary, merges, message):
    with pytest.raises(QuanheError, match=message) as raised:
        PhobertPieces(write_encoder(tmp_path, vocabulary, merges))
    assert str(tmp_path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["vocab.txt", "bpe.codes"])
def test_a_missing_or_foreign_file_is_named(tmp_path, name):
    write_encoder(tmp_path, "a 1\n", "a b 1\n")
    (tmp_path / name).write_bytes(b"\xff\xfea\x00")
    with pytest.raises(QuanheError, match=f"{name}: not UTF-8"):
        PhobertPieces(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(QuanheError, match=f"{name}: cannot be read"):
        PhobertPieces(tmp_path)


def test_what_is_kept_of_words_is_bounded(tokenizer, monkeypatch):
    monkeypatch.setattr("pipeline.windows.tokenizer._MAX_WORDS", 20)
    words = ["Việt_Nam", "quốc_phòng", "Việt_Nam", "Tanakamo"]
    before = tokenizer(words)
    for number in range(30):
        tokenizer([f"từ{number}x{place}" for place in range(9)])
        assert len(tokenizer._splits) <= 20 + 9
    assert tokenizer(words) == before
