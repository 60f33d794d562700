"""CSV and Parquet: a row an article, other columns kept, bad rows told one by one."""

from __future__ import annotations

import csv
import datetime
import decimal
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import MissingExtraError, Problem, ProblemsError
from pipeline.inputs.records import DEFAULT_NAMES, FieldNames, Record
from pipeline.inputs.tables import plain_value, read_csv, read_parquet


def csv_items(folder: Path, data: bytes, names: FieldNames = DEFAULT_NAMES) -> list[Record | Problem]:
    path = folder / "tin.csv"
    path.write_bytes(data)
    return list(read_csv(path, names))


@settings(max_examples=50)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=5)
)
def test_any_cell_comes_back_unchanged(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("csv") / "tin.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["id", "text"], *enumerate(texts)])
    assert [record.document.text for record in read_csv(path, DEFAULT_NAMES)] == texts


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_whatever_the_delimiter(tmp_path, delimiter):
    data = '\ufeffid,text,báo\r\n7,"Anh, ""Pháp""\r\nĐức",QĐND\r\n'
    (record,) = csv_items(tmp_path, data.replace(",", delimiter).encode("utf-8"))
    assert record.document.id == "7"
    assert record.document.text == 'Anh, "Pháp"\r\nĐức'.replace(",", delimiter)
    assert record.document.fields == {"báo": "QĐND"}


def test_csv_rows_know_the_line_that_they_begin_on(tmp_path):
    records = csv_items(tmp_path, b'text\n"a\nb"\n\nc\n')
    assert [(record.line, record.document.id) for record in records] == [(2, "tin-2"), (5, "tin-5")]


def test_csv_cells_may_be_long_and_the_limit_of_the_module_stays(tmp_path):
    before = csv.field_size_limit(1234)
    try:
        (record,) = csv_items(tmp_path, b"text\n" + b"x" * 5_000_000 + b"\n")
        assert len(record.document.text) == 5_000_000
        assert csv.field_size_limit() == 1234
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (b"b,Ph\xe1p", "not UTF-8"),
        (b"b,A\x00", "NUL byte"),
        (b"b,Anh,Ph", "3 cells under 2 columns"),
        (b'b,"Anh"x', "not valid CSV"),
        (b"b", "no field 'text'"),
    ],
)
def test_a_bad_csv_row_costs_only_itself(tmp_path, row, words):
    first, problem, last = csv_items(tmp_path, b"id,text\na,Anh\n" + row + b"\nc,Anh\n")
    assert first.document.id == "a"
    assert last.document.id == "c"
    assert isinstance(problem, Problem)
    assert problem.line == 3
    assert words in problem.message


def test_a_quote_that_never_closes_is_told_with_its_line(tmp_path):
    items = csv_items(tmp_path, b'id,text\na,Anh\nb,"Anh\nc,Anh\n')
    assert isinstance(items[0], Record)
    assert isinstance(items[-1], Problem)
    assert items[-1].line == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"id,body\na,Anh\n", "no column 'text'; name the one that holds the text with --text-field"),
        (b"id,text,text\na,Anh,Anh\n", "'text' stands twice"),
        ("id,text\n".encode("utf-16"), "iconv -f UTF-16"),
        (b"b\xe1o,text\ntext,Anh\n", "not UTF-8"),
    ],
)
def test_a_csv_file_without_usable_columns_is_one_error(tmp_path, data, words):
    with pytest.raises(ProblemsError) as error:
        csv_items(tmp_path, data)
    assert words in str(error.value)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"id,text\n"])
def test_a_csv_file_without_rows_has_no_records(tmp_path, data):
    assert csv_items(tmp_path, data) == []


@pytest.fixture
def write_table(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")

    def write(columns: dict[str, object], **options: object) -> Path:
        path = tmp_path / "tin.parquet"
        parquet.write_table(pa.table(columns), path, **options)
        return path

    return write


def test_parquet_rows_in_order_over_row_groups(write_table):
    texts = [f"Anh {number}" for number in range(200)]
    path = write_table({"text": texts, "id": list(range(200)), "báo": ["QĐND"] * 200}, row_group_size=70)
    records = list(read_parquet(path, DEFAULT_NAMES))
    assert [record.document.text for record in records] == texts
    assert [record.line for record in records] == list(range(1, 201))
    assert records[5].document.id == "5"
    assert records[5].document.fields == {"báo": "QĐND"}


def test_parquet_is_read_lazily(write_table):
    path = write_table({"text": ["Anh"] * 100_000}, row_group_size=1000)
    records = read_parquet(path, DEFAULT_NAMES)
    assert next(records).document.id == "tin-1"
    records.close()


def test_a_bad_parquet_row_costs_only_itself(write_table):
    path = write_table({"id": ["a", "b", None, "d"], "text": [b"Anh", b"Ph\xe1p", b"Anh", None]})
    first, problem, nameless, null = read_parquet(path, DEFAULT_NAMES)
    assert first.document.text == "Anh"
    assert isinstance(problem, Problem)
    assert problem.line == 2
    assert "utf-8" in problem.message
    assert nameless.document.id == "tin-3"
    assert "null" in null.message


@pytest.mark.parametrize("data", [b"", b"PAR1", b"Anh" * 100])
def test_what_is_no_parquet_is_one_error(tmp_path, data):
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    path = tmp_path / "tin.parquet"
    path.write_bytes(data)
    with pytest.raises(ProblemsError, match="not a readable Parquet file"):
        list(read_parquet(path, DEFAULT_NAMES))


def test_a_truncated_parquet_file_is_one_error(write_table):
    path = write_table({"text": ["Anh"] * 1000})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ProblemsError, match="not a readable Parquet file"):
        list(read_parquet(path, DEFAULT_NAMES))


def test_parquet_without_the_column(write_table):
    with pytest.raises(ProblemsError, match="no column 'text'"):
        list(read_parquet(write_table({"body": ["Anh"]}), DEFAULT_NAMES))


def test_parquet_without_its_extra_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"quanhe\[parquet\]"):
        list(read_parquet(tmp_path / "tin.parquet", DEFAULT_NAMES))


def test_typed_values_become_json_values():
    values = {
        "day": datetime.date(2022, 6, 29),
        "time": datetime.datetime(2022, 6, 29, 8, 30, tzinfo=datetime.UTC),
        "price": decimal.Decimal("1.10"),
        "nan": math.nan,
        "bytes": b"\xff\x00",
        "list": [1, (2.5, None), True],
    }
    assert plain_value(values) == {
        "day": "2022-06-29",
        "time": "2022-06-29T08:30:00+00:00",
        "price": "1.10",
        "nan": None,
        "bytes": "/wA=",
        "list": [1, [2.5, None], True],
    }
