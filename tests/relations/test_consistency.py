"""Relations that exclude each other."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import Relation
from pipeline.relations.consistency import count_excluded, keep_consistent
from pipeline.schema import Schema

SCHEMA = Schema.model_validate(
    {
        "entities": {"PERSON": "", "RANK": "", "EVENT": "", "DATE": ""},
        "relations": {
            "HAS_RANK": {"head": ["PERSON"], "tail": ["RANK"], "one_head": True},
            "HELD_ON": {"head": ["EVENT"], "tail": ["DATE"], "one_tail": True},
            "MEETS": {"head": ["PERSON"], "tail": ["PERSON"]},
        },
    }
)


def test_a_rank_goes_to_the_likeliest_person_and_a_person_may_have_two() -> None:
    far, near = Relation("HAS_RANK", "T1", "T2", 0.6), Relation("HAS_RANK", "T3", "T2", 0.9)
    second = Relation("HAS_RANK", "T3", "T4", 0.5)
    assert keep_consistent([far, near, second], SCHEMA) == [near, second]


def test_an_event_has_one_date_and_a_date_many_events() -> None:
    first, wrong = Relation("HELD_ON", "T1", "T2", 0.9), Relation("HELD_ON", "T1", "T3", 0.8)
    other = Relation("HELD_ON", "T4", "T2", 0.7)
    assert keep_consistent([wrong, first, other], SCHEMA) == [first, other]


def test_relations_without_such_a_rule_stay() -> None:
    meetings = [Relation("MEETS", "T1", "T2", 0.9), Relation("MEETS", "T1", "T3", 0.8)]
    assert keep_consistent(meetings, SCHEMA) == meetings


RELATIONS = st.builds(
    Relation,
    st.sampled_from(["HAS_RANK", "HELD_ON", "MEETS"]),
    st.sampled_from(["T1", "T2", "T3"]),
    st.sampled_from(["T4", "T5", "T6"]),
    st.floats(0.1, 1.0),
)


@given(st.lists(RELATIONS, max_size=12))
def test_what_is_left_out_is_excluded_by_something_at_least_as_likely_that_stays(relations: list[Relation]) -> None:
    kept = keep_consistent(relations, SCHEMA)
    for relation in relations:
        rivals = [
            other
            for other in kept
            if other.type == relation.type
            and (
                (relation.type == "HAS_RANK" and other.tail == relation.tail)
                or (relation.type == "HELD_ON" and other.head == relation.head)
            )
        ]
        assert len(rivals) <= 1
        assert relation in kept or (rivals and rivals[0].score >= relation.score)
    equal = keep_consistent([replace(relation, score=1.0) for relation in relations], SCHEMA)
    assert count_excluded(relations, SCHEMA) == len(relations) - len(equal) == len(relations) - len(kept)


def test_scores_do_not_say_how_many_labels_the_rules_exclude() -> None:
    days = [Relation("HELD_ON", "T1", "T2", 0.2), Relation("HELD_ON", "T1", "T3"), Relation("HELD_ON", "T1", "T4")]
    assert count_excluded([*days, Relation("MEETS", "T5", "T6"), Relation("MEETS", "T5", "T7")], SCHEMA) == 2
    assert count_excluded([], SCHEMA) == 0
