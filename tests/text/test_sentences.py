"""Where sentences begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.sentences import sentence_starts
from pipeline.text.tokens import token_spans


def sentences(text: str) -> list[str]:
    tokens = token_spans(text)
    starts = sentence_starts(text, tokens)
    ends = [*starts[1:], len(tokens)]
    return [text[tokens[first][0] : tokens[last - 1][1]] for first, last in zip(starts, ends, strict=True)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Ông Mẫu tới Huế.", "Bà Thử ở lại."],
        ["Ai tới?", "Ông Mẫu!", "Thật à…", "Vâng."],
        ["Ông tới TP. Hồ Chí Minh."],
        ["GS. TS. Trần Văn Mẫu và PGS. Lý Thử dự."],
        ["Tổng thống John F. Sample và bà Anna M. Muster."],
        ["Ông nói: “Tốt.”", "Bà đồng ý."],
        ['Ông nói "Tốt."', "Bà đồng ý."],
        ["(Ảnh: Đỗ Ví.)", "Hết."],
        ["Giá 3.500 đồng, ngày 14.8.", "Rồi thôi."],
        ["“Tốt.” anh nói."],
        ["Ông tới lúc 7 giờ. rồi về."],  # no sentence begins with a lower-case letter
        ["Chờ... rồi đi."],
        ["Chờ...", "Đi."],
        ["xong.Sau đó"],  # no blank, no boundary
    ],
)
def test_a_line_of_sentences(expected):
    assert sentences(" ".join(expected)) == expected


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\n\n", " \n "])
def test_a_line_break_always_ends_a_sentence(gap):
    assert sentences(f"Tin nhanh{gap}ông Mẫu đến") == ["Tin nhanh", "ông Mẫu đến"]


def test_no_tokens_no_sentences():
    assert sentence_starts("", []) == []


@given(st.text(' .!?…”")\nAaTP1Ôô', max_size=40))
def test_starts_are_tokens_in_order_and_the_first_is_0(text):
    tokens = token_spans(text)
    starts = sentence_starts(text, tokens)
    assert starts == sorted(set(starts))
    assert starts[:1] == ([0] if tokens else [])
    assert all(start < len(tokens) for start in starts)
