"""What the schema says of a relation as a whole: whose rank it is can have only one answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.document import Relation
from pipeline.schema import Schema


def keep_consistent(relations: Iterable[Relation], schema: Schema) -> list[Relation]:
    """Relations without those that a likelier one excludes (``one_head``, ``one_tail``), in the order given.

    Of equal scores the earlier relation stays.
    """
    relations = list(relations)
    taken: set[tuple[str, str, str]] = set()
    kept: set[int] = set()
    for index in sorted(range(len(relations)), key=lambda i: -relations[i].score):
        relation, rule = relations[index], schema.relations[relations[index].type]
        claims = [(relation.type, "tail", relation.tail)] if rule.one_head else []
        claims += [(relation.type, "head", relation.head)] if rule.one_tail else []
        if taken.isdisjoint(claims):
            taken.update(claims)
            kept.add(index)
    return [relation for index, relation in enumerate(relations) if index in kept]


def count_excluded(relations: Iterable[Relation], schema: Schema) -> int:
    """How many of a document's relations ``keep_consistent`` must leave out though all are right, whatever the scores.

    Of labels that exclude each other one can be found. (A type with both rules may lose more than are counted.)
    """
    equal = [replace(relation, score=1.0) for relation in relations]
    return len(equal) - len(keep_consistent(equal, schema))
