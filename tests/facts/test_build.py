from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.document import Document, Fact, Relation
from pipeline.errors import QuanheError
from pipeline.facts import build_facts, complete, link_entities
from pipeline.schema import Schema

Mark = Callable[..., Document]
TEXT = "[Trần An|PERSON], [Tư lệnh|ROLE]. [Kham Say|PERSON] gặp [Trần An|PERSON], [Tư lệnh|ROLE]; [Sao Mai|PERSON]."


def test_one_fact_for_each_pair_of_entities_with_all_its_evidence(mark: Mark, schema: Schema) -> None:
    document = mark(TEXT)
    document.relations = [
        Relation("HOLDS_ROLE", "T1", "T2", 0.6),
        Relation("HOLDS_ROLE", "T4", "T5", 0.9),
        Relation("HOLDS_ROLE", "T1", "T5", 0.7),
        Relation("HOLDS_ROLE", "T3", "T5", 0.4),
    ]
    complete(document, schema)
    assert document.facts == [
        Fact("HOLDS_ROLE", "E1", "E2", 0.9, (("T4", "T5"), ("T1", "T5"), ("T1", "T2"))),
        Fact("HOLDS_ROLE", "E3", "E2", 0.4, (("T3", "T5"),)),
    ]


def test_symmetric_relation_is_one_fact_whose_head_is_mentioned_earlier(mark: Mark, schema: Schema) -> None:
    document = mark(TEXT)
    document.relations = [Relation("MEETS", "T4", "T3", 0.8), Relation("MEETS", "T3", "T1", 0.9)]
    complete(document, schema)
    # T3 comes before T4, so Kham Say is the head of the first pair, and the other pair carries the same fact.
    assert document.facts == [Fact("MEETS", "E3", "E1", 0.9, (("T1", "T3"), ("T3", "T4")))]


def test_no_fact_from_an_entity_to_itself(mark: Mark, schema: Schema) -> None:
    document = mark(TEXT, [("MEETS", "T1", "T4"), ("MEETS", "T4", "T6")])
    complete(document, schema)
    assert [(fact.head, fact.tail) for fact in document.facts] == [("E1", "E4")]
    assert len(document.relations) == 2


def test_repeated_pair_counts_once_with_its_best_score(mark: Mark, schema: Schema) -> None:
    document = mark(TEXT)
    document.relations = [Relation("HOLDS_ROLE", "T1", "T2", score) for score in (0.5, 0.8, 0.6)]
    complete(document, schema)
    assert document.facts == [Fact("HOLDS_ROLE", "E1", "E2", 0.8, (("T1", "T2"),))]


def test_relation_type_that_the_schema_does_not_know_is_directed(mark: Mark, schema: Schema) -> None:
    document = mark(TEXT, [("KNOWS", "T3", "T1"), ("KNOWS", "T1", "T3")])
    complete(document, schema)
    assert [(fact.head, fact.tail) for fact in document.facts] == [("E3", "E1"), ("E1", "E3")]


def test_what_cannot_be_built_is_said(mark: Mark, schema: Schema) -> None:
    document = mark(TEXT, [("MEETS", "T1", "T3")])
    with pytest.raises(QuanheError, match="d: mention T1 of a MEETS relation is not linked"):
        build_facts(document, schema)
    link_entities(document, schema)
    document.relations.append(Relation("MEETS", "T1", "T99"))
    with pytest.raises(QuanheError, match="mention T99 of a MEETS relation does not exist"):
        build_facts(document, schema)
