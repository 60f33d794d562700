"""The smallest units that labels can tell apart."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.tokens import MAX_TOKEN, token_spans


def tokens(text: str) -> list[str]:
    return [text[start:end] for start, end in token_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Việt Nam-Anh", ["Việt", "Nam", "-", "Anh"]),
        ("Việt Nam – Anh—Pháp", ["Việt", "Nam", "–", "Anh", "—", "Pháp"]),
        ("ADMM/ADMM+", ["ADMM", "/", "ADMM+"]),
        ("ngày 29/6, 11/9/1973", ["ngày", "29/6", ",", "11/9/1973"]),
        ("14-8-2022", ["14", "-", "8", "-", "2022"]),
        ("1.500 tấn, 3,5%", ["1.500", "tấn", ",", "3,5%"]),
        ("H'Mông H’Mông", ["H'Mông", "H’Mông"]),
        ("COVID19 F16", ["COVID19", "F16"]),
        ("xong.Sau đó", ["xong", ".", "Sau", "đó"]),
        ("thế à...", ["thế", "à", "..."]),
        ("-----", ["-----"]),
        ("<s> </s> <mask>", ["<", "s", ">", "<", "/", "s", ">", "<", "mask", ">"]),
        ("xem https://vi.example/a-b_c?d=1.", ["xem", "https://vi.example/a-b_c?d=1", "."]),
        ("(www.vi.example)", ["(", "www.vi.example", ")"]),
        ("gửi a.b-c+d@vi.example, xong", ["gửi", "a.b-c+d@vi.example", ",", "xong"]),
        ("a_b", ["a", "_", "b"]),
        ("國家", ["國家"]),
        ("x\u0328y", ["x\u0328y"]),
        ("", []),
        (" \n\t", []),
        ("a     b\t\t\t\t\tc", ["a", "b", "c"]),
    ],
)
def test_known_texts(text, expected):
    assert tokens(text) == expected


@given(st.text(max_size=60) | st.text("aB1.-/@:+_'’  \nhtpw,%", max_size=60) | st.text("a. ", max_size=20))
def test_every_visible_character_is_in_exactly_one_token(text):
    spans = token_spans(text)
    assert all(0 < end - start <= MAX_TOKEN for start, end in spans)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    covered = {place for span in spans for place in range(*span)}
    assert all(character.isspace() for place, character in enumerate(text) if place not in covered)
    assert not any(text[start].isspace() for start, _ in spans)


@pytest.mark.parametrize("unit", ["x", "ab-", "a.", "1.a", "+", ",.;-", "a@", "http://", "a'"])
def test_lines_without_blanks_take_linear_time(unit):
    line = unit * (600_000 // len(unit))
    start = time.process_time()
    spans = token_spans(line)
    assert time.process_time() - start < 5  # 0.4 s at most; a quadratic pattern takes many minutes
    assert "".join(line[slice(*span)] for span in spans) == line
    assert max(end - start for start, end in spans) <= MAX_TOKEN
