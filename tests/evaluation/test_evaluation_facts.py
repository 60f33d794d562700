from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import Document, Entity, Fact, Mention, Relation
from pipeline.evaluation.counts import Counts, micro
from pipeline.evaluation.facts import compare_facts, entity_groups, fact_counts, resolve_entities
from pipeline.schema import RelationType, Schema

Make = Callable[..., Document]


def resolved(gold: Document, found: Document) -> dict[str, str]:
    return resolve_entities(entity_groups(gold), entity_groups(found))


def test_an_entity_stands_for_the_gold_one_with_most_shared_spans(make: Make) -> None:
    gold = make("[Lê Hà|PERSON|G1] [Ân|PERSON|G2] [bà Hà|PERSON|G1] [Ân|PERSON|G2] [Hà|PERSON|G1]")
    found = make("[Lê Hà|PERSON|P1] [Ân|PERSON|P1] [bà Hà|PERSON|P1] [Ân|PERSON|P2] [Hà|PERSON|P3]")
    assert resolved(gold, found) == {"P1": "G1", "P2": "G2", "P3": "G1"}


def test_without_a_shared_span_the_text_decides_in_normal_form(make: Make) -> None:
    gold = make("[Lê  Hòa|PERSON|G1] nói; Lê Hoà đáp.")
    found = make("Lê  Hòa nói; [Lê Hoà|PERSON|P1] đáp.")
    assert resolved(gold, found) == {"P1": "G1"}
    other = make("Lê  Hòa nói; Lê [Hoà|PERSON|P1] đáp.")
    assert resolved(gold, other) == {}


def test_the_name_helps_when_no_mention_does(make: Make) -> None:
    gold = make("[Vương quốc Anh|ORG|G1] và Anh")
    found = make("Vương quốc Anh và [Anh|ORG|P1]")
    assert resolved(gold, found) == {}
    found.entities = [Entity("P1", "ORG", "vương quốc anh", ("T1",))]
    assert resolved(gold, found) == {"P1": "G1"}


def test_another_type_never_matches(make: Make) -> None:
    assert resolved(make("[Anh|ORG|G1]"), make("[Anh|PERSON|P1]")) == {}


def test_a_tie_goes_to_the_gold_entity_that_comes_first(make: Make) -> None:
    gold = make("[Bộ trưởng|RANK|G2] Ân, [Bộ trưởng|RANK|G1] Hà, bộ trưởng")
    found = make("Bộ trưởng Ân, Bộ trưởng Hà, [bộ trưởng|RANK|P1]")
    assert resolved(gold, found) == {"P1": "G2"}


def test_a_fact_counts_once_an_article_wherever_it_is_found(make: Make, schema: Schema) -> None:
    gold = make(
        "[Đại tướng|RANK|R] [Lê Hà|PERSON|H] nói. [Hà|PERSON|H] gặp [Ân|PERSON|A].", ["T2 HAS_RANK T1", "T3 MEETS T4"]
    )
    found = make(
        "[Đại tướng|RANK|1] [Lê Hà|PERSON|2] nói. [Hà|PERSON|3] gặp [Ân|PERSON|4].",
        ["T2 HAS_RANK T1", "T3 HAS_RANK T1", "T4 MEETS T2", "T2 KNOWS T4"],
    )
    assert fact_counts(gold, found, schema) == {
        "HAS_RANK": Counts(1, 1, 1),  # both predicted ones become the same gold fact
        "MEETS": Counts(1, 1, 1),  # other mentions, other order: the same two entities meet
        "KNOWS": Counts(0, 1, 0),
    }


def test_an_entity_that_stands_for_nothing_makes_its_fact_wrong(make: Make, schema: Schema) -> None:
    gold = make("[Lê Hà|PERSON|H] gặp [Ân|PERSON|A] và Tư.", ["T1 MEETS T2"])
    found = make("[Lê Hà|PERSON|H] gặp Ân và [Tư|PERSON|A].", ["T1 MEETS T2"])
    assert micro(fact_counts(gold, found, schema)) == Counts(0, 1, 1)
    facts = compare_facts(gold, found, schema)
    assert [facts.names[end] for key in facts.predicted for end in key[1:]] == ["Lê Hà", "Tư"]


def test_direction_counts_unless_symmetric(make: Make, schema: Schema) -> None:
    text = "[Lê Hà|PERSON|H] và [Ân|PERSON|A]"
    assert micro(fact_counts(make(text, ["T1 KNOWS T2"]), make(text, ["T2 KNOWS T1"]), schema)) == Counts(0, 1, 1)
    assert micro(fact_counts(make(text, ["T1 MEETS T2"]), make(text, ["T2 MEETS T1"]), schema)) == Counts(1, 1, 1)


def test_stored_facts_are_taken_before_relations(make: Make, schema: Schema) -> None:
    gold = make("[Lê Hà|PERSON|H] và [Ân|PERSON|A]", ["T1 KNOWS T2"])
    found = replace(gold, relations=[], facts=[Fact("KNOWS", "H", "A", 0.9, (("T1", "T2"),))])
    assert micro(fact_counts(gold, found, schema)) == Counts(1, 1, 1)


def test_mentions_without_entities_are_entities_of_their_own(make: Make, schema: Schema) -> None:
    gold = make("[Lê Hà|PERSON] gặp [Ân|PERSON], [Ân|PERSON]", ["T1 MEETS T2", "T1 MEETS T3"])
    assert micro(fact_counts(gold, gold, schema)) == Counts(2, 2, 2)


SCHEMA = Schema(
    entities={"P": ""},
    relations={name: RelationType(head=("P",), tail=("P",), symmetric=name == "S") for name in ("S", "D")},
)


def linked(owners: Sequence[str], relations: Sequence[Relation], names: dict[str, str]) -> Document:
    mentions = [Mention(f"T{n}", n, n + 1, "P", "abcd"[n], 1.0, names[owner]) for n, owner in enumerate(owners)]
    return Document("a", "abcd", mentions=mentions, relations=list(relations))


ids = st.sampled_from(["T0", "T1", "T2", "T3"])


@given(
    st.lists(st.sampled_from("xyz"), min_size=4, max_size=4),
    st.lists(st.builds(Relation, st.sampled_from("SD"), ids, ids)),
    st.permutations(["E1", "E2", "E3"]),
    st.randoms(),
)
def test_a_perfect_prediction_is_all_right_whatever_ids_and_order(
    owners: list[str], relations: list[Relation], names: list[str], random: object
) -> None:
    gold = linked(owners, relations, dict(zip("xyz", "xyz", strict=True)))
    shuffled = list(relations)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    counts = micro(fact_counts(gold, linked(owners, shuffled, dict(zip("xyz", names, strict=True))), SCHEMA))
    assert counts.tp == counts.gold == counts.predicted
