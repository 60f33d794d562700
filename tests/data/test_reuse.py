from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import marked

from pipeline.data.reuse import ALIKE, OWN_WORDS, Sentence, closest_sentences, own_sentences
from pipeline.document import Document
from pipeline.text.segmenters import load_segmenter
from pipeline.text.words import WordSplitter

SPLITTER = WordSplitter(load_segmenter("syllables"))
WORDS = ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"]
LETTER = "Sau bữa trưa, [{}|PERSON] gửi thư cảm ơn tới những người thợ đã sửa 12 con tàu."


def sentences(document: Document) -> list[Sentence]:
    return own_sentences(document, SPLITTER(document.bare()))


def closest(*texts: str):
    return list(closest_sentences([sentences(marked(text)) for text in texts]))


def test_names_and_numbers_make_no_other_sentence():
    (reuse,) = closest(LETTER.format("Trần Mẫu"), LETTER.format("bà Lê Ví").replace("12", "7"))
    assert (reuse.share, reuse.renamed) == (1.0, True)
    assert (reuse.earlier, reuse.later) == ((0, 0), (1, 0))


def test_a_sentence_that_keeps_its_names_is_a_copy():
    (reuse,) = closest(LETTER.format("Trần Mẫu"), LETTER.format("Trần Mẫu") + " Hết.")
    assert (reuse.share, reuse.renamed) == (1.0, False)
    longer = LETTER.format("Trần Mẫu").replace("thợ", "thợ [Hải Phòng|LOCATION]")
    assert [found.renamed for found in closest(LETTER.format("Trần Mẫu"), longer)] == [False]


def test_a_word_more_or_less_makes_no_other_sentence_and_another_ending_does():
    changed = LETTER.replace("gửi thư", "vội gửi thư").format("Lê Ví")
    other = "Sau bữa trưa, [Lê Ví|PERSON] gửi thư cho bạn học cũ rồi ra ga đón chuyến xe cuối ngày về quê."
    shares = [reuse.share for text in (changed, other) for reuse in closest(LETTER.format("Trần Mẫu"), text)]
    assert shares[0] >= ALIKE > shares[1] > 0


@pytest.mark.parametrize(
    "text",
    [
        "Cùng dự có [Lê Ví|PERSON] và đại diện [Bộ Công Thương|ORG].",
        "Dự có đồng chí [Lê Ví|PERSON]; đồng chí [Vũ Dụ|PERSON]; đồng chí [Hồ Giả|PERSON]; đồng chí [Mai Thử|PERSON].",
        "Năm 2019 1 2 3 4 5 6 7 8 9 10 11.",
    ],
)
def test_formulas_and_rolls_of_names_are_nobodys(text):
    assert sentences(marked(text)) == []


def test_sentences_of_one_article_may_be_alike():
    text = LETTER.format("Trần Mẫu")
    assert closest(f"{text} {text}", "Bài khác.") == []


def test_a_sentence_says_where_it_stands():
    document = marked("Mở đầu.\n" + LETTER.format("Trần Mẫu") + "\nHết.")
    (sentence,) = sentences(document)
    assert document.text[sentence.start :].startswith(sentence.text)
    assert sentence.names == {"trần mẫu"}


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=25), max_size=5))
def test_the_share_is_that_of_all_shingles_of_both(articles):
    found = [sentences(Document(str(n), " ".join(words))) for n, words in enumerate(articles)]
    assert all(len(set(s.text.split())) >= OWN_WORDS for own in found for s in own)
    for reuse in closest_sentences(found):
        one, other = (found[article][place].shingles for article, place in (reuse.earlier, reuse.later))
        assert reuse.earlier[0] < reuse.later[0]
        assert reuse.share == pytest.approx(len(one & other) / (len(one) + len(other) - len(one & other)))
