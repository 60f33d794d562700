"""Text → words with raw offsets."""

from __future__ import annotations

import itertools
import time
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import Document, Word
from pipeline.text.normalise import normalise, tone_to_new
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.tokens import MAX_TOKEN
from pipeline.text.words import WordSplitter


class JoinAll:
    """Says that every token continues the word before it: only the splitter's own rules part words."""

    id = "all/1"

    def joins(self, tokens: Sequence[str]) -> list[bool]:
        return [index > 0 for index in range(len(tokens))]


SPLITTERS = st.sampled_from([WordSplitter(JoinAll()), WordSplitter(SyllableSegmenter())])
# fmt: off
PARTS = st.sampled_from([
    "Việt Nam", "Anh", "Bộ Quốc phòng", "hòa bình", "quy\u0301", "Ho\u0300a", "-", ".", " ", "  ", "     ", "\n",
    "\u00a0", "\u200b", "\u00ad", "\u0301", "29/6", "https://a_b.vn/x", "国家", "\N{GRINNING FACE}", "<s>", "@@", "_",
])
# fmt: on
TEXTS = st.lists(PARTS | st.just("\u09dc"), max_size=14).map("".join) | st.text(max_size=40)


def forms(splitter: WordSplitter, text: str, cuts: Sequence[int] = ()) -> list[str]:
    return [word.form for word in splitter(Document("a", text), cuts).words]


def is_visible(character: str) -> bool:
    return not normalise(character).text.isspace() and normalise(character).text != ""


def check_words(document: Document) -> None:
    """What every consumer relies on."""
    text, words = document.text, document.words
    assert all(first.end <= second.start for first, second in itertools.pairwise(words))
    covered = {place for word in words for place in range(word.start, word.end)}
    assert not [text[place] for place in set(range(len(text))) - covered if is_visible(text[place])]
    assert [word.form for word in words] == [tone_to_new(surface(text, word)) for word in words]
    edges = [0, *(end for _, end in document.sentences)]
    assert document.sentences == list(itertools.pairwise(edges))
    assert edges[-1] == len(words)


def surface(text: str, word: Word) -> str:
    return "_".join(normalise(text[word.start : word.end]).text.split())


def toneless(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


@given(SPLITTERS, TEXTS)
def test_words_cover_the_text_in_order_and_are_what_they_stand_for(splitter, text):
    check_words(splitter(Document("a", text)))


@given(TEXTS)
def test_the_same_of_the_real_segmenter(splitter, text):
    check_words(splitter(Document("a", text)))


@given(SPLITTERS, st.lists(PARTS, max_size=14).map("".join), st.data())
def test_no_word_runs_across_a_cut(splitter, text, data):
    cuts = data.draw(st.sets(st.integers(0, len(text))))
    document = splitter(Document("a", text), cuts)
    for word in document.words:
        # The tone of a syllable may stand on the other side of the cut. A word of another length than its raw text
        # (accents apart, more than one blank) cannot be cut inside; the aligner counts what that loses.
        assert toneless(word.form) == toneless(surface(text, word))
        assert len(word.form) != word.end - word.start or not any(word.start < cut < word.end for cut in cuts)
    assert toneless("".join(word.form for word in document.words)).replace("_", "") == toneless(
        "".join(normalise(text).text.split())
    ).replace("_", "")


@pytest.mark.parametrize("blanks", [" ", "  ", "\u00a0 "])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_cut_between_syllables_leaves_no_blank_in_a_word(blanks, form):
    first, second = (unicodedata.normalize(form, syllable) for syllable in ("quốc", "phòng"))
    text = f"{first}{blanks}{second}"
    for cut in range(len(first), len(first) + len(blanks) + 1):
        words = WordSplitter(JoinAll())(Document("a", text), [cut]).words
        assert [text[word.start : word.end] for word in words] == [first, second]
        assert [word.form for word in words] == ["quốc", "phòng"]


def test_a_cut_inside_a_syllable():
    assert forms(WordSplitter(JoinAll()), "phía ViệtNam đó", [9]) == ["phía", "Việt", "Nam", "đó"]


def test_hyphens_and_dashes_part_names(splitter):
    assert forms(splitter, "quan hệ Việt Nam-Anh") == ["quan_hệ", "Việt_Nam", "-", "Anh"]
    for dash in "-–—/":
        assert forms(WordSplitter(JoinAll()), f"Nga {dash} Anh{dash}Pháp") == ["Nga", dash, "Anh", dash, "Pháp"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("giao Phó Thủ tướng", ["giao", "Phó_Thủ", "tướng"]),  # lower case before a capital; then two capitals
        ("Trần Văn Mẫu mong muốn", ["Trần_Văn_Mẫu", "mong_muốn"]),
        ("Sample thăm chính thức", ["Sample", "thăm_chính_thức"]),  # a foreign name takes no Vietnamese syllable
        ("Quốc phòng", ["Quốc_phòng"]),
        ("ngày 29 tháng", ["ngày", "29", "tháng"]),
        ("tướng , quân", ["tướng", ",", "quân"]),
        ("hai\nba", ["hai", "ba"]),
    ],
)
def test_what_no_segmenter_may_join(text, expected):
    assert forms(WordSplitter(JoinAll()), text) == expected


def test_names_stand_apart_from_the_words_around_them(splitter):
    text = "Thượng tướng Trần Văn Mẫu mong ông Sample thăm Hà Nội và cảm ơn Vương quốc Anh"
    for name in ("Trần Văn Mẫu", "Sample", "Hà Nội", "Anh"):
        start = text.index(name)
        words = splitter(Document("a", text)).words
        assert start in {word.start for word in words}, name
        assert start + len(name) in {word.end for word in words}, name


def test_both_spellings_of_a_tone_give_one_form_and_raw_offsets(splitter):
    document = splitter(Document("a", "hòa bình"))
    assert [word.form for word in document.words] == forms(splitter, "hoà bình") == ["hoà_bình"]
    assert document.text[: document.words[0].end] == "hòa bình"


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b\ufeff", "\x00 \ufffd"])
def test_text_without_visible_characters_has_no_words(splitter, text):
    document = splitter(Document("a", text))
    assert (document.words, document.sentences) == ([], [])


def test_splitting_again_replaces_the_words_and_keeps_the_rest(splitter):
    document = Document("a", "Việt Nam", fields={"báo": 1})
    first = list(splitter(document).words)
    assert splitter(document).words == first
    assert document.fields == {"báo": 1}


@pytest.mark.parametrize(("unit", "size"), [("x", 2_000_000), ("e\u0302\u0301", 300_000), ("ab-", 60_000)])
def test_long_lines_without_blanks(splitter, unit, size):
    text = unit * (size // len(unit))
    start = time.process_time()
    document = splitter(Document("a", text))
    assert time.process_time() - start < 60  # 5 s on a quiet machine
    assert max(len(word.form) for word in document.words) <= MAX_TOKEN
    assert document.words[0].start == 0
    assert document.words[-1].end == len(text)
    assert all(a.end == b.start for a, b in zip(document.words, document.words[1:], strict=False))
