"""Gold and predicted documents side by side, checked once before anything is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pipeline.document import Document, Mention
from pipeline.errors import Problem, ProblemsError
from pipeline.schema import Schema
from pipeline.text.normalise import normalise, tone_to_new

Pair = tuple[Document, Document]
"""The same article twice: as labelled by hand (gold), and as a system has it (predicted)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A relation with its mentions instead of their ids."""

    type: str
    head: Mention
    tail: Mention


def links(document: Document, schema: Schema) -> list[Link]:
    """The document's relations; a symmetric one has the mention that comes first in the text as its head."""
    mentions = {mention.id: mention for mention in document.mentions}
    found = []
    for relation in document.relations:
        head, tail = mentions[relation.head], mentions[relation.tail]
        if is_symmetric(schema, relation.type) and tail.span < head.span:
            head, tail = tail, head
        found.append(Link(relation.type, head, tail))
    return found


def is_symmetric(schema: Schema, relation_type: str) -> bool:
    """Whether the relation has no direction; a type that the schema does not know has one."""
    known = schema.relations.get(relation_type)
    return known is not None and known.symmetric


@lru_cache(maxsize=65536)
def normal_form(text: str) -> str:
    """The text as it is compared: NFC, one blank for any white space, case folded, tones in the new place."""
    return tone_to_new(" ".join(normalise(text).text.casefold().split()))


def check_pairs(pairs: Sequence[Pair]) -> None:
    """Refuse pairs that cannot be scored.

    Raises:
        ProblemsError: every article whose two texts differ, whose id comes twice, whose mentions lie outside the text
            or overlap (mentions are flat), or whose relations or facts name what is not there.
    """
    problems = []
    seen: set[str] = set()
    for gold, predicted in pairs:
        messages = []
        if gold.id in seen:
            messages.append("the article comes twice in one evaluation; give each article its own id")
        seen.add(gold.id)
        if gold.text != predicted.text:
            messages.append("gold and predicted text differ; predict on the gold article's own text")
        else:
            for side, document in (("gold", gold), ("predicted", predicted)):
                messages += [f"{side}: {message}" for message in _mistakes(document)]
        problems += [Problem(gold.id, 0, message) for message in messages]
    if problems:
        raise ProblemsError(problems)


def _mistakes(document: Document) -> Iterator[str]:
    """What is wrong inside one document."""
    ordered = sorted(document.mentions, key=lambda mention: (mention.start, mention.end))
    for mention in ordered:
        if not 0 <= mention.start < mention.end <= len(document.text):
            yield f"{mention.id} [{mention.start}, {mention.end}) is no span of the text"
    for first, second in pairwise(ordered):
        if second.start < first.end:
            yield f"{first.id} and {second.id} overlap at {second.start}; keep one of them"
    ids = {mention.id for mention in ordered}
    if len(ids) < len(ordered):
        yield "two mentions have the same id"
    yield from _entity_mistakes(document, ids)
    for relation in document.relations:
        for end in sorted({relation.head, relation.tail} - ids):
            yield f"{relation.type} names {end}, which is no mention"


def _entity_mistakes(document: Document, ids: set[str]) -> Iterator[str]:
    """Where entities, their mentions and facts do not fit together."""
    owner: dict[str, str] = {}
    for entity in document.entities:
        for member in entity.mentions:
            if member not in ids:
                yield f"entity {entity.id} names {member}, which is no mention"
            elif owner.setdefault(member, entity.id) != entity.id:
                yield f"{member} belongs to {owner[member]} and to {entity.id}"
    for mention in document.mentions:
        if mention.entity and owner.get(mention.id, mention.entity) != mention.entity:
            yield f"{mention.id} says that it belongs to {mention.entity}, but {owner[mention.id]} lists it"
    entities = {entity.id for entity in document.entities} | {mention.entity for mention in document.mentions}
    for fact in document.facts:
        for end in sorted({fact.head, fact.tail} - entities):
            yield f"{fact.type} names {end}, which is no entity"
