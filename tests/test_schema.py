"""The schema file."""

from __future__ import annotations

import pytest

from pipeline.errors import ProblemsError
from pipeline.schema import RelationType, Schema, load_schema

GOOD = """name: small
entities: {PER: a person, ORG: an organisation}
relations:
  LEADS: {head: [PER], tail: [ORG]}
  MEETS: {head: [PER], tail: [PER], symmetric: true}
linking: {PER: person}
"""


def load(tmp_path, text: str) -> Schema:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return load_schema(path)


def test_types_and_labels_keep_the_order_of_the_file(tmp_path):
    schema = load(tmp_path, GOOD)
    assert schema.labels == ["O", "B-PER", "I-PER", "B-ORG", "I-ORG"]
    assert list(schema.relations) == ["LEADS", "MEETS"]
    assert (schema.name, schema.version) == ("small", 1)


def test_which_relations_may_join_two_types(tmp_path):
    schema = load(tmp_path, GOOD)
    assert schema.relations_between("PER", "ORG") == ["LEADS"]
    assert schema.relations_between("PER", "PER") == ["MEETS"]
    assert schema.relations_between("ORG", "PER") == []
    assert [r.symmetric for r in schema.relations.values()] == [False, True]


def test_types_are_linked_by_name_unless_said_otherwise(tmp_path):
    schema = load(tmp_path, GOOD)
    assert (schema.link_kind("PER"), schema.link_kind("ORG")) == ("person", "name")


def test_a_schema_without_relations(tmp_path):
    schema = load(tmp_path, "entities: {A: ''}\n")
    assert schema.relations == {}
    assert schema.labels == ["O", "B-A", "I-A"]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("name: x\n", ["entities is missing"]),
        ("entities: {}\n", ["entities: dictionary should have at least 1 item"]),
        (
            GOOD.replace("tail: [ORG]", "tail: [ORGG]").replace("linking: {PER", "linking: {PRE"),
            ["relations.LEADS.tail: ORGG is no entity type; linking: PRE is no entity type"],
        ),
        (GOOD.replace("linking: {PER: person}", "linking: {PER: family}"), ["linking.PER: input should be 'name'"]),
        (
            GOOD.replace("symmetric: true", "symetric: true"),
            ["unknown key relations.MEETS.symetric; did you mean symm"],
        ),
        (
            GOOD.replace("head: [PER], tail: [ORG]", "head: [], tail: ORG"),
            [
                "relations.LEADS.head: tuple should have at least 1 item",
                "relations.LEADS.tail: input should be a valid",
            ],
        ),
    ],
)
def test_mistakes_are_named(tmp_path, text, messages):
    with pytest.raises(ProblemsError) as raised:
        load(tmp_path, text)
    found = raised.value.problems
    assert len(found) == len(messages)
    for problem, message in zip(found, messages, strict=True):
        assert message in str(problem)
        assert problem.path.endswith("s.yaml")
        assert problem.line >= 1


def test_the_schema_of_the_repo(schema):
    assert len(schema.entities) == 9
    assert len(schema.relations) == 10
    assert len(schema.labels) == 19
    assert [name for name, relation in schema.relations.items() if relation.symmetric] == ["MEETS"]
    assert all(kind in schema.linking for kind in schema.entities)
    assert isinstance(schema.relations["MEETS"], RelationType)
