"""Where a run is in its input: a digest of what was read, and ids in memory of a fixed size."""

from __future__ import annotations

import pytest

from pipeline.document import Document
from pipeline.errors import Problem
from pipeline.inputs.records import Record
from pipeline.outputs import position
from pipeline.outputs.position import IdTable, InputPosition


def digest_of(*items: Record | Problem) -> str:
    here = InputPosition()
    for item in items:
        here.take(item)
    return here.digest


def article(identifier: str, text: str) -> Record:
    return Record(Document(identifier, text), "tin.jsonl", 1)


def test_the_digest_tells_any_change_and_any_shift():
    inputs = [
        (article("a", "bc"), article("d", "e")),
        (article("ab", "c"), article("d", "e")),
        (article("a", "bc"), article("de", "")),
        (article("d", "e"), article("a", "bc")),
        (article("a", "bc"), Problem("d", 0, "e")),
        (article("a", "bc"),),
    ]
    assert len({digest_of(*items) for items in inputs}) == len(inputs)
    assert digest_of(*inputs[0]) == digest_of(*inputs[0])


def test_every_repeated_id_is_known_and_no_new_one_is():
    table = IdTable()
    assert [table.add(f"tin-{number}") for number in range(20_000)] == [False] * 20_000
    assert all(table.add(f"tin-{number}") for number in range(0, 20_000, 7))


def test_false_alarms_are_as_rare_as_is_said(monkeypatch):
    monkeypatch.setattr(position, "_TABLE_BITS", 18)
    table = IdTable()
    alarms = sum(table.add(f"tin-{number}") for number in range(30_000))
    expected = sum((1 - 2.718281828 ** (-6 * number / 2**18)) ** 6 for number in range(30_000))
    assert expected == pytest.approx(alarms, rel=0.3)


def test_a_full_table_takes_all_for_new(monkeypatch):
    monkeypatch.setattr(position, "_CAPACITY", 3)
    table = IdTable()
    assert [table.add(name) for name in "aabbbb"] == [False, True, False, False, False, False]
    assert table.closed
