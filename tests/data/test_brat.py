from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.brat import link_mentions, read_brat, write_brat
from pipeline.document import Document, Mention, Relation, number_mentions


def read(folder: Path, name: str = "mau"):
    return read_brat(folder / f"{name}.ann", folder / f"{name}.txt")


def test_a_correct_article_is_read_whole(write_article):
    document, problems = read(write_article())
    assert problems == []
    assert document.id == "mau"
    assert len(document.mentions) == 11
    assert all(document.text[m.start : m.end] == m.text for m in document.mentions)
    assert Relation("ROLE_AT", "T6", "T7") in document.relations
    assert len(document.relations) == 6


def test_every_mention_has_an_entity_named_by_its_longest_mention(write_article):
    document, _ = read(write_article())
    assert [m.entity for m in document.mentions] == ["E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E5", "E10"]
    person = document.entities[4]
    assert (person.id, person.name, person.mentions) == ("E5", "Trần Văn Mẫu", ("T5", "T10"))


def test_equiv_sets_that_share_a_mention_are_one_entity():
    mentions = number_mentions("a b c d", [(0, 1, "X", 1.0), (2, 3, "X", 1.0), (4, 5, "X", 1.0), (6, 7, "X", 1.0)])
    linked, entities = link_mentions(mentions, [("T3", "T4"), ("T1", "T3")])
    assert [m.entity for m in linked] == ["E1", "E2", "E1", "E1"]
    assert [e.mentions for e in entities] == [("T1", "T3", "T4"), ("T2",)]


def test_mentions_come_in_text_order_whatever_the_order_of_lines(write_article):
    lines = ["T7\tB 4 5\tb", "T2\tA 0 1\ta", "R1\tX Arg1:T7 Arg2:T2\t", "", "#1\tAnnotatorNotes T2\tsure?"]
    document, problems = read(write_article(text="a – b", lines=lines))
    assert problems == []
    assert [m.id for m in document.mentions] == ["T2", "T7"]
    assert [e.id for e in document.entities] == ["E1", "E2"]
    assert document.relations == [Relation("X", "T7", "T2")]


def test_windows_line_ends_and_byte_order_mark_of_the_ann_file(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffHà Nội\r\nHuế".encode())
    (tmp_path / "a.ann").write_bytes("\ufeffT1\tLOCATION 1 7\tHà Nội\r\nT2\tLOCATION 9 12\tHuế\r\n".encode())
    document, problems = read_brat(tmp_path / "a.ann", tmp_path / "a.txt")
    assert problems == []
    assert [m.text for m in document.mentions] == ["Hà Nội", "Huế"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T2\tLOCATION 0 6", "malformed"),
        ("T2 LOCATION 0 6 Hà Nội", "malformed"),
        ("T2\tLOCATION 0 2;3 6\tHà Nội", "several pieces"),
        ("T2\tLOCATION 8 60\tHuế", "has 16 code points"),
        ("T2\tLOCATION 5 5\tx", "no span"),
        ("T2\tLOCATION 6 0\tHà Nội", "no span"),
        ("T2\tLOCATION 1 7\tHà Nội", "stands at 0 6"),
        ("T2\tLOCATION 0 6\tĐà Nẵng", "stands nowhere"),
        ("T1\tLOCATION 10 13\tHuế", "T1 is already taken by line 1"),
        ("R1\tNEAR Arg1:T1 Arg2:T9", "T9 is no mention"),
        ("R1\tNEAR T1 T1", "malformed"),
        ("*\tEquiv T1 T8", "T8 is no mention"),
        ("*\tEquiv T1", "two or more"),
        ("*\tEquiv T1 T1", "two or more"),
        ("*\tSimilar T1 T1", "malformed"),
        ("E1\tMeet:T1 Who:T1", "an event (E1)"),
        ("A1\tNegated T1", "an attribute (A1)"),
        ("M1\tNegated T1", "an attribute (M1)"),
        ("N1\tReference T1 Wiki:1\tHà Nội", "a normalisation (N1)"),
        ("Hà Nội", "unknown kind of line"),
    ],
)
def test_each_bad_line_is_one_problem_at_its_line(write_article, line, message):
    good = "T1\tLOCATION 10 13\tHuế"
    document, problems = read(write_article(text="Hà Nội và Huế ạ!", lines=[good, "", line]))
    assert len(problems) == 1
    assert message in problems[0].message
    assert problems[0].line == 3
    assert problems[0].path.endswith("mau.ann")
    assert [m.text for m in document.mentions] == ["Huế"]
    assert document.relations == []


