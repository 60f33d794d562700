"""The baseline of nearest pairs."""

from __future__ import annotations

import pytest
from tiny_corpus import marked

from pipeline.config import RelationConfig
from pipeline.relations.rules import NearestPairRules
from pipeline.schema import RelationType, Schema

SCHEMA = Schema(
    entities={"PER": "", "RANK": ""},
    relations={
        "HAS_RANK": RelationType(head=("PER",), tail=("RANK",)),
        "MEETS": RelationType(head=("PER",), tail=("PER",), symmetric=True),
    },
)


def found(splitter, text: str) -> list[str]:
    document = splitter(marked(text))
    (relations,) = NearestPairRules(SCHEMA, RelationConfig()).predict([document])
    assert all(relation.score == 1 for relation in relations)
    return [f"{r.head} {r.type} {r.tail}" for r in relations]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Đại tướng|RANK] [Mẫu|PER]", ["T2 HAS_RANK T1"]),
        ("[Đại tướng|RANK] [Mẫu|PER] và các ông [Thử|PER]", ["T2 HAS_RANK T1", "T2 MEETS T3"]),
        ("[Mẫu|PER] đi.\n[Đại tướng|RANK] đến.", []),  # never across sentences
        ("[Mẫu|PER]", []),
        ("Không có gì", []),
        ("[Thử|PER] và ông [Mẫu|PER] ([Đại tướng|RANK])", ["T1 MEETS T2", "T2 HAS_RANK T3"]),
        # Both officers' nearest rank is the same one, but its nearest officer is the first: choices must be mutual.
        ("[Đại tướng|RANK] ông [Thử|PER] [Ví|PER]", ["T2 HAS_RANK T1", "T2 MEETS T3"]),
    ],
)
def test_a_head_and_a_tail_that_are_nearest_to_each_other(splitter, text, expected):
    assert found(splitter, text) == expected


def test_documents_keep_their_order(splitter):
    texts = ["[Đại tướng|RANK] [Mẫu|PER]", "x", "[Mẫu|PER] gặp [Thử|PER]"]
    documents = [splitter(marked(text)) for text in texts]
    assert [len(rs) for rs in NearestPairRules(SCHEMA, RelationConfig()).predict(documents)] == [1, 0, 1]
