"""How unsure a model is: of decisions, of facts, of articles of any length."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_corpus import marked, tiny_article

from pipeline.document import Document, Relation
from pipeline.model import Model, load_model
from pipeline.schema import RelationType, Schema
from pipeline.uncertainty import UncertainExtractor, Uncertainty, fact_uncertainty, mention_uncertainty, spread

SCHEMA = Schema(
    entities={"PER": "", "ORG": ""},
    relations={
        "LEADS": RelationType(head=("PER",), tail=("ORG",)),
        "MEETS": RelationType(head=("PER",), tail=("PER",), symmetric=True),
    },
)
MEASURES = ("entropy", "confidence", "margin")


@pytest.fixture(scope="module")
def model(tiny_model) -> Model:
    return load_model(tiny_model)[0]


@pytest.mark.parametrize(
    ("measure", "expected"),
    [("entropy", [0.0, math.log(2), 0.8018]), ("confidence", [0, 0.5, 0.3]), ("margin", [0, 1, 0.5])],
)
def test_measures(measure, expected):
    rows = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.7, 0.2, 0.1]])
    assert spread(rows, measure) == pytest.approx(expected, abs=1e-4)
    assert spread(rows[:0], measure).shape == (0,)


@pytest.mark.parametrize("measure", MEASURES)
def test_words_that_are_sure_add_nothing(measure):
    unsure, sure = [math.log(0.5), math.log(0.5), -50.0], [0.0, -50.0, -50.0]
    one = mention_uncertainty(np.array([unsure], dtype=np.float32), measure)
    assert one > 0.4
    many = mention_uncertainty(np.array([sure, unsure, sure, sure], dtype=np.float32), measure)
    assert many == pytest.approx(one, abs=1e-6)


def test_a_fact_counts_once_by_its_surest_pair():
    document = marked("[Mẫu|PER] dẫn [Bộ|ORG]. [Mẫu|PER] gặp [Thử|PER]")
    pairs = [Relation("LEADS", "T1", "T2", 0.5), Relation("LEADS", "T3", "T2", 0.1)]
    once = fact_uncertainty(document, pairs[:1], SCHEMA, "entropy")
    assert once == pytest.approx(math.log(2))
    assert fact_uncertainty(document, pairs, SCHEMA, "entropy") == once
    both = [Relation("MEETS", "T1", "T4", 0.5), Relation("MEETS", "T4", "T3", 0.2)]
    assert fact_uncertainty(document, both, SCHEMA, "entropy") == pytest.approx(math.log(2))
    assert fact_uncertainty(document, [Relation("MEETS", "T1", "T3", 0.5)], SCHEMA, "entropy") == 0.0
    assert fact_uncertainty(document, [], SCHEMA, "entropy") == 0.0


def test_length_alone_changes_nothing():
    short, long = Uncertainty(100, 3.0, 2.0), Uncertainty(300, 9.0, 6.0)
    assert short.per_word == pytest.approx(long.per_word)
    assert 0 < Uncertainty(10, 3.0, 2.0).confidence < short.confidence < Uncertainty(100, 0.0, 0.0).confidence == 1.0
    assert Uncertainty(0, 0.0, 0.0).per_word == 0.0


def test_extraction_is_the_models_own(model):
    expected = model.extractor().extract([tiny_article(number).bare() for number in (13, 14)])
    found = UncertainExtractor(model).extract([tiny_article(number).bare() for number in (13, 14)])
    assert [document.to_dict() for document, _ in found] == [document.to_dict() for document in expected]
    assert all(document.relations for document in expected)
    assert model.relations.config.threshold == 0.5  # the model's own is left alone


def test_facts_that_exclude_one_another_all_count(model):
    document = marked("[Đại tướng|RANK] [Trần Văn Mẫu|PERSON] và ông [James Sample|PERSON] trao đổi tại Huế.")
    relations = model.relations
    (scored,) = relations.score([model.splitter(document)])
    assert {(r.head, r.tail) for r in scored if r.type == "HAS_RANK"} == {("T2", "T1"), ("T3", "T1")}
    assert model.schema.relations["HAS_RANK"].one_head
    assert len([r for r in relations.select(scored) if r.type == "HAS_RANK"]) < 2
    ((found, unsure),) = UncertainExtractor(model).extract([tiny_article(13).bare()])
    assert unsure.facts == pytest.approx(
        fact_uncertainty(found, relations.score([found])[0], model.schema, "entropy"), rel=1e-4
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_strange_articles_are_less_sure_than_those_learnt_by_heart(model, measure):
    known = [tiny_article(number).bare() for number in range(4)]
    strange = [
        Document(str(n), f"Hội thảo Mẫu lần {n} do Viện Thử, Ngài Bá và Tướng Dụ đồng chủ trì ở Lào") for n in (1, 2)
    ]
    found = UncertainExtractor(model, measure).extract([*known, *strange])
    scores = [unsure.per_word for _, unsure in found]
    assert max(scores[:4]) < min(scores[4:])


def test_a_model_without_relations(model):
    alone = Model(model.config, model.schema, model.splitter, model.tagger, None)
    ((document, unsure),) = UncertainExtractor(alone).extract([tiny_article(13).bare()])
    assert unsure.facts == 0.0 < unsure.mentions
    assert document.mentions and not document.relations
    assert UncertainExtractor(alone).extract([]) == []