def test_a_broken_mention_does_not_make_lines_that_name_it_wrong(write_article):
    lines = ["T1\tA 0 2\tab", "T2\tA 5 9\tb", "R1\tX Arg1:T1 Arg2:T2", "*\tEquiv T1 T2"]
    _, problems = read(write_article(text="ab", lines=lines))
    assert [p.line for p in problems] == [2]


def test_equiv_over_types_is_a_problem_and_not_followed(write_article):
    lines = ["T1\tCOUNTRY 0 3\tAnh", "T2\tPERSON 4 7\tAnh", "*\tEquiv T1 T2"]
    document, problems = read(write_article(text="Anh Anh", lines=lines))
    assert [p.line for p in problems] == [3]
    assert "T1 COUNTRY, T2 PERSON" in problems[0].message
    assert [m.entity for m in document.mentions] == ["E1", "E2"]


def test_files_that_cannot_be_read_are_problems(tmp_path):
    (tmp_path / "a.ann").write_bytes("T1\tA 0 1\ta\n".encode("utf-16"))
    _, problems = read_brat(tmp_path / "a.ann", tmp_path / "a.txt")
    assert [(Path(p.path).name, p.line) for p in problems] == [("a.txt", 0), ("a.ann", 0)]
    assert "not UTF-8" in problems[1].message


def test_written_files_are_ordered_and_numbered_by_the_text(tmp_path):
    text = "Anh và\nVương quốc Anh"
    document = Document("a", text)
    document.mentions = [
        Mention("T9", 7, 21, "COUNTRY", text[7:21], entity="E1"),
        Mention("T4", 0, 3, "COUNTRY", text[0:3], entity="E1"),
        Mention("T5", 4, 13, "X", text[4:13], entity="E2"),
    ]
    document.relations = [Relation("B", "T5", "T9"), Relation("A", "T4", "T5")]
    write_brat(document, tmp_path / "a.ann")
    assert (tmp_path / "a.ann").read_bytes().decode().split("\n") == [
        "T1\tCOUNTRY 0 3\tAnh",
        "T2\tX 4 13\tvà Vương ",
        "T3\tCOUNTRY 7 21\tVương quốc Anh",
        "*\tEquiv T1 T3",
        "R1\tA Arg1:T1 Arg2:T2",
        "R2\tB Arg1:T2 Arg2:T3",
        "",
    ]


@st.composite
def labelled_documents(draw) -> Document:
    letters = st.sampled_from("ab Đạ\n\r\t\u0301\u200b\u2028\x85\ufeff;#") | st.characters(exclude_categories=["Cs"])
    text = draw(st.text(letters, min_size=1, max_size=40))
    positions = st.integers(0, len(text))
    edges = draw(st.sets(st.tuples(positions, positions, st.sampled_from(["A", "LÀ-B"])), max_size=8))
    mentions = number_mentions(text, [(start, end, kind, 1.0) for start, end, kind in edges if start < end])
    document = Document("a", text)
    ids = [m.id for m in mentions]
    pairs = draw(st.lists(st.lists(st.sampled_from(ids), min_size=2, max_size=2), max_size=6)) if ids else []
    document.mentions, document.entities = link_mentions(mentions, [(head, tail) for head, tail in pairs])
    order = {mention_id: number for number, mention_id in enumerate(ids)}
    relations = {Relation(draw(st.sampled_from(["X", "Y"])), *pair) for pair in pairs}
    document.relations = sorted(relations, key=lambda r: (order[r.head], order[r.tail], r.type))
    return document


@given(labelled_documents())
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_back_equal(document):
    with tempfile.TemporaryDirectory() as folder:
        text, annotations = Path(folder) / "a.txt", Path(folder) / "a.ann"
        text.write_bytes(document.text.encode())
        write_brat(document, annotations)
        again, problems = read_brat(annotations, text)
    assert problems == []
    assert again == document
