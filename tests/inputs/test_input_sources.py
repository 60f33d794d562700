"""Files, folders, globs and stdin: what is read, in which order, and what is told of the rest."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from pipeline.errors import Problem, QuanheError
from pipeline.inputs.records import Record, Skipped
from pipeline.inputs.sources import check_arguments, read_items

SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "tin"
    for name in ("b.txt", "a/2.txt", "a/1.TXT", "a/sâu/x.txt", "a.csv.bak", "notes.md", ".hidden.txt", ".git/c.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Anh", encoding="utf-8")
    (root / "c.jsonl").write_text('{"id": "j1", "text": "Anh"}\n{"text": 1}\n{"id": "j3", "text": "Anh"}\n')
    return root


def names(items) -> list[str]:
    return [item.document.id for item in items if isinstance(item, Record)]


def of(kind: type, items) -> list:
    return [item for item in items if isinstance(item, kind)]


def test_a_folder_is_read_sorted_and_the_rest_is_counted(folder):
    items = list(read_items([str(folder)]))
    assert names(items) == ["1", "2", "x", "b", "j1", "j3"]
    skipped = {os.path.relpath(item.path, folder) for item in of(Skipped, items)}
    assert skipped == {"a.csv.bak", "notes.md", ".hidden.txt", ".git"}
    (problem,) = of(Problem, items)
    assert (Path(problem.path).name, problem.line) == ("c.jsonl", 2)


def test_arguments_keep_their_order(folder):
    items = read_items([str(folder / "c.jsonl"), str(folder / "b.txt"), str(folder / "a")])
    assert names(items) == ["j1", "j3", "b", "1", "2", "x"]


def test_globs(folder):
    assert names(read_items([str(folder / "a" / "*.txt")])) == ["2"]
    assert names(read_items([str(folder / "**" / "*.txt")])) == ["2", "x", "b"]
    assert len(of(Skipped, read_items([str(folder / "*")]))) == 2


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    (tmp_path / "[1].txt").write_text("Anh")
    assert names(read_items([str(tmp_path / "[1].txt")])) == ["[1]"]


def test_links_are_followed_but_not_round_in_circles(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "e.txt").write_text("Anh")
    (folder / "z").symlink_to(tmp_path / "elsewhere")
    (folder / "a" / "up").symlink_to(folder)
    (folder / "a" / "gone.txt").symlink_to(folder / "nothing")
    items = list(read_items([str(folder)]))
    assert names(items)[-1] == "e"
    assert names(items).count("b") == 1
    assert [Path(item.path).name for item in of(Problem, items)] == ["gone.txt", "c.jsonl"]
    assert any("link back" in item.reason for item in of(Skipped, items))


@pytest.mark.parametrize("argument", ["missing.txt", "missing", "*.txt", "empty", "x" * 5000, "a.docx", "a\0b"])
def test_an_argument_that_stands_for_nothing_is_one_problem(tmp_path, monkeypatch, argument):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "readme.md").write_text("x")
    (tmp_path / "a.docx").write_bytes(b"PK")
    (problem,) = of(Problem, read_items([argument]))
    assert problem.path == argument
    with pytest.raises(QuanheError):
        check_arguments([argument])


def test_one_good_argument_is_enough_to_begin(folder):
    check_arguments(["missing.txt", str(folder)])
    items = list(read_items(["missing.txt", str(folder / "b.txt")]))
    assert isinstance(items[0], Problem)
    assert names(items) == ["b"]


def test_the_output_is_never_read(folder):
    items = list(read_items([str(folder)], output=folder / "c.jsonl"))
    assert names(items) == ["1", "2", "x", "b"]
    assert any("output" in item.reason for item in of(Skipped, items))
    with pytest.raises(QuanheError, match="both an input and the output"):
        check_arguments([str(folder / "b.txt")], folder / "b.txt")


def test_no_argument_or_stdin_twice(folder):
    with pytest.raises(QuanheError, match="no input"):
        check_arguments([])
    with pytest.raises(QuanheError, match="once"):
        check_arguments(["-", str(folder), "-"])


def test_a_file_that_holds_no_record_is_told(tmp_path):
    (tmp_path / "leer.jsonl").write_text("\n\n")
    assert list(read_items([str(tmp_path / "leer.jsonl")])) == [
        Skipped(str(tmp_path / "leer.jsonl"), "holds no records")
    ]


def test_a_file_that_cannot_be_opened_costs_only_itself(folder, monkeypatch):
    real_read = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "2.txt":
            raise PermissionError(13, "Permission denied")
        return real_read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    items = list(read_items([str(folder / "a")]))
    assert names(items) == ["1", "x"]
    assert "Permission denied" in of(Problem, items)[0].message


def test_names_that_are_not_utf8_give_an_id_that_can_be_written(tmp_path):
    path = os.fsencode(tmp_path) + b"/tin-\xe1.txt"
    try:
        with open(path, "wb") as stream:
            stream.write(b"Anh")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert names(read_items([str(tmp_path)])) == ["tin-\ufffd"]


def stdin_items(data: bytes) -> list:
    return list(read_items(["-"], stdin=io.BytesIO(data)))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"id": "a", "text": "Anh"}\n{"text": "Ph"}\n', [("a", "Anh"), ("stdin-2", "Ph")]),
        (b'\xef\xbb\xbf\n  {"text": "Anh"}', [("stdin-2", "Anh")]),
        (b"\r\nAnh\r\n{}\n", [("stdin", "\r\nAnh\r\n{}\n")]),
        (b" \n ", [("stdin", " \n ")]),
    ],
    ids=["JSONL", "JSONL after a signature", "text", "blank"],
)
def test_stdin_is_jsonl_when_it_begins_with_a_brace(data, expected):
    assert [(item.document.id, item.document.text) for item in stdin_items(data)] == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "nothing came in"), (b"\x00\x01", "NUL"), (b"\xff\xfeA\x00", "UTF-16"), (b"{\n}", "jq")],
)
def test_bad_stdin_is_told(data, words):
    (problem,) = stdin_items(data)
    assert problem.path == "stdin"
    assert words in problem.message


def test_reading_is_lazy(tmp_path):
    (tmp_path / "a.txt").write_text("Anh")
    items = read_items([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")])
    assert names([next(items)]) == ["a"]
    (tmp_path / "b.txt").write_text("made after the first was read")
    assert names(items) == ["b"]


def test_the_seeds():
    items = list(read_items([str(SEEDS)]))
    records = of(Record, items)
    assert [record.document.id for record in records] == sorted(path.stem for path in SEEDS.glob("*.txt"))
    assert of(Problem, items) == []
    assert all(record.document.text.encode() == Path(record.path).read_bytes() for record in records)
