from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import EvaluationConfig
from pipeline.document import Document, Relation, Word
from pipeline.errors import QuanheError
from pipeline.evaluation.counts import micro
from pipeline.evaluation.facts import fact_counts
from pipeline.evaluation.misses import entity_misses, fact_misses, relation_misses
from pipeline.evaluation.passages import Mark, passages, sentence_spans
from pipeline.evaluation.relations import relation_counts
from pipeline.evaluation.report import Report, write_report
from pipeline.schema import Schema

Make = Callable[..., Document]
SETTINGS = EvaluationConfig(resamples=50)
GOLD = "[Đại tướng|RANK|R] [Lê Hà|PERSON|H] & <b>ông</b> [Ân|PERSON|A] tới.\n[Hà|PERSON|H] dẫn [Bộ X|ORG|X]."
FOUND = "Đại [tướng|RANK|R] [Lê Hà|PERSON|H] & <b>ông</b> [Ân|ORG|A] tới.\n[Hà|PERSON|H] dẫn Bộ [X|ORG|X]."


@pytest.fixture
def pair(make: Make) -> tuple[Document, Document]:
    return (
        make(GOLD, ["T2 HAS_RANK T1", "T2 MEETS T3", "T4 LEADS T5", "T2 KNOWS T4"], id="bài <1>"),
        make(FOUND, ["T2 HAS_RANK T1", "T4 KNOWS T2", "T2 LEADS T4"], id="bài <1>"),
    )


