"""What the schema says of a relation as a whole: whose rank it is can have only one answer."""

from __future__ import annotations

from collections.abc import Iterable

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
