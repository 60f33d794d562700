from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from pipeline.config import EvaluationConfig
from pipeline.document import Document, Entity, Fact, Mention, Relation
from pipeline.errors import ProblemsError, QuanheError
from pipeline.evaluation.scores import Scores, compare, score_system
from pipeline.evaluation.tables import format_f1, markdown_escape, markdown_tables, rich_table
from pipeline.schema import Schema

Make = Callable[..., Document]
SETTINGS = EvaluationConfig(resamples=100)


@pytest.fixture
def pairs(make: Make) -> list[tuple[Document, Document]]:
    marked = "[Đại tướng|RANK|R] [Lê Hà|PERSON|H] gặp [Ân|PERSON|A]."
    partly = "Đại [tướng|RANK|R] [Lê Hà|PERSON|H] gặp [Ân|PERSON|A]."
    return [
        (make(marked, ["T2 HAS_RANK T1"], id="a"), make(marked, ["T2 HAS_RANK T1"], id="a")),
        (make(marked, ["T2 MEETS T3"], id="b"), make(partly, ["T3 MEETS T2", "T2 HAS_RANK T1"], id="b")),
    ]


def test_all_scores_of_a_small_case(pairs: list[tuple[Document, Document]], schema: Schema) -> None:
    scores = score_system(pairs, schema, SETTINGS, seen_pairs=frozenset({("lê hà", "đại tướng")}), on_gold=pairs[::-1])
    strict = scores.entities.strict
    assert (strict.micro.tp, strict.micro.predicted, strict.micro.gold) == (5, 6, 6)
    assert strict.micro.precision == strict.micro.recall == strict.micro.f1 == pytest.approx(5 / 6)
    assert strict.articles == {"a": (3, 3, 3), "b": (2, 3, 3)}
    assert strict.types["RANK"].f1 == 0.5
    assert scores.entities.partial.micro.f1 == 1.0
    assert scores.entities.spans.f1 == pytest.approx(5 / 6)
    assert scores.entities.confusion == {"PERSON": {"PERSON": 4}, "RANK": {"RANK": 2}}
    assert scores.relations is not None and scores.facts is not None
    assert (scores.relations.strict.micro.tp, scores.relations.strict.micro.predicted) == (2, 3)
    assert scores.relations.unseen is not None
    assert (scores.relations.unseen.tp, scores.relations.unseen.predicted, scores.relations.unseen.gold) == (1, 2, 1)
    assert scores.relations_on_gold == scores.relations
    assert scores.facts.articles == {"a": (1, 1, 1), "b": (1, 2, 1)}


def test_types_without_gold_are_zero_with_predictions_and_undefined_without(make: Make, schema: Schema) -> None:
    scores = score_system([(make("[Hà|PERSON] Ân"), make("Hà [Ân|ORG]"))], schema, SETTINGS)
    types = scores.entities.strict.types
    assert (types["ORG"].precision, types["ORG"].recall, types["ORG"].f1) == (0.0, None, 0.0)
    assert (types["PERSON"].precision, types["PERSON"].recall, types["PERSON"].f1) == (None, 0.0, 0.0)
    assert (types["RANK"].precision, types["RANK"].recall, types["RANK"].f1, types["RANK"].low) == (None,) * 4
    assert format_f1(types["RANK"]) == "–"
    assert scores.facts is not None and scores.facts.micro.f1 is None


def test_no_articles_at_all(schema: Schema) -> None:
    scores = score_system([], schema, SETTINGS)
    assert scores.articles == 0
    assert scores.entities.strict.micro.f1 is None
    assert "–" in markdown_tables({"quanhe": scores}, 0.95)


def test_a_schema_without_relations_has_no_relation_scores(make: Make) -> None:
    document = make("[Hà|PERSON]")
    scores = score_system([(document, document)], Schema(entities={"PERSON": ""}), SETTINGS)
    assert (scores.relations, scores.facts) == (None, None)
    assert "Relations" not in markdown_tables({"quanhe": scores}, 0.95)


def test_types_that_the_schema_does_not_know_are_scored_too(make: Make, schema: Schema) -> None:
    document = make("[Hà|ZZZ]")
    assert score_system([(document, document)], schema, SETTINGS).entities.strict.types["ZZZ"].f1 == 1.0


def test_scores_survive_json(pairs: list[tuple[Document, Document]], schema: Schema) -> None:
    scores = score_system(pairs, schema, SETTINGS, seen_pairs={"a": frozenset(), "b": frozenset()})
    assert Scores.model_validate_json(scores.model_dump_json()) == scores


def test_the_order_of_articles_changes_no_score(pairs: list[tuple[Document, Document]], schema: Schema) -> None:
    one, other = score_system(pairs, schema, SETTINGS), score_system(pairs[::-1], schema, SETTINGS)
    assert one.entities.strict.micro.f1 == other.entities.strict.micro.f1
    assert one.facts is not None and other.facts is not None
    assert one.facts.micro.f1 == other.facts.micro.f1


