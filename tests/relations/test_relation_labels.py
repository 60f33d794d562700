"""What each candidate teaches, and training as a whole with each encoding."""

from __future__ import annotations

import pytest
from tiny_corpus import marked, tiny_article

from pipeline.config import Config, RelationConfig
from pipeline.experiment import run_system
from pipeline.extractor import Extractor
from pipeline.relations.candidates import find_candidates
from pipeline.relations.training import candidate_labels, train_relations
from pipeline.schema import RelationType, Schema

SCHEMA = Schema(
    entities={"PER": "", "ORG": ""},
    relations={
        "LEADS": RelationType(head=("PER",), tail=("ORG",)),
        "MEETS": RelationType(head=("PER",), tail=("PER",), symmetric=True),
    },
)


def labels(splitter, text: str, *relations: str, repeats: str = "ignore") -> dict[str, list[int]]:
    document = splitter(marked(text, relations))
    candidates = find_candidates(document, SCHEMA, RelationConfig())
    rows = candidate_labels(document, candidates, SCHEMA, repeats)
    ids = [mention.id for mention in document.mentions]
    return {f"{ids[c.head]}>{ids[c.tail]}": row for c, row in zip(candidates, rows, strict=True)}


def test_related_not_related_and_not_to_be_asked(splitter):
    assert labels(splitter, "[Mẫu|PER] dẫn [Bộ|ORG], [Thử|PER] xem", "T1 LEADS T2") == {
        "T1>T2": [1, -100],
        "T1>T3": [-100, 0],
        "T3>T2": [0, -100],
    }


@pytest.mark.parametrize(("repeats", "label"), [("ignore", -100), ("positive", 1), ("negative", 0)])
def test_another_pair_of_the_same_two_entities(splitter, repeats, label):
    found = labels(splitter, "[Mẫu|PER] dẫn [Bộ|ORG].\nÔng [Mẫu|PER] về.", "T1 LEADS T2", repeats=repeats)
    assert found["T1>T2"] == [1, -100]
    assert found["T3>T2"] == [label, -100]


@pytest.mark.parametrize("relation", ["T1 MEETS T2", "T2 MEETS T1"])
@pytest.mark.parametrize(("repeats", "label"), [("ignore", -100), ("positive", 1), ("negative", 0)])
def test_a_symmetric_relation_has_no_direction(splitter, relation, repeats, label):
    found = labels(splitter, "[Mẫu|PER] gặp [Thử|PER]; [Mẫu|PER] về", relation, repeats=repeats)
    assert found["T1>T2"] == [-100, 1]
    assert found["T2>T3"] == [-100, label]
    assert found["T1>T3"] == [-100, 0]  # an entity and itself


def test_mentions_without_entities_stand_for_themselves(splitter):
    document = splitter(marked("[Mẫu|PER] dẫn [Bộ|ORG]. [Mẫu|PER] về", ["T1 LEADS T2"]))
    for index, mention in enumerate(document.mentions):
        document.mentions[index] = type(mention)(mention.id, mention.start, mention.end, mention.type, mention.text)
    candidates = find_candidates(document, SCHEMA, RelationConfig())
    rows = candidate_labels(document, candidates, SCHEMA, "positive")
    by_pair = {(c.head, c.tail): row[0] for c, row in zip(candidates, rows, strict=True)}
    assert (by_pair[0, 1], by_pair[2, 1]) == (1, 0)


@pytest.mark.parametrize("encoding", ["markers", "levitated", "pooled"])
def test_each_encoding_learns(tiny_settings, tiny_encoder, schema, splitter, encoding):
    settings = {**tiny_settings, "relations": {**tiny_settings["relations"], "encoding": encoding}}
    train = [splitter(tiny_article(number)) for number in range(10)]
    classifier, history = train_relations(train, Config.model_validate(settings), schema, tiny_encoder)
    assert history.loss < 0.4
    held_out = [splitter(tiny_article(number)) for number in (12, 13)]
    pairs = run_system(Extractor(schema, splitter, None, classifier), held_out, given_mentions=True)
    gold = {(d.id, r.type, r.head, r.tail) for d, _ in pairs for r in d.relations}
    found = {(d.id, r.type, r.head, r.tail) for _, d in pairs for r in d.relations}
    assert len(gold & found) >= 0.5 * len(gold)
    assert len(found) <= 2 * len(gold)
