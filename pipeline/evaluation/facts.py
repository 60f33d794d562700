"""Fact scores at article level: the set of (head entity, relation, tail entity), each once an article.

A predicted entity counts as the gold entity whose mentions include its text (annotation guidelines, section 4). Facts
are compared after that step, as sets: predictions that become the same fact count once, right or wrong, and a fact with
an entity that stands for no gold one is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.document import Document, Mention
from pipeline.evaluation.counts import TypeCounts, count_sets
from pipeline.evaluation.pairs import is_symmetric, links, normal_form
from pipeline.schema import Schema

EntityKey = tuple[str, str]
"""``("gold", id)``, or ``("predicted", id)`` for an entity that stands for no gold one."""
FactKey = tuple[str, EntityKey, EntityKey]
Evidence = list[tuple[Mention, Mention]]


@dataclass(slots=True)
class Group:
    """An entity with its mentions at hand, in text order."""

    id: str
    type: str
    name: str
    mentions: list[Mention] = field(default_factory=list)

    @property
    def start(self) -> int:
        return self.mentions[0].start if self.mentions else -1


def entity_groups(document: Document) -> dict[str, Group]:
    """Entities by id, from ``document.entities`` and from the mentions' ``entity``.

    A mention that belongs to no entity is one of its own, with its own id after a ``#``.
    """
    groups = {entity.id: Group(entity.id, entity.type, entity.name) for entity in document.entities}
    owner = {mention: entity.id for entity in document.entities for mention in entity.mentions}
    for mention in sorted(document.mentions, key=lambda m: m.span):
        key = owner.get(mention.id) or mention.entity or f"#{mention.id}"
        groups.setdefault(key, Group(key, mention.type, mention.text)).mentions.append(mention)
    return groups


def resolve_entities(gold: Mapping[str, Group], predicted: Mapping[str, Group]) -> dict[str, str]:
    """Predicted entity id → the gold entity it stands for; those that stand for none are left out.

    A gold entity of the same type is taken: the one with most mentions of exactly the same spans, or, when no span is
    shared, the one that has most of the predicted mentions' texts (or the predicted name) among its own. Of equals, the
    one that comes first in the text.
    """
    by_span = {mention.span: group for group in gold.values() for mention in group.mentions}
    by_text: dict[tuple[str, str], list[Group]] = {}
    for group in gold.values():
        for text in sorted({normal_form(mention.text) for mention in group.mentions}):
            by_text.setdefault((group.type, text), []).append(group)
    resolved = {}
    for key, group in predicted.items():
        spans = [by_span[m.span] for m in group.mentions if m.span in by_span and by_span[m.span].type == group.type]
        texts = [normal_form(mention.text) for mention in group.mentions]
        same = spans or [found for text in texts for found in by_text.get((group.type, text), ())]
        best = _most_frequent(same or by_text.get((group.type, normal_form(group.name)), ()))
        if best:
            resolved[key] = best.id
    return resolved


def _most_frequent(groups: Sequence[Group]) -> Group | None:
    found = {group.id: group for group in groups}
    votes = Counter(group.id for group in groups)
    return min(found.values(), key=lambda group: (-votes[group.id], group.start, group.id), default=None)


def document_facts(document: Document, schema: Schema) -> dict[tuple[str, str, str], Evidence]:
    """(type, head entity id, tail entity id) → mention pairs: the document's facts, or where none are stored, what its
    relations say of its entities."""
    facts: dict[tuple[str, str, str], Evidence] = {}
    if document.facts:
        mentions = {mention.id: mention for mention in document.mentions}
        for fact in document.facts:
            pairs = [(mentions[a], mentions[b]) for a, b in fact.evidence if a in mentions and b in mentions]
            facts.setdefault((fact.type, fact.head, fact.tail), []).extend(pairs)
        return facts
    owner = {mention.id: key for key, group in entity_groups(document).items() for mention in group.mentions}
    for link in links(document, schema):
        facts.setdefault((link.type, owner[link.head.id], owner[link.tail.id]), []).append((link.head, link.tail))
    return facts


@dataclass(frozen=True, slots=True)
class FactComparison:
    """The facts of both sides in the same terms, with their evidence on each side.

    Attributes:
        names: the name to show for every entity that a fact names.
        found: gold entities that some predicted entity stands for.
    """

    gold: dict[FactKey, Evidence]
    predicted: dict[FactKey, Evidence]
    names: dict[EntityKey, str]
    found: frozenset[EntityKey]


def compare_facts(gold: Document, predicted: Document, schema: Schema) -> FactComparison:
    """Resolve the predicted entities of one article and bring the facts of both sides together."""
    gold_groups, predicted_groups = entity_groups(gold), entity_groups(predicted)
    resolved = resolve_entities(gold_groups, predicted_groups)
    predicted_keys: dict[str, EntityKey] = {
        key: ("gold", resolved[key]) if key in resolved else ("predicted", key) for key in predicted_groups
    }
    names = {("gold", key): group.name for key, group in gold_groups.items()}
    names |= {("predicted", key): group.name for key, group in predicted_groups.items()}
    return FactComparison(
        _keyed(document_facts(gold, schema), {key: ("gold", key) for key in gold_groups}, schema),
        _keyed(document_facts(predicted, schema), predicted_keys, schema),
        names,
        frozenset(("gold", key) for key in resolved.values()),
    )


def _keyed(
    facts: Mapping[tuple[str, str, str], Evidence], keys: Mapping[str, EntityKey], schema: Schema
) -> dict[FactKey, Evidence]:
    keyed: dict[FactKey, Evidence] = {}
    for (kind, head, tail), evidence in facts.items():
        ends = (keys[head], keys[tail])
        first, second = sorted(ends) if is_symmetric(schema, kind) else ends
        keyed.setdefault((kind, first, second), []).extend(evidence)
    return keyed


def fact_counts(gold: Document, predicted: Document, schema: Schema) -> TypeCounts:
    """Counts of one article by relation type."""
    facts = compare_facts(gold, predicted, schema)
    return count_sets(facts.gold.keys(), facts.predicted.keys(), lambda key: key[0])
