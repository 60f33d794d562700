"""False relations on hard negatives: what counts as one, the interval, and how reports show them."""

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
from pipeline.document import Document, Fact, Relation
from pipeline.evaluation.misses import negative_misses
from pipeline.evaluation.negatives import (
    GIVEN,
    RAW,
    NegativeReadings,
    false_links,
    score_negatives,
    wilson_interval,
)
from pipeline.evaluation.report import Report, write_report
from pipeline.evaluation.tables import print_table, rate_sections
from pipeline.negatives import NegativePair
from pipeline.schema import Schema

Make = Callable[..., Document]
SETTINGS = EvaluationConfig(resamples=20)
# Lê Hà is T2 and T6, Ân T3 and T5.
TEXT = "[Đại tướng|RANK] [Lê Hà|PERSON|H] đến, [Ân|PERSON|A] thì không. [Bộ X|ORG] chờ [Ân|PERSON|A]; [Hà|PERSON|H] về."


def pair(kind: str, head: str, tail: str) -> NegativePair:
    return NegativePair(kind, head, tail, "vì sao")


def linked(gold: Document, predicted: Document, schema: Schema, *pairs: NegativePair) -> list[NegativePair]:
    return [found for found, _ in false_links(gold, predicted, pairs, schema)]


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_newcombe_1998_table_1(successes, trials, low, high) -> None:
    assert wilson_interval(successes, trials, 0.95) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_the_interval_lies_around_the_share_and_mirrors(counts: tuple[int, int], confidence: float) -> None:
    successes, trials = counts
    low, high = wilson_interval(successes, trials, confidence) or (2.0, 2.0)
    assert 0 <= low <= successes / trials <= high <= 1
    assert low < high
    mirrored = wilson_interval(trials - successes, trials, confidence)
    assert mirrored == (pytest.approx(1 - high), pytest.approx(1 - low))


def test_without_trials_there_is_no_interval() -> None:
    assert wilson_interval(0, 0, 0.95) is None


def test_a_link_between_any_mentions_of_the_two_entities_is_false(make: Make, schema: Schema) -> None:
    gold = make(TEXT)
    negative = pair("LEADS", "T2", "T4")
    for relations, found in (
        (["T2 LEADS T4"], [negative]),
        (["T6 LEADS T4"], [negative]),
        (["T3 LEADS T4", "T2 KNOWS T4"], []),
        (["T4 LEADS T2"], []),
        ([], []),
    ):
        assert linked(gold, make(TEXT, relations), schema, negative) == found, relations


def test_a_symmetric_link_is_false_in_either_order(make: Make, schema: Schema) -> None:
    gold = make(TEXT)
    for relation in ("T2 MEETS T3", "T3 MEETS T2", "T5 MEETS T6"):
        for negative in (pair("MEETS", "T2", "T3"), pair("MEETS", "T5", "T2")):
            assert linked(gold, make(TEXT, [relation]), schema, negative) == [negative]
    assert linked(gold, make(TEXT, ["T3 KNOWS T2"]), schema, pair("KNOWS", "T2", "T3")) == []


def test_every_mention_pair_of_a_fact_counts(make: Make, schema: Schema) -> None:
    """A wrong entity link must not hide a link behind the nearest pair of its fact."""
    gold, predicted = make(TEXT), make(TEXT, ["T2 LEADS T4"])
    predicted.mentions = [replace(m, entity="E1" if m.type == "PERSON" else m.type) for m in predicted.mentions]
    predicted.facts = [Fact("LEADS", "E1", "ORG", 1.0, (("T2", "T4"), ("T5", "T4")))]
    assert linked(gold, predicted, schema, pair("LEADS", "T3", "T4")) == [pair("LEADS", "T3", "T4")]


def test_predicted_mentions_count_by_their_span_alone(make: Make, schema: Schema) -> None:
    gold, negative = make("[Lê Hà|PERSON] và [Bộ X|ORG]"), pair("LEADS", "T1", "T2")
    other_ids = make("Lê Hà và [Bộ X|ORG]; [Hà|PERSON]")
    assert linked(gold, make("[Lê Hà|ORG] và [Bộ X|ORG]", ["T1 LEADS T2"]), schema, negative) == [negative]
    assert linked(gold, make("Lê [Hà|PERSON] và [Bộ X|ORG]", ["T1 LEADS T2"]), schema, negative) == []
    assert linked(gold, replace(other_ids, relations=[Relation("LEADS", "T2", "T1")]), schema, negative) == []


