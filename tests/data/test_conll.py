from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import ColumnsConfig
from pipeline.data.align import spans_from_labels
from pipeline.data.conll import is_segmented, parse_conll, read_conll, write_conll
from pipeline.document import Document, Word
from pipeline.errors import ProblemsError, QuanheError

PLAIN = ColumnsConfig()


def write(folder: Path, content: str, name: str = "tin.conll") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def test_segmented_sentences_become_documents_with_their_own_words(tmp_path):
    path = write(tmp_path, "Ông\tO\nTrần_Văn_Mẫu\tB-PER\nthăm\tO\nHà_Nội\tB-LOC\n\n_\tO\nHuế\tB-LOC\n")
    documents, repairs = read_conll(path, PLAIN)
    first, second = documents
    assert repairs == []
    assert (first.id, first.text) == ("tin-1", "Ông Trần Văn Mẫu thăm Hà Nội")
    assert [(m.type, m.text) for m in first.mentions] == [("PER", "Trần Văn Mẫu"), ("LOC", "Hà Nội")]
    assert [w.form for w in first.words] == ["Ông", "Trần_Văn_Mẫu", "thăm", "Hà_Nội"]
    assert [first.text[w.start : w.end] for w in first.words] == ["Ông", "Trần Văn Mẫu", "thăm", "Hà Nội"]
    assert first.sentences == [(0, 4)]
    assert second.text == "_ Huế"


def test_marked_documents_hold_their_sentences(tmp_path):
    lines = ["-DOCSTART- -X- O", "", "Lan N B-PER", "", "đi N O", "-DOCSTART- -X- O", "Huế N B-LOC", ""]
    first, second = read_conll(write(tmp_path, "\n".join(lines)), PLAIN)[0]
    assert (first.text, first.sentences) == ("Lan\nđi", [(0, 1), (1, 2)])
    assert (second.id, second.text) == ("tin-2", "Huế")


def test_forms_are_normalised_and_the_text_is_not(tmp_path):
    document = read_conll(write(tmp_path, "hòa_bình\tO\nHo\u0300a\tO\n\u200b\tO\n"), PLAIN)[0][0]
    assert [w.form for w in document.words] == ["hoà_bình", "Hoà", "\u200b"]
    assert document.text == "hòa bình Ho\u0300a \u200b"


def test_tokens_with_blanks_survive_in_tab_separated_columns(tmp_path):
    document = read_conll(write(tmp_path, "Bộ Quốc phòng\tN\tB-ORG\r\nAnh\tN\tI-ORG\r\n"), PLAIN)[0][0]
    assert document.words[0].form == "Bộ_Quốc_phòng"
    assert document.mentions[0].text == "Bộ Quốc phòng Anh"


def test_columns_are_chosen_by_the_config(tmp_path):
    path = write(tmp_path, "1 Lan N I-PER O\n2 Anh N B-PER O\n")
    document = read_conll(path, ColumnsConfig(word=1, tag=3, scheme="iob1"))[0][0]
    assert [m.text for m in document.mentions] == ["Lan", "Anh"]


def test_words_are_left_to_a_segmenter_when_asked(tmp_path):
    document = read_conll(write(tmp_path, "Hà B-LOC\nNội I-LOC\n"), PLAIN, "segmenter")[0][0]
    assert (document.words, document.sentences) == ([], [])
    assert document.mentions[0].text == "Hà Nội"


def test_repairs_are_counted_with_their_lines(tmp_path):
    path = write(tmp_path, "Lan I-PER\n\nđi O\nHuế I-LOC\n\nMai I-PER\n")
    documents, repairs = read_conll(path, PLAIN)
    assert [m.text for d in documents for m in d.mentions] == ["Lan", "Huế", "Mai"]
    assert [r.line for r in repairs] == [1, 4]
    assert "I-PER after the sentence edge" in repairs[0].message
    assert "also line 6" in repairs[0].message


