"""Word segmenters behind their interface."""

from __future__ import annotations

import pytest

from pipeline.errors import QuanheError
from pipeline.text.segmenters import SEGMENTER_NAMES, SyllableSegmenter, check_segmenter, load_segmenter


class Other:
    def __init__(self, id: str) -> None:
        self.id = id

    def joins(self, tokens: list[str]) -> list[bool]:
        return [False] * len(tokens)


@pytest.mark.parametrize("name", SEGMENTER_NAMES)
def test_one_answer_a_token_and_the_first_continues_nothing(name):
    segmenter = load_segmenter(name)
    assert segmenter.joins([]) == []
    for tokens in (
        ["Việt"],
        ["Bộ", "trưởng", "Bộ", "Quốc", "phòng", "Trần", "Văn", "Mẫu", "thăm", "Hà", "Nội", "."],
        ["國"] * 30,
    ):
        joins = segmenter.joins(tokens)
        assert len(joins) == len(tokens)
        assert joins[0] is False
    assert segmenter.id.split("/")[0] == name
    assert segmenter.id.split("/")[1]


def test_syllables_are_never_joined():
    assert not any(SyllableSegmenter().joins(["Bộ", "trưởng", "Bộ", "Quốc", "phòng"]))


def test_underthesea_joins_words_of_two_syllables(splitter):
    tokens = ["Quan", "hệ", "hợp", "tác", "quốc", "phòng", "song", "phương"]
    assert splitter.segmenter.joins(tokens) == [False, True, False, True, False, True, False, True]


def test_a_line_of_any_length_is_segmented_in_parts(splitter):
    tokens = ["quan", "hệ", "hợp", "tác", "quốc", "phòng", "và"] * 1000
    joins = splitter.segmenter.joins(tokens)
    assert len(joins) == len(tokens)
    assert sum(joins) == pytest.approx(3000, abs=10)


def test_an_unknown_name_names_the_known_ones():
    with pytest.raises(QuanheError, match=r"'vncorenlp'.*underthesea-crf, syllables"):
        load_segmenter("vncorenlp")


def test_the_segmenter_that_a_model_was_trained_with():
    assert check_segmenter("a/1", Other("a/1")) == ""
    warning = check_segmenter("a/1", Other("a/2"))
    assert "a/1" in warning
    assert "a/2" in warning
    with pytest.raises(QuanheError, match="trained on words of a/1, this run has b/1"):
        check_segmenter("a/1", Other("b/1"))
