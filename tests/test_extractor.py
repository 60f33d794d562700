"""The stages in a row."""

from __future__ import annotations

import pytest
from tiny_corpus import marked

from pipeline.document import Document, Relation, Word
from pipeline.extractor import Extractor
from pipeline.schema import RelationType, Schema

SCHEMA = Schema(
    entities={"PER": "", "ORG": ""},
    relations={
        "LEADS": RelationType(head=("PER",), tail=("ORG",)),
        "MEETS": RelationType(head=("PER",), tail=("PER",), symmetric=True),
    },
)


class Finds:
    """Gives every document what it was told to."""

    def __init__(self, found: list) -> None:
        self.found = found
        self.words_seen: list[int] = []

    def predict(self, documents):
        self.words_seen += [len(document.words) for document in documents]
        return [list(self.found) for _ in documents]


def extract(splitter, text: str, relations: list[Relation]) -> Document:
    document = marked(text)
    extractor = Extractor(SCHEMA, splitter, Finds(document.mentions), Finds(relations))
    return extractor.extract([Document("a", document.text)])[0]


def test_each_fact_is_one_relation_at_its_nearest_pair(splitter):
    text = "[Mẫu|PER] dẫn [Bộ|ORG]. Hôm nay ông [Mẫu|PER] ([Bộ|ORG]) về."
    pairs = [Relation("LEADS", "T1", "T4", 0.9), Relation("LEADS", "T3", "T4", 0.6), Relation("LEADS", "T1", "T2", 0.7)]
    document = extract(splitter, text, pairs)
    assert document.relations == [Relation("LEADS", "T3", "T4", 0.9)]
    (fact,) = document.facts
    assert (fact.type, fact.score) == ("LEADS", 0.9)
    assert fact.evidence == (("T1", "T4"), ("T1", "T2"), ("T3", "T4"))
    assert [entity.mentions for entity in document.entities] == [("T1", "T3"), ("T2", "T4")]


def test_facts_of_other_types_or_entities_stay_apart(splitter):
    text = "[Mẫu|PER] dẫn [Bộ|ORG] gặp [Thử|PER]"
    document = extract(splitter, text, [Relation("LEADS", "T1", "T2", 0.9), Relation("MEETS", "T1", "T3", 0.8)])
    assert document.relations == [Relation("LEADS", "T1", "T2", 0.9), Relation("MEETS", "T1", "T3", 0.8)]
    assert len(document.facts) == 2


def test_a_relation_within_one_entity_is_neither_fact_nor_relation(splitter):
    document = extract(splitter, "[Mẫu|PER] và [Mẫu|PER]", [Relation("MEETS", "T1", "T2", 0.9)])
    assert (document.relations, document.facts) == ([], [])


def test_mentions_that_are_given_are_kept(splitter):
    document = marked("[Mẫu|PER] dẫn [Bộ|ORG]")
    given = Document("a", document.text, mentions=list(document.mentions))
    wrong = Finds([])
    extractor = Extractor(SCHEMA, splitter, wrong, Finds([Relation("LEADS", "T1", "T2")]))
    (found,) = extractor.on_given_mentions().extract([given])
    assert [m.text for m in found.mentions] == ["Mẫu", "Bộ"]
    assert len(found.facts) == 1
    assert wrong.words_seen == []
    extractor.relations = None
    assert extractor.extract([Document("a", document.text)])[0].mentions == []
    assert wrong.words_seen == [3]


@pytest.mark.parametrize("count", [0, 3])
def test_documents_keep_their_order_and_get_words(splitter, count):
    finder = Finds([])
    documents = [Document(str(number), "x " * number) for number in range(count)]
    assert Extractor(SCHEMA, splitter, finder, None).extract(documents) == documents
    assert finder.words_seen == list(range(count))


def test_words_of_a_corpus_are_kept(splitter):
    words = [Word(0, 7, "Bộ_Quốc")]
    document = Document("a", "Bộ Quốc phòng", words=list(words), sentences=[(0, 1)])
    Extractor(SCHEMA, splitter, Finds([]), None).extract([document])
    assert document.words == words
