"""JSONL: fields are kept, and a line that cannot be read costs only itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Problem, ProblemsError
from pipeline.inputs.json_lines import json_lines
from pipeline.inputs.records import DEFAULT_NAMES, FieldNames, Record

GOOD = b'{"id": "a", "text": "Anh"}\n'


def read(*lines: bytes, names: FieldNames = DEFAULT_NAMES) -> list[Record | Problem]:
    return list(json_lines(lines, "tin.jsonl", names))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(
    text=st.text(st.characters(codec="utf-8")),
    fields=st.dictionaries(st.text(max_size=5).filter(lambda x: x not in ("id", "text")), JSON_VALUES, max_size=4),
    ascii_only=st.booleans(),
)
def test_text_and_other_fields_come_back_unchanged(text, fields, ascii_only):
    line = json.dumps({**fields, "id": "a", "text": text}, ensure_ascii=ascii_only)
    (record,) = read(line.encode("utf-8") + b"\n")
    assert isinstance(record, Record)
    assert record.document.text == text
    assert record.document.fields == fields


@pytest.mark.parametrize(
    ("given", "expected"),
    [('"7a"', "7a"), ("7", "7"), ("null", "tin-2"), ('""', "tin-2"), ("2.5", "2.5")],
)
def test_an_id_is_text_and_a_missing_one_is_made_from_file_and_line(given, expected):
    records = read(GOOD, b'{"id": %s, "text": "Anh"}\n' % given.encode())
    assert records[1].document.id == expected


def test_a_record_without_id_gets_one():
    assert read(b'{"text": "Anh"}')[0].document.id == "tin-1"


def test_other_names_for_id_and_text():
    (record,) = read(b'{"nr": 5, "body": "Anh", "url": "u"}', names=FieldNames("nr", "body"))
    assert (record.document.id, record.document.text, record.document.fields) == ("5", "Anh", {"url": "u"})


def test_a_field_that_the_output_needs_itself_is_warned_of():
    (record,) = read(b'{"id": "a", "text": "Anh", "entities": []}')
    assert "'entities'" in record.warnings[0]


def test_empty_lines_and_a_signature_are_passed_over():
    records = read(b"\xef\xbb\xbf" + GOOD, b"\r\n", b"  \n", GOOD)
    assert [record.line for record in records] == [1, 4]


def test_line_separators_of_unicode_do_not_end_a_line():
    text = "Anh\u2028Pháp\u0085Đức"
    (record,) = read(json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n")
    assert record.document.text == text


def test_a_line_of_many_megabytes():
    text = "Anh và " * 2_000_000
    (record,) = read(json.dumps({"text": text}).encode())
    assert record.document.text == text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"text": "Anh"', "not valid JSON"),
        (b'{"text": "Anh"} x', "character 17"),
        (b"Anh", "not valid JSON"),
        (b'["Anh"]', "not list"),
        (b'"Anh"', "not str"),
        (b'{"id": "a", "body": "Anh"}', "no field 'text'; name the one that holds the text with --text-field"),
        (b"{}", "fields here: none"),
        (b'{"text": null}', "is null, not text"),
        (b'{"text": 5}', "of type int, not text"),
        (b'{"text": ["Anh"]}', "of type list, not text"),
        (b'{"id": [1], "text": "Anh"}', "an id must be text or a number"),
        (b'{"id": true, "text": "Anh"}', "an id must be text or a number"),
        (b'{"text": "Anh \\ud800"}', "\\ud800 is half a surrogate pair"),
        (b'{"text": "Anh", "title": "\\uDE00"}', "\\ude00 is half a surrogate pair"),
        (b'{"text": "Anh", "\\udfff": 1}', "half a surrogate pair"),
        (b'{"text": "Anh", "score": NaN}', "NaN is no JSON number"),
        (b'{"text": "Anh", "score": 1e999}', "too large"),
        (b'{"text": "Anh", "n": ' + b"9" * 5000 + b"}", "cannot be kept unchanged"),
        (b'{"text": "Anh", "text": "Ph"}', "'text' stands twice"),
        (b'{"text": "Anh", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b'{"text": "Ph\xe1p"}', "not UTF-8"),
        (b'{"text": "A\x00"}', "NUL byte"),
        (b'{"text": "a\tb"}', "not valid JSON"),
    ],
)
def test_a_broken_line_costs_only_itself(line, words):
    first, problem, last = read(GOOD, line + b"\n", GOOD)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(problem, Problem)
    assert (problem.path, problem.line) == ("tin.jsonl", 2)
    assert words in problem.message
    assert "\n" not in problem.message


def test_a_whole_surrogate_pair_is_one_character():
    (record,) = read(b'{"text": "\\ud83d\\ude00"}')
    assert record.document.text == "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((b"[\n", b'{"text": "Anh"}\n', b"]\n"), "jq -c '.[]'"),
        ((b'[{"text": "Anh"},\n', b'{"text": "Anh"}]\n'), "jq -c '.[]'"),
        ((b"\n", b"{\n", b'"text": "Anh"\n', b"}\n"), "jq -c . "),
    ],
)
def test_json_spread_over_lines_is_one_error_with_its_remedy(lines, words):
    with pytest.raises(ProblemsError) as error:
        read(*lines)
    (problem,) = error.value.problems
    assert words in problem.message


def test_utf16_is_one_error():
    with pytest.raises(ProblemsError, match="iconv -f UTF-16"):
        read('{"text": "Anh"}'.encode("utf-16"))
