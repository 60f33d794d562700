"""Other spellings of the same article, and noise on its words."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import marked

from pipeline.data.align import bio_labels
from pipeline.data.augment import surface
from pipeline.data.augment.gazetteers import load_gazetteers
from pipeline.data.augment.words import split_words
from pipeline.document import Document

LISTS = load_gazetteers(Path(__file__).parents[2] / "annotations" / "gazetteers")
ARTICLE = (
    "[Thứ trưởng|ROLE] [Lê Thử|PERSON] thăm [Hòa Lạc|LOCATION]\n"
    "Hôm qua, [Thứ trưởng|ROLE] nói về hoà bình và kỹ thuật. [Thượng tướng|RANK] [Lý Kỳ|PERSON] ký"
    " [Bản ghi nhớ về y tế|AGREEMENT]."
)


def texts(document: Document) -> list[str]:
    return [mention.text for mention in document.mentions]


def test_the_headline_and_offices_change_case():
    seen = set()
    for seed in range(30):
        changed = surface.change_case(marked(ARTICLE), 1.0, LISTS, Random(seed))
        headline, body = changed.text.split("\n")
        assert headline == "THỨ TRƯỞNG LÊ THỬ THĂM HÒA LẠC"
        assert "nói về hoà bình và kỹ thuật" in body
        seen |= {(texts(changed)[3], texts(changed)[6])}
    offices, agreements = zip(*seen, strict=True)
    assert set(offices) == {"Thứ trưởng", "thứ trưởng"}
    assert set(agreements) == {"Bản ghi nhớ về y tế", "bản ghi nhớ về y tế"}


def test_only_the_headline_loses_its_diacritics():
    headline, body = surface.drop_diacritics(marked(ARTICLE), 1.0, Random(0)).text.split("\n")
    assert headline == "Thu truong Le Thu tham Hoa Lac"
    assert body == marked(ARTICLE).text.split("\n")[1]


@pytest.mark.parametrize("text", ["[Hà Nội|LOCATION] một dòng", "x" * 201 + "\nHết", "\n\n", ""])
def test_what_is_no_headline_is_left_alone(text):
    document = marked(text)
    assert surface.drop_diacritics(document, 1.0, Random(0)) == document
    assert surface.change_case(document, 1.0, LISTS, Random(0)).text == document.text


def test_tones_stand_in_one_place_throughout():
    changed = {surface.change_tones(marked(ARTICLE), 1.0, Random(seed)).text for seed in range(10)}
    plain = marked(ARTICLE).text
    assert changed == {plain.replace("oà", "òa"), plain.replace("òa", "oà")}


def test_i_or_y_throughout_but_in_names():
    changed = {surface.change_i_and_y(marked(ARTICLE), 1.0, Random(seed)).text for seed in range(10)}
    plain = marked(ARTICLE).text
    assert changed == {plain, plain.replace("kỹ thuật", "kĩ thuật").replace(" ký ", " kí ")}


def test_abbreviations_are_made_and_written_out():
    document = marked("[BQP|ORG] và [Quân ủy Trung ương|ORG]; [Bộ trưởng Quốc phòng|ROLE]; [BQP|ORG]")
    assert texts(surface.swap_abbreviations(document, 1.0, LISTS, Random(2)))[0::3] == ["Bộ Quốc phòng"] * 2
    assert texts(surface.swap_abbreviations(document, 1.0, LISTS, Random(2)))[1] in {"QUTW", "Quân ủy T.Ư"}


def test_forms_that_explain_each_other_stay():
    document = marked("[Liên hợp quốc|ORG] ([LHQ|ORG]), [Hội đồng Bảo an LHQ|ORG]")
    for seed in range(10):
        first, second, third = texts(surface.swap_abbreviations(document, 1.0, LISTS, Random(seed)))
        assert (first, second) == ("Liên hợp quốc", "LHQ") and third.endswith(" LHQ")


@given(st.floats(0, 1), st.integers(0, 999))
def test_cut_words_cover_the_same_text_in_the_same_sentences(splitter, share, seed):
    document = splitter(marked(ARTICLE))
    before, sentences = list(document.words), list(document.sentences)
    cut = split_words(document, share, Random(seed))
    assert len(document.words) - len(before) >= cut
    assert [f for w in document.words for f in w.form.split("_")] == [f for w in before for f in w.form.split("_")]
    for (first, last), (new_first, new_last) in zip(sentences, document.sentences, strict=True):
        assert document.words[new_first].start == before[first].start
        assert document.words[new_last - 1].end == before[last - 1].end
    for word in document.words:
        assert word.form.replace("_", "") == "".join(word_text(document, word)).replace("òa", "oà")


def word_text(document: Document, word) -> str:
    return "".join(document.text[word.start : word.end].split())


def test_all_or_no_words_are_cut_and_labels_hold(splitter):
    document = splitter(marked(ARTICLE))
    joined = [word for word in document.words if "_" in word.form]
    assert joined and split_words(document, 0.0, Random(0)) == 0
    assert split_words(document, 1.0, Random(0)) == len(joined)
    assert not any("_" in word.form for word in document.words)
    labels, lost = bio_labels(document)
    assert not lost
    assert labels[:5] == ["B-ROLE", "I-ROLE", "B-PERSON", "I-PERSON", "O"]