PAIRS = (pair("MEETS", "T2", "T3"), pair("LEADS", "T6", "T4"), pair("HAS_RANK", "T3", "T1"))


@pytest.fixture
def readings(make: Make) -> NegativeReadings:
    """A system that links two of three pairs in article a, none in b; read raw, one and none."""
    a, b = make(TEXT, ["T2 HAS_RANK T1"], id="a"), make(TEXT, id="b")
    given = [(a, make(TEXT, ["T3 MEETS T2", "T2 LEADS T4", "T2 HAS_RANK T1"], id="a")), (b, make(TEXT, id="b"))]
    raw = [(b, make(TEXT, id="b")), (a, make(TEXT, ["T5 HAS_RANK T1"], id="a"))]
    nothing = [(document, document.bare()) for document in (a, b)]
    return NegativeReadings(
        {"a": PAIRS, "b": PAIRS[:1]}, {"quanhe": given, "<crf>": nothing}, {"quanhe": raw, "<crf>": nothing}
    )


def test_counts_by_relation_and_in_all(readings: NegativeReadings, schema: Schema) -> None:
    scores = score_negatives(readings, "quanhe", schema, 0.95)
    assert (scores.given.micro.false, scores.given.micro.pairs, scores.given.micro.rate) == (2, 4, 0.5)
    assert {kind: (rate.false, rate.pairs) for kind, rate in scores.given.types.items()} == {
        "HAS_RANK": (0, 1),
        "MEETS": (1, 2),
        "LEADS": (1, 1),
        "KNOWS": (0, 0),
    }
    assert (scores.given.types["KNOWS"].rate, scores.given.types["KNOWS"].high) == (None, None)
    assert (scores.given.micro.low, scores.given.micro.high) == wilson_interval(2, 4, 0.95)
    assert [(one.article, one.type, one.head, one.tail, one.reason) for one in scores.raw.linked] == [
        ("a", "HAS_RANK", "T3", "T1", "vì sao")
    ]
    assert (scores.raw.found.false, scores.raw.found.pairs) == (1, 4)
    nothing = score_negatives(readings, "<crf>", schema, 0.95).given
    assert (nothing.micro.rate, nothing.found.pairs, nothing.found.rate) == (0.0, 0, None)


def test_pairs_that_a_system_cannot_link_are_told_apart(make: Make, schema: Schema) -> None:
    gold = make("[Lê Hà|PERSON|H] và [Bộ X|ORG]; [Hà|PERSON|H] gặp [Ân|PERSON].")
    found = make("Lê Hà và Bộ [X|ORG]; [Hà|PERSON] gặp [Ân|PERSON].", ["T2 MEETS T3"])
    read = {"x": [(gold, found)]}
    readings = NegativeReadings({"a": (pair("MEETS", "T1", "T4"), pair("LEADS", "T4", "T2"))}, read, read)
    scores = score_negatives(readings, "x", schema, 0.95)
    assert (scores.raw.micro.pairs, scores.raw.micro.rate) == (2, 0.5)
    assert (scores.raw.found.pairs, scores.raw.found.rate) == (1, 1.0)


IDS = st.sampled_from(["T1", "T2", "T3", "T4", "T5", "T6"])
KINDS = st.sampled_from(["MEETS", "KNOWS", "LEADS"])


@given(st.lists(st.builds(Relation, KINDS, IDS, IDS), max_size=12), st.lists(st.tuples(KINDS, IDS, IDS), max_size=8))
def test_there_are_as_many_errors_as_the_scores_say(
    make: Make, schema: Schema, relations: list[Relation], negatives: list[tuple[str, str, str]]
) -> None:
    gold = make(TEXT)
    predicted = replace(gold, relations=relations)
    read = {"x": [(gold, predicted)]}
    readings = NegativeReadings({"a": tuple(pair(*one) for one in negatives)}, read, read)
    scores = score_negatives(readings, "x", schema, 0.95)
    misses = Counter((miss.kind, miss.type) for miss in negative_misses(readings, "x", schema))
    assert misses == Counter(
        {
            (kind, relation): rate.false
            for kind, table in scores.by_reading.items()
            for relation, rate in table.types.items()
            if rate.false
        }
    )
    asked = {(kind, head, tail) for kind, head, tail in negatives}
    exact = {(relation.type, relation.head, relation.tail) for relation in relations}
    assert scores.raw.found == scores.raw.micro
    assert scores.raw.micro.false >= len(asked & exact)
    assert scores.raw.micro.false <= scores.raw.micro.pairs == len(negatives)


