"""Which pairs may be related."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import marked

from pipeline.config import RelationConfig
from pipeline.document import Document
from pipeline.relations.candidates import FEATURE_SIZES, find_candidates, mention_places, recall_lost
from pipeline.schema import RelationType, Schema
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.words import WordSplitter

SYLLABLES = WordSplitter(SyllableSegmenter())
SCHEMA = Schema(
    entities={"PER": "", "ORG": "", "LOC": ""},
    relations={
        "LEADS": RelationType(head=("PER",), tail=("ORG",)),
        "MEETS": RelationType(head=("PER",), tail=("PER",), symmetric=True),
        "KNOWS": RelationType(head=("PER",), tail=("PER",)),
    },
)
CONFIG = RelationConfig(max_sentences=1, max_words=10)


def split(text: str, *relations: str) -> Document:
    return SYLLABLES(marked(text, relations))


def pairs(document: Document, config: RelationConfig = CONFIG) -> dict[str, list[str]]:
    """``T1>T2`` → names of the relations that it may carry."""
    names = list(SCHEMA.relations)
    return {
        f"{document.mentions[c.head].id}>{document.mentions[c.tail].id}": [names[r] for r in c.relations]
        for c in find_candidates(document, SCHEMA, config)
    }


def test_pairs_are_those_of_the_schema():
    assert pairs(split("[A|PER] ở [B|LOC] dẫn [C|ORG] gặp [D|PER]")) == {
        "T1>T3": ["LEADS"],
        "T1>T4": ["MEETS", "KNOWS"],
        "T4>T1": ["KNOWS"],  # a symmetric relation takes the earlier mention as its head
        "T4>T3": ["LEADS"],
    }


def test_distance_in_sentences_and_words():
    text = "[A|PER].\n[B|PER].\n[C|ORG] " + "x " * 10 + "[D|PER]"
    assert set(pairs(split(text))) == {"T1>T2", "T2>T1", "T2>T3", "T4>T3"}
    assert set(pairs(split(text), RelationConfig(max_sentences=0, max_words=9))) == set()
    assert "T1>T4" in pairs(split(text), RelationConfig(max_sentences=2, max_words=15))


def test_words_between_are_counted_between_the_mentions():
    document = split("[A B C|PER] x y [D E|ORG]")
    assert pairs(document, RelationConfig(max_words=2))
    assert not pairs(document, RelationConfig(max_words=1))


def test_relations_that_are_out_of_reach():
    text = "[A|PER] dẫn [B|ORG].\nx.\n[C|PER] và [D|LOC]"
    document = split(text, "T1 LEADS T2", "T3 LEADS T2", "T3 MEETS T1", "T1 LEADS T4")
    assert recall_lost(document, SCHEMA, CONFIG) == ["T3>T2", "T3>T1", "T1>T4"]
    # Symmetric relations are found in either direction; one that the schema does not allow never is.
    assert recall_lost(document, SCHEMA, RelationConfig(max_sentences=9)) == ["T1>T4"]


def test_a_symmetric_relation_is_reached_whichever_way_it_is_labelled():
    only_meets = Schema(entities={"PER": ""}, relations={"MEETS": SCHEMA.relations["MEETS"]})
    for relation in ("T1 MEETS T2", "T2 MEETS T1"):
        assert recall_lost(split("[A|PER] gặp [B|PER]", relation), only_meets, CONFIG) == []


def test_places_are_the_words_that_a_mention_covers():
    document = split("Ông [A B|PER] ở.\n[C|LOC]")
    assert [(place.first, place.last, place.sentence) for place in mention_places(document)] == [(1, 3, 0), (5, 6, 1)]
    inside = Document("a", "ViệtNam", words=[*SYLLABLES(Document("a", "ViệtNam")).words], sentences=[(0, 1)])
    inside.mentions = marked("Việt[Nam|LOC]").mentions
    assert [(place.first, place.last) for place in mention_places(inside)] == [(0, 1)]


@st.composite
def documents(draw):
    parts = draw(
        st.lists(st.sampled_from(["[A|PER]", "[B C|PER]", "[D|ORG]", "[E|LOC]", "x", "x y z", ".\n"]), max_size=25)
    )
    return split(" ".join(parts))


@given(documents(), st.integers(0, 3), st.integers(1, 12))
def test_all_pairs_within_reach_and_no_others(document, max_sentences, max_words):
    config = RelationConfig(max_sentences=max_sentences, max_words=max_words)
    places = mention_places(document)
    expected = {}
    for i, (head, head_place) in enumerate(zip(document.mentions, places, strict=True)):
        for j, (tail, tail_place) in enumerate(zip(document.mentions, places, strict=True)):
            between = range(min(head_place.last, tail_place.last), max(head_place.first, tail_place.first))
            near = abs(head_place.sentence - tail_place.sentence) <= max_sentences and len(between) <= max_words
            names = [
                name
                for name in SCHEMA.relations_between(head.type, tail.type)
                if i < j or not SCHEMA.relations[name].symmetric
            ]
            if i != j and near and names:
                expected[f"{head.id}>{tail.id}"] = names
    assert pairs(document, config) == expected


@given(documents())
def test_features_fit_their_embeddings(document):
    for candidate in find_candidates(document, SCHEMA, RelationConfig(max_sentences=99, max_words=999)):
        assert len(candidate.features) == len(FEATURE_SIZES)
        assert all(0 <= value < size for value, size in zip(candidate.features, FEATURE_SIZES, strict=True))


@given(documents())
def test_features_are_those_counted_one_by_one(document):
    places = mention_places(document)
    mentions = document.mentions

    def nearer(mention: int, other: int) -> int:
        reach = abs(places[mention].first - places[other].first)
        rivals = [
            i for i, m in enumerate(mentions) if m.text == mentions[mention].text and m.type == mentions[mention].type
        ]
        return min(sum(abs(places[i].first - places[other].first) < reach for i in rivals), 2)

    def of_type(kind: str, low: int, high: int) -> int:
        return min(sum(mention.type == kind for mention in mentions[low:high]), 4)

    for found in find_candidates(document, SCHEMA, RelationConfig(max_sentences=3, max_words=20)):
        head, tail = places[found.head], places[found.tail]
        low, high = min(found.head, found.tail) + 1, max(found.head, found.tail)
        words = max(tail.first - head.last, head.first - tail.last, 0)
        assert found.features == (
            sum(words >= gap for gap in (0, 1, 2, 3, 5, 9, 17, 33, 65)),
            min(abs(head.sentence - tail.sentence), 5),
            int(found.tail < found.head),
            of_type(mentions[found.head].type, low, high),
            of_type(mentions[found.tail].type, low, high),
            min(high - low, 4),
            0,
            nearer(found.head, found.tail),
            nearer(found.tail, found.head),
        )


def test_pairs_are_the_same_when_looked_at_in_parts(monkeypatch):
    document = split(" x ".join("[A|PER] x [B|ORG] .\n [C|PER]" for _ in range(9)))
    whole = find_candidates(document, SCHEMA, CONFIG)
    monkeypatch.setattr("pipeline.relations.candidates._CHUNK", 5)
    assert list(find_candidates(document, SCHEMA, CONFIG)) == list(whole)
    assert len(whole) > 30


def test_candidates_are_a_sequence_and_say_what_is_allowed():
    document = split("[A|PER] và [C|PER] của [B|ORG]")
    candidates = find_candidates(document, SCHEMA, CONFIG)
    assert [candidates[index] for index in range(len(candidates))] == list(candidates) == candidates[:]
    allowed = candidates.allowed(len(SCHEMA.relations))
    assert [tuple(np.flatnonzero(row)) for row in allowed] == [c.relations for c in candidates]
    nothing = find_candidates(split("không có ai"), SCHEMA, CONFIG)
    assert not nothing
    assert nothing.allowed(2).shape == (0, 2)


def test_features_tell_order_and_what_stands_between():
    document = split("[A|PER] [B|PER] x [C|ORG]")
    features = {(c.head, c.tail): c.features for c in find_candidates(document, SCHEMA, CONFIG)}
    assert features[0, 2][2] == features[0, 1][2] == 0
    assert features[1, 0][2] == 1
    assert features[0, 2][3:6] == (1, 0, 1)  # one PER between, no ORG, one mention of any type
    assert features[0, 2][0] > features[1, 2][0]


def test_features_tell_names_in_names_and_nearer_mentions_of_the_same_name():
    document = split("[Bộ Mẫu|ORG] x [Anh|PER] y [Hội Bộ Mẫu Việt|ORG] x [BỘ MẪU|ORG] z [Anh|PER]")
    features = {(c.head, c.tail): c.features for c in find_candidates(document, SCHEMA, RelationConfig())}
    person, near, far = 1, 0, 3
    assert features[person, near][7:] == (0, 0)  # the person's and the organisation's nearest mention
    assert features[person, far][8] == 1  # one mention of the organisation stands nearer
    assert features[4, near][7] == 1  # and one of the person
    assert {row[6] for row in features.values()} == {0}  # a person's name stands in no organisation's here


def test_names_in_credits_are_in_no_pair():
    document = split("[A|PER] x [B|ORG]\nẢnh: [C|PER]")
    linked = SCHEMA.model_copy(update={"linking": {"PER": "person"}})
    assert {(c.head, c.tail) for c in find_candidates(document, linked, CONFIG)} == {(0, 1)}
    assert any(c.head == 2 for c in find_candidates(document, SCHEMA, RelationConfig()))


@pytest.mark.parametrize("gap", [" . \n", " x "])
def test_thousands_of_mentions_do_not_take_quadratic_time(gap):
    document = split(gap.join("[A|PER] x [B|ORG]" for _ in range(3000)))
    start = time.process_time()
    assert len(find_candidates(document, SCHEMA, CONFIG)) > 6000
    assert time.process_time() - start < 5  # 0.2 s; all pairs of 6000 mentions take 10
