from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import Document, Mention, Relation
from pipeline.evaluation.counts import Counts, micro
from pipeline.evaluation.relations import collect_seen_pairs, relation_counts, seen_for, unseen_counts
from pipeline.schema import RelationType, Schema

Make = Callable[..., Document]
TEXT = "[Đại tướng|RANK] [Lê Hà|PERSON] gặp [Ân|PERSON] của [Bộ X|ORG]."


def test_head_tail_type_and_direction_must_be_right(make: Make, schema: Schema) -> None:
    gold = make(TEXT, ["T2 HAS_RANK T1", "T3 LEADS T4", "T2 KNOWS T3"])
    found = make(TEXT, ["T2 HAS_RANK T1", "T2 LEADS T4", "T3 KNOWS T2"])
    assert relation_counts(gold, found, schema) == {
        "HAS_RANK": Counts(1, 1, 1),
        "LEADS": Counts(0, 1, 1),
        "KNOWS": Counts(0, 1, 1),
    }


def test_a_wrong_mention_type_or_edge_makes_the_relation_wrong(make: Make, schema: Schema) -> None:
    gold = make("[Đại tướng|RANK] [Lê Hà|PERSON]", ["T2 HAS_RANK T1"])
    for marked in ("[Đại tướng|ORG] [Lê Hà|PERSON]", "Đại [tướng|RANK] [Lê Hà|PERSON]"):
        assert micro(relation_counts(gold, make(marked, ["T2 HAS_RANK T1"]), schema)) == Counts(0, 1, 1)


def test_a_symmetric_relation_has_no_direction_and_repeats_count_once(make: Make, schema: Schema) -> None:
    gold = make(TEXT, ["T2 MEETS T3"])
    assert micro(relation_counts(gold, make(TEXT, ["T3 MEETS T2", "T2 MEETS T3"]), schema)) == Counts(1, 1, 1)


def test_recall_is_over_all_gold_relations_also_when_their_mentions_were_not_found(make: Make, schema: Schema) -> None:
    gold = make(TEXT, ["T2 HAS_RANK T1", "T3 LEADS T4"])
    found = make("Đại tướng [Lê Hà|PERSON] gặp [Ân|PERSON] của [Bộ X|ORG].", ["T2 LEADS T3"])
    assert micro(relation_counts(gold, found, schema)) == Counts(1, 1, 2)


def test_unseen_pairs_compare_normalised_texts_in_any_order(make: Make, schema: Schema) -> None:
    training = make("[ÂN  hòa|PERSON] gặp [Tư|PERSON], [Năm|PERSON].", ["T2 MEETS T1"])
    seen = collect_seen_pairs([training], schema)
    marked = "[Tư|PERSON] gặp [Ân hoà|PERSON] và [Năm|PERSON]."
    gold = make(marked, ["T1 MEETS T2", "T1 KNOWS T3", "T2 KNOWS T3"])
    found = make(marked, ["T1 MEETS T2", "T1 KNOWS T3", "T3 KNOWS T1"])
    assert unseen_counts(gold, found, schema, seen) == Counts(1, 2, 2)
    assert unseen_counts(gold, found, schema, frozenset()) == Counts(2, 3, 3)


def test_seen_pairs_may_differ_by_article() -> None:
    pairs = frozenset({("a", "b")})
    assert seen_for(pairs, "x") is pairs
    assert seen_for({"x": pairs}, "x") is pairs
    with pytest.raises(KeyError):
        seen_for({"x": pairs}, "y")


SCHEMA = Schema(
    entities={"P": ""},
    relations={name: RelationType(head=("P",), tail=("P",), symmetric=name == "S") for name in ("S", "D")},
)
relation_lists = st.lists(
    st.builds(Relation, st.sampled_from("SD"), st.sampled_from(["T0", "T1", "T2"]), st.sampled_from(["T0", "T1", "T2"]))
)


def document(relations: list[Relation]) -> Document:
    mentions = [Mention(f"T{n}", n, n + 1, "P", letter) for n, letter in enumerate("abc")]
    return Document("a", "abc", mentions=mentions, relations=relations)


@given(relation_lists, relation_lists)
def test_swapping_sides_swaps_precision_and_recall(gold: list[Relation], found: list[Relation]) -> None:
    forth = relation_counts(document(gold), document(found), SCHEMA)
    back = relation_counts(document(found), document(gold), SCHEMA)
    assert forth == {kind: Counts(c.tp, c.gold, c.predicted) for kind, c in back.items()}


@given(relation_lists, st.randoms())
def test_a_perfect_prediction_in_any_order_is_all_right(relations: list[Relation], random: object) -> None:
    shuffled = list(relations)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    counts = micro(relation_counts(document(relations), document(shuffled), SCHEMA))
    assert counts.tp == counts.gold == counts.predicted
    assert counts.f1 == (1.0 if relations else None)