def test_compare_is_zero_against_itself_and_needs_the_same_articles(
    pairs: list[tuple[Document, Document]], schema: Schema
) -> None:
    scores = score_system(pairs, schema, SETTINGS)
    differences = compare(scores, scores, SETTINGS)
    assert set(differences) == {"entities", "relations", "facts"}
    assert all((d.value, d.low, d.high) == (0.0, 0.0, 0.0) for d in differences.values())
    with pytest.raises(QuanheError, match=r"same articles.*b"):
        compare(scores, score_system(pairs[:1], schema, SETTINGS), SETTINGS)


def test_every_pair_that_cannot_be_scored_is_named(make: Make, schema: Schema) -> None:
    good = make("[Hà|PERSON|H] gặp [Ân|PERSON|A]")
    first, second = good.mentions

    def mistake(**changes: object) -> tuple[Document, Document]:
        return replace(good, id=f"d{len(pairs)}"), replace(good, **{"id": "x", **changes})  # type: ignore[arg-type]

    pairs: list[tuple[Document, Document]] = [(good, good), (good, good)]
    pairs.append(mistake(text="khác"))
    pairs.append(mistake(mentions=[first, Mention("T2", 1, 4, "ORG", "à g")]))
    pairs.append(mistake(mentions=[first, Mention("T2", 8, 99, "ORG", "")]))
    pairs.append(mistake(mentions=[first, replace(second, id="T1")]))
    pairs.append(mistake(relations=[Relation("MEETS", "T1", "T9")]))
    pairs.append(mistake(facts=[Fact("MEETS", "H", "Z", 1.0, ())]))
    pairs.append(mistake(entities=[Entity("H", "PERSON", "Hà", ("T1", "T2"))]))
    with pytest.raises(ProblemsError) as caught:
        score_system(pairs, schema, SETTINGS)
    assert [str(problem) for problem in caught.value.problems] == [
        "a: the article comes twice in one evaluation; give each article its own id",
        "d2: gold and predicted text differ; predict on the gold article's own text",
        "d3: predicted: T1 and T2 overlap at 1; keep one of them",
        "d4: predicted: T2 [8, 99) is no span of the text",
        "d5: predicted: two mentions have the same id",
        "d6: predicted: MEETS names T9, which is no mention",
        "d7: predicted: MEETS names Z, which is no entity",
        "d8: predicted: T2 says that it belongs to A, but H lists it",
    ]


def test_a_fold_without_training_pairs_is_an_error(pairs: list[tuple[Document, Document]], schema: Schema) -> None:
    with pytest.raises(QuanheError, match=r"^b: the training pairs"):
        score_system(pairs, schema, SETTINGS, seen_pairs={"a": frozenset()})


def _printed(systems: dict[str, Scores]) -> str:
    console = Console(width=160, file=StringIO(), color_system=None)
    console.print(rich_table(systems, 0.95))
    output = console.file
    assert isinstance(output, StringIO)
    return output.getvalue()


def test_the_terminal_table_puts_systems_side_by_side(pairs: list[tuple[Document, Document]], schema: Schema) -> None:
    scores = score_system(pairs, schema, SETTINGS)
    perfect = score_system([(gold, gold) for gold, _ in pairs], schema, SETTINGS)
    lines = _printed({"quanhe": scores, "[crf]": perfect}).splitlines()
    assert "quanhe" in lines[1] and "[crf]" in lines[1]
    strict = next(line for line in lines if "strict" in line).split()
    assert strict == ["strict", "6", "0.833", "[0.667–1.000]", "1.000", "[1.000–1.000]"]
    rank = next(line for line in lines if line.strip().startswith("RANK")).split()
    assert rank[:3] == ["RANK", "2", "0.500"]


def test_one_system_shows_precision_and_recall(pairs: list[tuple[Document, Document]], schema: Schema) -> None:
    lines = _printed({"quanhe": score_system(pairs, schema, SETTINGS)}).splitlines()
    facts = next(line for line in lines if "all facts" in line).split()
    assert facts[:6] == ["all", "facts", "2", "0.667", "1.000", "0.800"]


def test_markdown_tables_have_equal_columns(pairs: list[tuple[Document, Document]], schema: Schema) -> None:
    scores = score_system(pairs, schema, SETTINGS, seen_pairs=frozenset())
    text = markdown_tables({"a|b": scores, "crf": scores}, 0.95)
    rows = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {9}
    assert "| **pairs never seen in training** | 2 |" in text


def test_markdown_escape_keeps_a_line_as_text() -> None:
    assert markdown_escape("a_b _c_ *d*\n[e](f) <g>") == "a_b \\_c\\_ \\*d\\* \\[e\\](f) \\<g\\>"
