"""Relations between mentions → facts between entities."""

from __future__ import annotations

from pipeline.document import Document, Fact, Relation
from pipeline.errors import QuanheError
from pipeline.facts.linking import link_entities
from pipeline.schema import Schema


def complete(document: Document, schema: Schema) -> None:
    """Fill ``entities`` and ``facts`` of a document whose mentions and relations are there."""
    link_entities(document, schema)
    build_facts(document, schema)


def build_facts(document: Document, schema: Schema) -> None:
    """Fill ``Document.facts``: each relation type once for each pair of entities.

    A fact's score is the highest of its mention pairs, so a fact stated once clearly is not made doubtful by pairs
    further apart; the evidence lists every pair, the best first. The head of a symmetric relation is the entity of the
    earlier mention in the first pair that carries it. A relation inside one entity makes no fact. Facts stand in the
    order in which their first relation does.

    Args:
        document: its mentions carry entity ids (see ``link_entities``); ``facts`` is replaced.
        schema: says which relations are symmetric.

    Raises:
        QuanheError: a relation names a mention that the document does not have, or mentions are not linked yet.
    """
    starts = {mention.id: (mention.start, mention.end) for mention in document.mentions}
    entities = {mention.id: mention.entity for mention in document.mentions}
    found: dict[tuple[str, str, str], list[Relation]] = {}
    for relation in document.relations:
        for mention_id in (relation.head, relation.tail):
            if not entities.get(mention_id):
                reason = "is not linked to an entity" if mention_id in entities else "does not exist"
                raise QuanheError(f"{document.id}: mention {mention_id} of a {relation.type} relation {reason}")
        definition = schema.relations.get(relation.type)
        if definition and definition.symmetric and starts[relation.tail] < starts[relation.head]:
            relation = Relation(relation.type, relation.tail, relation.head, relation.score)
        head, tail = entities[relation.head], entities[relation.tail]
        if head == tail:
            continue
        if definition and definition.symmetric and (relation.type, tail, head) in found:
            head, tail = tail, head
        found.setdefault((relation.type, head, tail), []).append(relation)
    document.facts = [_fact(key, pairs, starts) for key, pairs in found.items()]


def _fact(key: tuple[str, str, str], pairs: list[Relation], starts: dict[str, tuple[int, int]]) -> Fact:
    best: dict[tuple[str, str], float] = {}
    for pair in pairs:
        ids = (pair.head, pair.tail)
        best[ids] = max(best.get(ids, pair.score), pair.score)
    evidence = sorted(best, key=lambda ids: (-best[ids], starts[ids[0]], starts[ids[1]]))
    return Fact(*key, score=best[evidence[0]], evidence=tuple(evidence))