class _Page(HTMLParser):
    """Checks nesting, and collects links, ids and the text of each section."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.sections: dict[str, str] = {}
        self.targets: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.tags += [tag] if tag != "meta" else []
        if tag == "section":
            self.open.append(values.get("id") or "")
        self.targets.add(values.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.tags.pop() == tag
        if tag == "section":
            self.open.pop()

    def handle_data(self, data: str) -> None:
        for name in self.open:
            self.sections[name] = self.sections.get(name, "") + data


def test_reports_show_rates_and_what_was_linked(
    tmp_path: Path, make: Make, readings: NegativeReadings, schema: Schema, capsys: pytest.CaptureFixture[str]
) -> None:
    article = make(TEXT, ["T2 HAS_RANK T1"], id="khác")
    systems = {"quanhe": [(article, article)], "<crf>": [(article, article)]}
    report = write_report(tmp_path, systems, schema, SETTINGS, negatives=readings)
    assert Report.model_validate_json((tmp_path / "report.json").read_text("utf-8")) == report
    stored = json.loads((tmp_path / "report.json").read_text("utf-8"))["systems"]["quanhe"]["negatives"]
    assert (stored["given"]["micro"]["false"], len(stored["given"]["linked"])) == (2, 2)
    assert [section.title for section in rate_sections(report.systems)] == [GIVEN, RAW]

    markdown = (tmp_path / "report.md").read_text("utf-8").replace("\\", "")
    assert "| **all pairs** | 4 | 2 | 0.500 [0.150–0.850] | 0 | 0.000 [0.000–0.490] |" in markdown
    assert "Ân —MEETS→" not in markdown  # the earlier mention is the head
    for line in (
        "`a` Lê Hà —MEETS→ Ân (vì sao)",
        "`a` Lê Hà —LEADS→ Bộ X (vì sao)",
        "Ân —HAS_RANK→ Đại tướng (vì sao)",
    ):
        assert line in markdown
    assert "**⟪Lê Hà⟫** (head PERSON) đến, **⟪Ân⟫** (tail PERSON)" in markdown

    page = _Page((tmp_path / "report.html").read_text("utf-8"))
    assert page.tags == []
    assert len(page.ids) == len(set(page.ids))
    assert {"#negatives", "#hard-negatives-linked"} <= page.targets <= {"", *(f"#{name}" for name in page.ids)}
    assert "0.500[0.150–0.850]" in page.sections["negatives"]
    assert "all pairs, quanhe: 0.500 [0.150–0.850], 4 pairs" in page.sections["negatives"]  # a bar
    assert "Lê Hà —MEETS→ Ân (vì sao)" in page.sections["hard-negatives-linked-gold-mentions-given"]

    print_table(report.systems, report.confidence)
    printed = capsys.readouterr().out
    assert "False relations on hard negatives" in printed
    (line, *_) = [line for line in printed.splitlines() if "all pairs" in line]
    assert re.search(r"pairs whose ends were found +0–4 +2 +0\.500 \S+ +0 +–", printed)
    assert line.split() == ["all", "pairs", "4", "2", "0.500", "[0.150–0.850]", "0", "0.000", "[0.000–0.490]"]


def test_without_hard_negatives_nothing_is_said_of_them(
    tmp_path: Path, make: Make, schema: Schema, capsys: pytest.CaptureFixture[str]
) -> None:
    article = make(TEXT, ["T2 HAS_RANK T1"])
    report = write_report(tmp_path, {"quanhe": [(article, article)]}, schema, SETTINGS)
    assert report.systems["quanhe"].negatives is None
    print_table(report.systems, report.confidence)
    for text in (capsys.readouterr().out, *(path.read_text("utf-8") for path in tmp_path.glob("report.[mh]*"))):
        assert "False relations" not in text
        assert "Wilson" not in text
