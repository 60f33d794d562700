"""Normalised text and the way back to raw offsets."""

from __future__ import annotations

import unicodedata
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.normalise import normalise, tone_to_new, tone_to_old

# Letters whole and in parts, invisible characters, odd white space, Hangul, a letter that NFC takes apart.
# fmt: off
ODD = st.sampled_from([
    *"ếệẵđaệoHN Ơ", "e\u0302\u0301", "a\u0323", "\u0301", "\u0323", "\u00ad", "\u200b", "\u200d", "\ufeff", "\u2060",
    "\u00a0", "\u3000", "\r\n", "\n", "\t", "\x00", "\x85", "\ufffd", "\u1112\u1161\u11ab", "ড\u09bc", "\u09dc",
    "\N{GRINNING FACE}", "❤\ufe0f", "国", "\ufb01", "<s>",
])
# fmt: on
TEXTS = st.lists(ODD, max_size=12).map("".join) | st.text(max_size=30)


@given(TEXTS)
def test_each_character_stands_for_a_raw_slice_that_normalises_to_it(raw):
    normalised = normalise(raw)
    spans = [normalised.raw_span(index, index + 1) for index in range(len(normalised.text))]
    assert spans == sorted(spans)
    for (start, end), group in groupby(zip(spans, normalised.text, strict=True), key=lambda item: item[0]):
        assert 0 <= start < end <= len(raw)
        assert normalise(raw[start:end]).text == "".join(character for _, character in group)


@given(TEXTS, st.data())
def test_a_raw_span_begins_and_ends_with_its_edge_characters(raw, data):
    normalised = normalise(raw)
    if normalised.text:
        start = data.draw(st.integers(0, len(normalised.text) - 1))
        end = data.draw(st.integers(start + 1, len(normalised.text)))
        raw_start, raw_end = normalised.raw_span(start, end)
        assert raw_start == normalised.raw_span(start, start + 1)[0]
        assert raw_end == normalised.raw_span(end - 1, end)[1]


@given(TEXTS)
def test_only_invisible_characters_are_dropped(raw):
    normalised = normalise(raw)
    kept = {place for index in range(len(normalised.text)) for place in range(*normalised.raw_span(index, index + 1))}
    dropped = {raw[place] for place in range(len(raw)) if place not in kept}
    assert all(unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f" for character in dropped)


@given(st.lists(ODD, max_size=12).map("".join))
def test_normal_text_is_nfc_without_odd_blanks_and_stays_what_it_is(raw):
    text = normalise(raw).text
    assert unicodedata.is_normalized("NFC", text)
    assert all(character in " \n\t" or not character.isspace() for character in text)
    assert normalise(text).text == text


@given(st.text("ếệẵđaoHN \n", max_size=20))
def test_both_unicode_forms_of_a_text_read_alike(text):
    assert normalise(unicodedata.normalize("NFD", text)).text == normalise(text).text == text


@pytest.mark.parametrize(
    ("raw", "expected", "span"),
    [
        ("quo\u0302\u0301c", "quốc", (0, 6)),
        ("qu\u00adốc", "quốc", (0, 5)),
        ("\ufeffquốc", "quốc", (1, 5)),
        ("quốc\u200b", "quốc", (0, 4)),
        ("quo\u200b\u0302\u0301c", "quốc", (0, 7)),  # an accent finds its letter across a zero-width character
        ("Hà\u00a0Nội", "Hà Nội", (0, 6)),
    ],
)
def test_places_of_known_texts(raw, expected, span):
    normalised = normalise(raw)
    assert normalised.text == expected
    assert normalised.raw_span(0, len(expected)) == span


def test_an_accent_belongs_to_its_letter():
    normalised = normalise("a\u0302\u0301b")
    assert [normalised.raw_span(index, index + 1) for index in (0, 1)] == [(0, 3), (3, 4)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hòa", "hoà"),
        ("HÒA", "HOÀ"),
        ("Hòa", "Hoà"),
        ("khỏe", "khoẻ"),
        ("ủy ban", "uỷ ban"),
        ("Ủy_viên", "Uỷ_viên"),
        ("thúy, hóa.", "thuý, hoá."),
    ],
)
def test_both_placements_of_a_tone(old, new):
    assert tone_to_new(old) == new == tone_to_new(new)
    assert tone_to_old(new) == old == tone_to_old(old)


@pytest.mark.parametrize("word", ["quý", "quỳ", "Quỹ", "hoàn", "toàn", "huỳnh", "tuyền", "của", "mùa", "nghĩa"])
def test_words_with_one_placement_only_stay(word):
    assert tone_to_new(word) == tone_to_old(word) == word


@given(st.text("hoòóaàáeèéuùúyỳýqQHOÀÒ _n", max_size=20))
def test_tones_move_without_changing_lengths_and_only_once(text):
    new = tone_to_new(text)
    assert len(new) == len(text) == len(tone_to_old(text))
    assert tone_to_new(new) == new
    assert tone_to_new(tone_to_old(text)) == new
