"""Whatever is missing after a way through a format is counted as what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from interchange_articles import article

from pipeline.document import Document, Entity, Fact, Relation, Word
from pipeline.interchange.articles import Span, Written
from pipeline.interchange.losses import compare, count_losses


@pytest.fixture
def document() -> Document:
    made = article(
        "a",
        "Đại tướng Lê Thử\n\nông Thử",
        [Span("r", 0, 9, "RANK", 0.5), Span("p", 10, 16, "PERSON", 1.0, "x"), Span("q", 22, 25, "PERSON", 1.0, "x")],
        [Relation("HAS_RANK", "p", "r", 0.9)],
        {"url": "u"},
    )
    made.facts = [Fact("HAS_RANK", "E2", "E1", 0.9, (("T2", "T1"),))]
    return made


def test_nothing_lost(document):
    assert compare(document, replace(document)) == {}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"id": "b"}, "article ids"),
        ({"fields": {}}, "fields of articles"),
        ({"relations": [Relation("HAS_RANK", "T1", "T2", 0.9)]}, "relations"),
        ({"relations": [Relation("HAS_RANK", "T2", "T1", 1.0)]}, "scores of mentions and relations"),
        ({"facts": []}, "facts"),
    ],
)
def test_each_kind(document, change, kind):
    losses = compare(document, replace(document, **change))
    assert losses.pop(kind) == 1
    assert set(losses) <= {"relations that were not there before"}


def test_mentions_and_their_links(document):
    moved = replace(document, mentions=[*document.mentions[:2], replace(document.mentions[2], start=23)])
    assert compare(document, moved) == {
        "mentions": 1,
        "mentions that were not there before": 1,
        "entities that link two or more mentions": 1,
    }
    apart = replace(document, mentions=[replace(mention, entity=mention.id) for mention in document.mentions])
    assert compare(document, apart) == {"entities that link two or more mentions": 1}


def test_names_of_entities(document):
    named = replace(document, entities=[Entity("E2", "PERSON", "Lê Văn Thử", ("T2", "T3"), {"iso": "VN"})])
    assert compare(named, document) == {"names and attributes of entities": 1}
    assert compare(document, replace(document, entities=[])) == {}


def test_rebuilt_text_is_told_and_places_still_compared(document):
    after = article(
        "a",
        "Đại tướng Lê Thử\nông Thử",
        [Span("r", 0, 9, "RANK", 0.5), Span("p", 10, 16, "PERSON", 1.0, "x"), Span("q", 21, 24, "PERSON", 1.0, "x")],
        [Relation("HAS_RANK", "p", "r", 0.9)],
        {"url": "u"},
    )
    after.facts = document.facts
    (kind,) = compare(document, after)
    assert kind.startswith("articles whose text is rebuilt")
    assert "articles whose text has other characters" in compare(document, replace(after, text=after.text + "!"))


def test_own_words(document):
    segmented = replace(document, words=[Word(0, 9, "Đại_tướng")])
    assert compare(segmented, document) == {"articles' own word boundaries": 1}


def test_articles_that_are_not_there_any_more(document):
    written = Written([document, document], ["a", None])
    assert count_losses(written, [document]) == {"articles without a text": 1}
