from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.document import Document, Mention, Relation, number_mentions
from pipeline.facts import complete, link_entities
from pipeline.schema import Schema

Mark = Callable[..., Document]
Clusters = Callable[..., list[list[int]]]


def test_entities_are_numbered_by_first_mention_and_mentions_know_theirs(mark: Mark, schema: Schema) -> None:
    document = mark("[Anh|COUNTRY] mời [Lào|COUNTRY]. [Vương quốc Anh|COUNTRY] cảm ơn [Lào|COUNTRY].")
    document.mentions.reverse()
    before = [mention.id for mention in document.mentions]
    link_entities(document, schema)
    assert [(e.id, e.type, e.mentions) for e in document.entities] == [
        ("E1", "COUNTRY", ("T1", "T3")),
        ("E2", "COUNTRY", ("T2", "T4")),
    ]
    assert [mention.id for mention in document.mentions] == before
    assert [document.mention(f"T{n}").entity for n in (1, 2, 3, 4)] == ["E1", "E2", "E1", "E2"]


def test_attributes_and_canonical_names(mark: Mark, schema: Schema) -> None:
    document = mark("[Mỹ|COUNTRY], [Hoa Kỳ|COUNTRY], [Xứ Lạ|COUNTRY], [29/6|DATE], [tháng 7/2021|DATE]")
    link_entities(document, schema)
    assert [(e.name, e.attributes) for e in document.entities] == [
        ("Hoa Kỳ", {"iso": "US"}),
        ("Xứ Lạ", {}),
        ("29/6", {}),
        ("tháng 7/2021", {"interval": "2021-07"}),
    ]


def test_date_without_year_joins_the_one_date_that_completes_it(clusters: Clusters) -> None:
    assert clusters("[29/6/2018|DATE], [29/6|DATE], [29|DATE], [30/6|DATE]") == [[1, 2, 3], [4]]
    assert clusters("[29/6/2018|DATE], [29/6/2019|DATE], [29/6|DATE]") == [[1], [2], [3]]
    assert clusters("[29/6|DATE], [29/7|DATE], [29|DATE]") == [[1], [2], [3]]


def test_places_have_spellings(clusters: Clusters) -> None:
    assert clusters("[TP. HCM|LOCATION], [TP Hồ Chí Minh|LOCATION], [London|LOCATION], [Luân Đôn|LOCATION]") == [
        [1, 2],
        [3, 4],
    ]


def test_foreign_schema_links_by_plain_name(mark: Mark) -> None:
    schema = Schema(entities={"PER": "person", "LOC": "place"})
    document = mark("[Trần Hòa|PER] và [TRẦN  HOÀ|PER], [Hòa|PER], [Trần Hòa|LOC]")
    link_entities(document, schema)
    assert [entity.mentions for entity in document.entities] == [("T1", "T2"), ("T3",), ("T4",)]


def test_person_types_of_a_foreign_schema_are_kept_apart(mark: Mark) -> None:
    schema = Schema(
        entities={"LEADER": "", "GUEST": "", "JOB": ""}, linking={"LEADER": "person", "GUEST": "person", "JOB": "role"}
    )
    document = mark("[Giám đốc|JOB] [Trần An|LEADER], [Giám đốc|JOB] [Lê Bình|GUEST] họp")
    link_entities(document, schema)
    assert len([entity for entity in document.entities if entity.type in ("LEADER", "GUEST")]) == 2


def test_decomposed_text_is_linked_like_composed(mark: Mark, schema: Schema) -> None:
    text = (
        "[Bộ trưởng|ROLE] [Bộ Quốc phòng|ORG] của [Lào|COUNTRY], ông [Kham Say|PERSON]; hai [Bộ trưởng|ROLE]. "
        "[Bộ Quốc phòng Lào|ORG] và [Liên hợp quốc|ORG] ([LHQ|ORG])"
    )
    plain, decomposed = mark(text), mark(unicodedata.normalize("NFD", text))
    for document in (plain, decomposed):
        link_entities(document, schema)
    assert [e.mentions for e in plain.entities] == [e.mentions for e in decomposed.entities]
    assert [e.name for e in plain.entities] == [e.name for e in decomposed.entities]


def test_no_mentions(schema: Schema) -> None:
    document = Document("d", "")
    complete(document, schema)
    assert document.entities == [] and document.facts == []


PIECES = ["Bộ trưởng", "Bộ Quốc phòng", "Anh", " - ", "và", "lần thứ", "4", "(", ")", ",", "\n", " ", "hai", "nước",
          "LHQ", "Trần", "năm 2018", "\u200b", "đ", "e\u0301", "…", "+", "\U0001f600", "của", "Đối thoại"]  # fmt: skip


@st.composite
def documents(draw: st.DrawFn, schema_types: tuple[str, ...]) -> Document:
    text = "".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=30)))
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=16)))
    spans = [
        (start, end, draw(st.sampled_from(schema_types)), 1.0)
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    document = Document("d", text, mentions=number_mentions(text, spans))
    ids = [mention.id for mention in document.mentions]
    if ids:
        pair = st.tuples(
            st.sampled_from(["HOLDS_ROLE", "ROLE_AT", "MEETS"]), st.sampled_from(ids), st.sampled_from(ids)
        )
        document.relations = [Relation(*item, score=0.5) for item in draw(st.lists(pair, max_size=6))]
    return document


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_document_gets_a_partition_of_its_mentions(schema: Schema, data: st.DataObject) -> None:
    document = data.draw(documents(tuple(schema.entities)))
    complete(document, schema)
    owners = {mention_id: entity for entity in document.entities for mention_id in entity.mentions}
    assert sum(len(entity.mentions) for entity in document.entities) == len(document.mentions)
    for mention in document.mentions:
        assert owners[mention.id].id == mention.entity and owners[mention.id].type == mention.type
    firsts = [document.mention(entity.mentions[0]).start for entity in document.entities]
    assert firsts == sorted(firsts)
    assert [entity.id for entity in document.entities] == [f"E{n}" for n in range(1, len(firsts) + 1)]
    assert all(fact.head != fact.tail for fact in document.facts)


@pytest.mark.parametrize("kind", ["PERSON", "ROLE", "ORG", "COUNTRY", "AGREEMENT", "DATE", "LOCATION"])
def test_thousands_of_different_names_and_overlong_ones_stay_fast(schema: Schema, kind: str) -> None:
    names = [f"Bản ghi nhớ số {n} Harrow{n % 97} lần thứ {n}" for n in range(3000)] + [
        "nước cộng hòa " * 500,
        "- . (" * 500,
    ]
    text, mentions = "", []
    for number, name in enumerate(names):
        mentions.append(Mention(f"T{number}", len(text), len(text) + len(name), kind, name))
        text += name + ", "
    start = time.perf_counter()
    link_entities(Document("d", text, mentions=mentions), schema)
    assert time.perf_counter() - start < 5