@pytest.mark.parametrize(
    ("content", "columns", "line", "message"),
    [
        ("Lan B-PER\nđi\n", PLAIN, 2, "1 columns, line 1 has 2"),
        ("Lan\nđi\n", PLAIN, 1, "the same of 1 columns"),
        ("Lan O\n", ColumnsConfig(tag=4), 1, "data.columns.tag"),
        ("Lan PER\nđi O\nMai PER\n", PLAIN, 1, "'PER' is no tag"),
        ("đi O\nLan S-PER\n", PLAIN, 2, "scheme to bioes"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_line(tmp_path, content, columns, line, message):
    with pytest.raises(ProblemsError) as caught:
        read_conll(write(tmp_path, content), columns)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].line == line
    assert message in caught.value.problems[0].message


def test_a_wrong_setting_does_not_flood_the_screen(tmp_path):
    read = parse_conll(write(tmp_path, "Lan PER\n" * 500), PLAIN)
    assert len(read.errors) == 1
    assert "494 more" in read.errors[0].message


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "a.conll").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProblemsError, match="not UTF-8"):
        read_conll(tmp_path / "a.conll", PLAIN)


def test_segmentation_is_recognised(tmp_path):
    assert is_segmented(write(tmp_path, "Hà_Nội B-LOC\n"), PLAIN)
    assert not is_segmented(write(tmp_path, "Hà B-LOC\nNội I-LOC\n_ O\n__ O\n"), PLAIN)


def test_problems_in_the_text_name_the_line_of_the_sentence(tmp_path):
    item = parse_conll(write(tmp_path, "-DOCSTART- O\n\nLan B-PER\n\nđi O\nHuế B-LOC\n"), PLAIN).items[0]
    assert item.at_text(item.document.text.index("Huế"), "x").line == 5
    assert item.mention_lines == {"T1": 3, "T2": 6}


def test_writing_reports_mentions_that_are_no_run_of_words(tmp_path):
    document = read_conll(write(tmp_path, "Hà_Nội B-LOC\n"), PLAIN)[0][0]
    document.words = [Word(0, 6, "Hà_Nội")]
    mention = document.mentions[0]
    document.mentions = [type(mention)("T1", 0, 2, "LOC", "Hà")]
    assert write_conll([document], tmp_path / "out.conll") == [("tin-1", document.mentions[0])]


def test_writing_needs_words(tmp_path):
    with pytest.raises(QuanheError, match="split its text"):
        write_conll([Document("a", "Hà Nội")], tmp_path / "out.conll")


TOKENS = st.text(st.sampled_from("abĐạ_.\u0301#-"), min_size=1, max_size=5)
LABELS = st.sampled_from(["O", "B-A", "I-A", "B-B"])
SENTENCES = st.lists(st.lists(st.tuples(TOKENS, LABELS), min_size=1, max_size=5), min_size=1, max_size=3)


@given(st.lists(SENTENCES, min_size=1, max_size=3))
@settings(deadline=None)
def test_written_columns_are_read_back_equal(groups):
    rows = []
    for sentences in groups:
        rows.append("-DOCSTART-\tO\n\n")
        rows += ["".join(f"{token}\t{label}\n" for token, label in sentence) + "\n" for sentence in sentences]
    with tempfile.TemporaryDirectory() as folder:
        first, _ = read_conll(write(Path(folder), "".join(rows), "a.conll"), PLAIN)
        assert write_conll(first, Path(folder) / "b.conll") == []
        second, repairs = read_conll(Path(folder) / "b.conll", PLAIN)
    assert repairs == []
    assert [d.text for d in first] == [d.text for d in second]
    assert [d.words for d in first] == [d.words for d in second]
    assert [d.mentions for d in first] == [d.mentions for d in second]
    for document in first:
        assert all(document.text[m.start : m.end] == m.text for m in document.mentions)
        assert spans_from_labels(document.words, ["O"] * len(document.words)) == []
