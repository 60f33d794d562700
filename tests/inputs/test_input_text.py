"""Plain text and HTML: decoding changes nothing, and what is no UTF-8 text is told with its remedy."""

from __future__ import annotations

import sys
import types
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import MissingExtraError, Problem, ProblemsError
from pipeline.inputs.records import DEFAULT_NAMES, Record
from pipeline.inputs.text_files import decode_utf8, read_html, read_text

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))


def only_record(path: Path, reader=read_text) -> Record:
    (record,) = reader(path, DEFAULT_NAMES)
    assert isinstance(record, Record)
    return record


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_a_seed_is_read_byte_for_byte(path):
    document = only_record(path).document
    assert document.id == path.stem
    assert document.text.encode("utf-8") == path.read_bytes()


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_any_text_comes_back_unchanged(text):
    assert decode_utf8(text.encode("utf-8"), "a.txt") == text


@pytest.mark.parametrize(
    "text",
    [
        "Ngày 29/6\r\nAnh\rPháp\n\n",
        unicodedata.normalize("NFD", "Uỷ viên Đặng Thị Ngữ tiếp Đại sứ Anh"),
        "\ufeffAnh có dấu BOM",
        "Anh\u200b và\u00a0Pháp \u2028 <s> </s>",
        "x" * 5_000_000,
    ],
    ids=["line ends", "NFD", "BOM", "invisible", "5 MB without a blank"],
)
def test_odd_text_is_kept(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode("utf-8"))
    record = only_record(path)
    assert record.document.text == text
    assert record.warnings == ()


@pytest.mark.parametrize("data", [b"", b" \r\n\t"])
def test_an_empty_text_is_an_article_with_a_warning(tmp_path, data):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    record = only_record(path)
    assert record.document.text == data.decode()
    assert "empty" in record.warnings[0]


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        ("Anh và Pháp".encode("utf-16"), 0, "iconv -f UTF-16 -t UTF-8"),
        ("Anh và Pháp".encode("utf-32"), 0, "iconv -f UTF-32 -t UTF-8"),
        (b"\xfe\xff\x00A", 0, "iconv -f UTF-16"),
        (b"Anh\nPh\x00p", 2, "NUL byte"),
        (b"Anh\nPh\xe1p", 2, "not UTF-8 (byte 0xe1)"),
        (b"\xed\xa0\x80", 1, "not UTF-8"),
    ],
    ids=["UTF-16", "UTF-32", "UTF-16 big-endian", "binary", "Latin-1", "encoded surrogate"],
)
def test_what_is_no_utf8_text_is_told(tmp_path, data, line, words):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(ProblemsError) as error:
        list(read_text(path, DEFAULT_NAMES))
    (problem,) = error.value.problems
    assert (problem.path, problem.line) == (str(path), line)
    assert words in problem.message
    assert "\n" not in problem.message


PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Bộ trưởng tiếp Đại sứ Anh | Báo Thử</title></head>
<body><nav><a href="/">Trang chủ</a> <a href="/the-gioi">Thế giới</a></nav><article><h1>Bộ trưởng tiếp Đại sứ Anh</h1>
<p>Sáng 5/3, tại Hà Nội, Đại tướng Trần Văn Mẫu đã tiếp Đại sứ Anh John Sample đến chào xã giao nhân dịp đầu xuân.</p>
<p>Hai bên trao đổi về hợp tác đào tạo, công nghiệp quốc phòng và gìn giữ hòa bình trong khuôn khổ Liên hợp quốc.</p>
<p>Đại sứ cho biết phía Anh sẽ cử đoàn công tác sang Việt Nam vào tháng 6 để trao đổi về các nội dung đã thống nhất.</p>
</article><footer>Bản quyền thuộc về Báo Thử</footer></body></html>"""


def test_a_page_gives_its_main_text(tmp_path):
    try:
        import trafilatura  # noqa: F401
    except ImportError as error:
        pytest.skip(f"the extra html is not installed: {error}")
    path = tmp_path / "trang.html"
    path.write_text(PAGE, encoding="utf-8")
    document = only_record(path, read_html).document
    assert document.id == "trang"
    assert document.text.startswith("Bộ trưởng tiếp Đại sứ Anh\nSáng 5/3, tại Hà Nội")
    assert document.text.count("Bộ trưởng tiếp Đại sứ Anh") == 1
    assert "Trang chủ" not in document.text
    assert "Bản quyền" not in document.text


@pytest.fixture
def pages_seen(monkeypatch) -> list[str]:
    """A stand-in for trafilatura that finds headline and text where the page says so, and raises when told to."""
    seen: list[str] = []

    def bare_extraction(page: str, **options: object) -> types.SimpleNamespace | None:
        seen.append(page)
        if "RAISE" in page:
            raise ValueError("odd page\nwith details")
        title, _, text = page.rpartition("|")
        return types.SimpleNamespace(title=title, text=text) if text.strip() else None

    module = types.ModuleType("trafilatura")
    module.bare_extraction = bare_extraction  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trafilatura", module)
    return seen


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("Anh thăm Việt Nam|Sáng nay, đoàn Anh đến.", "Anh thăm Việt Nam\nSáng nay, đoàn Anh đến."),
        ("Anh thăm Việt Nam|Anh  thăm Việt Nam\nSáng nay.", "Anh  thăm Việt Nam\nSáng nay."),
        ("|Sáng nay.", "Sáng nay."),
    ],
    ids=["headline outside", "headline inside", "no headline"],
)
def test_the_headline_stands_once_before_the_text(tmp_path, pages_seen, page, text):
    path = tmp_path / "a.html"
    path.write_text(page, encoding="utf-8")
    assert only_record(path, read_html).document.text == text


@pytest.mark.parametrize(
    "data",
    [
        "|Bộ Quốc phòng".encode(),
        b"\xef\xbb\xbf" + "|Bộ Quốc phòng".encode(),
        b'<meta charset="utf-8">' + "|Bộ Quốc phòng".encode(),
        b'<meta http-equiv="Content-Type" content="text/html; charset=UTF-16">' + "|Bộ Quốc phòng".encode(),
    ],
    ids=["nothing declared", "BOM", "declared", "declared wide, the standard says UTF-8"],
)
def test_a_page_is_utf8_unless_it_says_otherwise(tmp_path, pages_seen, data):
    path = tmp_path / "a.html"
    path.write_bytes(data)
    assert only_record(path, read_html).document.text.endswith("Bộ Quốc phòng")
    assert not pages_seen[0].startswith("\ufeff")


def test_a_page_is_decoded_by_its_declared_charset(tmp_path, pages_seen):
    path = tmp_path / "a.html"
    composed_from = {"ộ": "ô\u0323", "ố": "ô\u0301", "ò": "o\u0300"}  # this charset writes most tones apart
    text = "".join(composed_from.get(character, character) for character in "Bộ Quốc phòng")
    path.write_bytes(b"<META CHARSET='windows-1258'>|" + text.encode("cp1258"))
    text = only_record(path, read_html).document.text
    assert unicodedata.normalize("NFC", text).endswith("Bộ Quốc phòng")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no main text"),
        (b"title| ", "no main text"),
        (b"RAISE", "cannot be parsed (odd page)"),
        (b'<meta charset="klingon">|x', "klingon"),
        (b'<meta charset="shift_jis">|\x81', "shift_jis"),
        (b"|\xff\xff", "not UTF-8"),
        ("|Anh".encode("utf-16"), "iconv -f UTF-16"),
    ],
)
def test_a_page_that_cannot_be_read_is_told(tmp_path, pages_seen, data, words):
    path = tmp_path / "a.html"
    path.write_bytes(data)
    try:
        (problem,) = read_html(path, DEFAULT_NAMES)
    except ProblemsError as error:
        (problem,) = error.problems
    assert isinstance(problem, Problem)
    assert words in problem.message
    assert "\n" not in problem.message


def test_html_without_its_extra_names_the_extra(tmp_path, monkeypatch):
    path = tmp_path / "a.html"
    path.write_text(PAGE, encoding="utf-8")
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(MissingExtraError, match=r"quanhe\[html\]"):
        list(read_html(path, DEFAULT_NAMES))
