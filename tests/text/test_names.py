from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.names import display_name, is_abbreviation, is_subsequence, name_key, one_edit_apart


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ủy ban  Quốc phòng", "Uỷ ban Quốc phòng"),
        ("gìn giữ hòa bình", "gìn giữ hoà bình"),
        ("Đối thoại Shangri - la", "Đối thoại Shangri-La"),
        ("Việt Nam – Anh", "Việt Nam-Anh"),
        ("TP. Hồ Chí Minh", "TP Hồ Chí Minh"),
        ("“Tuyên bố chung”", "Tuyên bố chung"),
        ("ADMM +", "ADMM+"),
        ("Bộ\u00a0Quốc\u200b phòng", "bộ quốc phòng"),
        ("Quân ủy Trung ương,", "QUÂN ỦY TRUNG ƯƠNG"),
    ],
)
def test_spellings_of_one_name_have_one_key(first: str, second: str) -> None:
    assert name_key(first) == name_key(second)
    assert name_key(unicodedata.normalize("NFD", first)) == name_key(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("Lý Văn Sáu", "Lí Văn Sáu"), ("Trần Hoa", "Trần Hòa"), ("ADMM", "ADMM+"), ("29.6", "296")],
)
def test_different_names_have_different_keys(first: str, second: str) -> None:
    assert name_key(first) != name_key(second)


@given(st.text(max_size=40))
def test_key_does_not_depend_on_composition(text: str) -> None:
    assert name_key(unicodedata.normalize("NFD", text)) == name_key(unicodedata.normalize("NFC", text))


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_edit_apart_is_edit_distance_at_most_one(first: str, second: str) -> None:
    edits = {first}
    for i in range(len(first) + 1):
        edits |= {first[:i] + c + first[i:] for c in "abc"} | {first[:i] + first[i + 1 :]}
        edits |= {first[:i] + c + first[i + 1 :] for c in "abc"}
    # A change past the end is an insertion, which is in the set already.
    assert one_edit_apart(first, second) == (second in edits)


@pytest.mark.parametrize("text", ["LHQ", "UAVs", "ADMM +", "ADMM+", "COC"])
def test_abbreviations(text: str) -> None:
    assert is_abbreviation(text)


@pytest.mark.parametrize("text", ["Liên hợp quốc", "A", "Anh", "", "+", "LHQ và EU"])
def test_no_abbreviations(text: str) -> None:
    assert not is_abbreviation(text)


def test_subsequence_keeps_order() -> None:
    assert is_subsequence(("a", "c"), ("a", "b", "c"))
    assert not is_subsequence(("c", "a"), ("a", "b", "c"))
    assert not is_subsequence(("a", "a"), ("a", "b"))


def test_display_name_is_the_fullest_and_not_in_capitals() -> None:
    assert display_name(["Lệ", "Trần Thị Lệ", "TRẦN THỊ LỆ", "Lệ"]) == "Trần Thị Lệ"
    assert display_name(["Bộ  Quốc\u00a0phòng"]) == "Bộ Quốc phòng"
    assert display_name(["hội đàm", "Hội đàm", "Hội đàm"]) == "Hội đàm"