class _Page(HTMLParser):
    """Checks nesting, and collects anchors, links and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sections: list[str] = []
        self.misses: Counter[str] = Counter()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value or "" for name, value in attributes if name == "id"]
        self.targets += [value or "" for name, value in attributes if name in ("href", "src")]
        if tag != "meta":
            self.open.append(tag)
        if tag == "section":
            self.sections.append(dict(attributes).get("id") or "")
        if tag == "article":
            self.misses.update(self.sections)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "section":
            self.sections.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def test_sentences_are_ranges_of_words_or_else_lines(make: Make) -> None:
    document = make("Một hai. Ba.\n\n  \nBốn.")
    assert [document.text[a:b] for a, b in sentence_spans(document)] == ["Một hai. Ba.", "Bốn."]
    document.words = [Word(0, 3, "Một"), Word(4, 8, "hai."), Word(9, 12, "Ba."), Word(17, 21, "Bốn.")]
    document.sentences = [(0, 2), (2, 3), (3, 4)]
    assert [document.text[a:b] for a, b in sentence_spans(document)] == ["Một hai.", "Ba.", "Bốn."]


def test_a_passage_is_cut_at_marks_and_shortened_far_from_them() -> None:
    text = "x" * 500 + " Lê Hà Ân " + "y" * 500 + "\nsau"
    marks = [Mark(501, 506, "gold", "gold PERSON"), Mark(504, 509, "predicted", "predicted PERSON")]
    (passage,) = passages(text, [(0, 1010), (1011, 1014)], marks)
    assert [(piece.text, piece.style, piece.labels) for piece in passage[1:4]] == [
        ("Lê ", "gold", ()),
        ("Hà", "both", (("gold", "gold PERSON"),)),
        (" Ân", "predicted", (("predicted", "predicted PERSON"),)),
    ]
    assert passage[0].text.startswith("[…] x") and passage[-1].text.endswith("y […]")
    assert len("".join(piece.text for piece in passage)) < 400


def test_ends_in_distant_sentences_give_two_passages_and_in_neighbouring_ones_one() -> None:
    text = "aa. bb. cc."
    sentences = [(0, 3), (4, 7), (8, 11)]

    def shown(first: tuple[int, int], second: tuple[int, int]) -> list[str]:
        marks = [Mark(*first, "gold", "h"), Mark(*second, "gold", "t")]
        return ["".join(piece.text for piece in passage) for passage in passages(text, sentences, marks)]

    assert shown((0, 2), (8, 10)) == ["aa.", "cc."]
    assert shown((0, 2), (4, 6)) == ["aa. bb."]
    assert shown((1, 6), (8, 9)) == ["aa. bb. cc."]


def test_every_error_is_listed_with_its_kind(pair: tuple[Document, Document], schema: Schema) -> None:
    assert [(miss.kind, miss.type, miss.summary) for miss in entity_misses([pair], schema)] == [
        ("wrong boundary", "RANK", "RANK “Đại tướng” was found as RANK “tướng”"),
        ("wrong type", "PERSON", "PERSON “Ân” was found as ORG “Ân”"),
        ("wrong boundary", "ORG", "ORG “Bộ X” was found as ORG “X”"),
    ]
    assert [(miss.kind, miss.summary) for miss in relation_misses([pair], schema)] == [
        ("missed, end not found", "Lê Hà —HAS_RANK→ Đại tướng"),
        ("missed, end not found", "Lê Hà —MEETS→ Ân"),
        ("missed, end not found", "Hà —LEADS→ Bộ X"),
        ("wrong direction", "Lê Hà —KNOWS→ Hà, found as Hà —KNOWS→ Lê Hà"),
        ("spurious, end wrong", "Lê Hà —HAS_RANK→ tướng"),
        ("spurious, ends right", "Lê Hà —LEADS→ Hà"),
    ]
    assert [(miss.kind, miss.type) for miss in fact_misses([pair], schema)] == [
        ("missed, entity not found", "HAS_RANK"),
        ("missed, entity not found", "MEETS"),
        ("missed, entity not found", "LEADS"),
        ("spurious, entity unknown", "HAS_RANK"),
        ("spurious", "LEADS"),
    ]


def test_a_fact_found_at_other_mentions_is_told_apart_from_a_lost_one(make: Make, schema: Schema) -> None:
    marked = "[Lê Hà|PERSON|H] nói. [Hà|PERSON|H] dẫn [Bộ X|ORG|X], gặp [Ân|PERSON|A]."
    gold, found = make(marked, ["T2 LEADS T3", "T2 MEETS T4"]), make(marked, ["T1 LEADS T3", "T2 KNOWS T4"])
    assert [miss.kind for miss in relation_misses([(gold, found)], schema)] == [
        "missed, fact found elsewhere",
        "wrong type",
        "repeat of a gold fact",
    ]
    assert [miss.kind for miss in fact_misses([(gold, found)], schema)] == ["wrong type"]


IDS = st.sampled_from(["T1", "T2", "T3", "T4"])
RELATIONS = st.lists(st.builds(Relation, st.sampled_from(["MEETS", "KNOWS"]), IDS, IDS), max_size=8)


@given(RELATIONS, RELATIONS, st.sets(st.integers(0, 3)))
def test_there_are_as_many_errors_as_the_scores_say(
    make: Make, schema: Schema, labelled: list[Relation], predicted: list[Relation], lost: set[int]
) -> None:
    gold = make("[Hà|PERSON|H] [Ân|PERSON|A] [bà Hà|PERSON|H] [Tư|PERSON|T]")
    gold.relations = labelled
    mentions = [
        replace(mention, type="ORG", entity=f"X{index}") if index in lost else mention
        for index, mention in enumerate(gold.mentions)
    ]
    pair = gold, replace(gold, relations=predicted, mentions=mentions)
    for counts, misses in (
        (micro(relation_counts(*pair, schema)), relation_misses([pair], schema)),
        (micro(fact_counts(*pair, schema)), fact_misses([pair], schema)),
    ):
        kinds = Counter(miss.kind.split()[0].strip(",") for miss in misses)
        assert kinds["missed"] + kinds["wrong"] == counts.gold - counts.tp
        assert kinds["spurious"] + kinds["repeat"] + kinds["wrong"] == counts.predicted - counts.tp


def test_write_report_writes_three_files_with_all_errors(
    tmp_path: Path, pair: tuple[Document, Document], schema: Schema
) -> None:
    systems = {"quanhe & co": [pair], "<crf>": [(pair[0], pair[0])]}
    report = write_report(
        tmp_path / "new", systems, schema, SETTINGS, about={"model": "<m>"}, on_gold={"<crf>": [pair]}
    )
    assert Report.model_validate_json((tmp_path / "new/report.json").read_text("utf-8")) == report
    data = json.loads((tmp_path / "new/report.json").read_text("utf-8"))
    assert list(data["systems"]) == ["quanhe & co", "<crf>"]
    assert data["differences"]["<crf>"]["entities"]["value"] == pytest.approx(2 / 5 - 1)

    page = _Page((tmp_path / "new/report.html").read_text("utf-8"))
    markdown = (tmp_path / "new/report.md").read_text("utf-8").replace("\\", "")
    for miss in [*entity_misses([pair], schema), *relation_misses([pair], schema), *fact_misses([pair], schema)]:
        assert miss.summary in page.text
        assert miss.summary in markdown
    assert "**⟦Đại⟧** **⟦⟪tướng⟫⟧** (gold RANK, predicted RANK)" in markdown


def test_the_page_is_well_formed_escaped_and_loads_nothing(
    tmp_path: Path, pair: tuple[Document, Document], schema: Schema
) -> None:
    write_report(tmp_path, {"quanhe": [pair], "<crf>": [pair]}, schema, SETTINGS)
    html = (tmp_path / "report.html").read_text("utf-8")
    page = _Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {target.lstrip("#") for target in page.targets} <= set(page.ids)
    assert not page.tags & {"script", "link", "img", "iframe", "b"}
    assert "@import" not in html and "url(" not in html
    assert "<b>ông</b>" in page.text and "bài <1>" in page.text


def test_filter_counts_lead_to_groups_of_that_size(
    tmp_path: Path, pair: tuple[Document, Document], schema: Schema
) -> None:
    write_report(tmp_path, {"quanhe": [pair]}, schema, SETTINGS)
    html = (tmp_path / "report.html").read_text("utf-8")
    cells = dict(re.findall(r'<td><a href="#([^"]+)">(\d+)</a></td>', html))
    assert cells["relation-errors-missed-end-not-found-MEETS"] == "1"
    assert cells["entity-errors-wrong-boundary"] == "2"
    misses = _Page(html).misses
    assert {anchor: misses[anchor] for anchor in cells} == {anchor: int(number) for anchor, number in cells.items()}


def test_a_report_without_errors_or_articles(tmp_path: Path, make: Make, schema: Schema) -> None:
    gold = make(GOLD, ["T2 HAS_RANK T1"])
    write_report(tmp_path, {"quanhe": [(gold, gold)]}, schema, SETTINGS)
    assert _Page((tmp_path / "report.html").read_text("utf-8")).text.count("None.") == 3
    write_report(tmp_path, {"quanhe": []}, schema, SETTINGS)
    assert "No mention on either side." in _Page((tmp_path / "report.html").read_text("utf-8")).text


def test_a_report_of_a_schema_without_relations(tmp_path: Path, make: Make) -> None:
    gold, found = make("[Hà|A-B] [Ân|MISC]"), make("[Hà|MISC] Ân")
    write_report(tmp_path, {"x": [(gold, found)]}, Schema(entities={"A-B": "", "MISC": ""}), SETTINGS)
    page = _Page((tmp_path / "report.html").read_text("utf-8"))
    assert "A-B “Hà” was found as MISC “Hà”" in page.text
    assert "Relation errors" not in page.text


def test_a_folder_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, pair: tuple[Document, Document], schema: Schema
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QuanheError, match="cannot be written"):
        write_report(tmp_path / "file" / "sub", {"quanhe": [pair]}, schema, SETTINGS)
    with pytest.raises(QuanheError, match="at least one system"):
        write_report(tmp_path, {}, schema, SETTINGS)
