"""Every error of a system: what kind it is, of which type, and the sentences it stands in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.document import Mention
from pipeline.evaluation.entities import align
from pipeline.evaluation.facts import FactComparison, FactKey, compare_facts
from pipeline.evaluation.negatives import GIVEN, RAW, NegativeReadings, false_links
from pipeline.evaluation.pairs import Link, Pair, is_symmetric
from pipeline.evaluation.passages import Mark, Passage, passages, sentence_spans
from pipeline.evaluation.relations import RelationKey, relation_links
from pipeline.schema import Schema

ENTITY_KINDS = {
    "missed": "a gold mention that nothing found overlaps",
    "spurious": "a found mention that overlaps no gold one",
    "wrong type": "exact span, other type",
    "wrong boundary": "right type, other span",
    "wrong type and boundary": "another span of another type",
}
RELATION_KINDS = {
    "missed, ends found": "both mentions were found exactly, the relation between them was not",
    "missed, end not found": "at least one of its mentions was not found exactly",
    "missed, fact found elsewhere": "not found here, but between other mentions of the same entities",
    "wrong type": "the right two mentions under another relation",
    "wrong direction": "the right two mentions the wrong way round",
    "spurious, ends right": "both are gold mentions, no gold relation joins them",
    "spurious, end wrong": "at least one end is no gold mention",
    "repeat of a gold fact": "not in gold itself, but a fact that gold holds between other mentions",
}
FACT_KINDS = {
    "missed": "both entities were found, the fact was not",
    "missed, entity not found": "nothing found stands for at least one of its entities",
    "wrong type": "the right two entities under another relation",
    "wrong direction": "the right two entities the wrong way round",
    "spurious": "gold holds no such fact of these entities",
    "spurious, entity unknown": "at least one of its entities stands for no gold entity",
}
NEGATIVE_KINDS = {
    GIVEN: "entities that merely occur together were linked between the gold mentions",
    RAW: "entities that merely occur together were linked between mentions that the system found",
}


@dataclass(frozen=True, slots=True)
class Miss:
    """One error.

    Attributes:
        kind: a key of ``ENTITY_KINDS``, ``RELATION_KINDS``, ``FACT_KINDS`` or ``NEGATIVE_KINDS``.
        type: the gold type where there is a gold side, else the predicted one.
        article: id of the document.
        summary: the error in a few words.
        passages: the sentences, marked.
    """

    kind: str
    type: str
    article: str
    summary: str
    passages: tuple[Passage, ...]


class _Article:
    """One pair with what all its errors need."""

    def __init__(self, pair: Pair, schema: Schema) -> None:
        self.gold, self.predicted = pair
        self.schema = schema
        self.sentences = sentence_spans(self.gold if self.gold.words else self.predicted)
        self.by_start = {
            side: sorted(document.mentions, key=lambda mention: mention.start)
            for side, document in (("gold", self.gold), ("predicted", self.predicted))
        }
        self.others = [Mark(m.start, m.end, "other", m.type) for m in self.by_start["gold"]]

    def miss(self, kind: str, type_: str, summary: str, marks: Sequence[Mark]) -> Miss:
        return Miss(kind, type_, self.gold.id, summary, passages(self.gold.text, self.sentences, marks, self.others))


def entity_misses(pairs: Sequence[Pair], schema: Schema) -> list[Miss]:
    """Every mention that strict scoring counts as missed or wrong, each confused pair once."""
    return [miss for pair in pairs for miss in _entity_misses(_Article(pair, schema))]


def _entity_misses(article: _Article) -> Iterator[Miss]:
    for match in align(article.gold, article.predicted):
        if match.kind == "correct":
            continue
        marks = [
            Mark(mention.start, mention.end, side, f"{side} {mention.type}")
            for side, mention in (("gold", match.gold), ("predicted", match.predicted))
            if mention
        ]
        sides = [mention for mention in (match.gold, match.predicted) if mention]
        summary = " was found as ".join(_named(mention) for mention in sides)
        yield article.miss(match.kind, sides[0].type, summary, marks)


def _named(mention: Mention) -> str:
    return f"{mention.type} “{' '.join(mention.text.split())}”"


def relation_misses(pairs: Sequence[Pair], schema: Schema) -> list[Miss]:
    """Every relation that strict scoring counts as missed or wrong."""
    return [miss for pair in pairs for miss in _relation_misses(_Article(pair, schema))]


def _relation_misses(article: _Article) -> Iterator[Miss]:
    schema = article.schema
    golds, predictions = relation_links(article.gold, schema), relation_links(article.predicted, schema)
    facts = compare_facts(article.gold, article.predicted, schema)
    right_facts = facts.gold.keys() & facts.predicted.keys()
    wrong = {key: link for key, link in predictions.items() if key not in golds}
    found = {mention.span for mention in article.predicted.mentions}
    elsewhere = _carriers(facts.gold, right_facts, schema)
    for key, link in golds.items():
        if key in predictions:
            continue
        instead = _take_instead(key, wrong)
        if instead:
            kind = "wrong type" if instead.type != link.type else "wrong direction"
            yield _relation_miss(article, kind, link, "both", f", found as {_link_text(instead)}")
        elif key in elsewhere:
            yield _relation_miss(article, "missed, fact found elsewhere", link, "gold")
        else:
            ends_found = {link.head.span, link.tail.span} <= found
            yield _relation_miss(article, f"missed, {'ends' if ends_found else 'end not'} found", link, "gold")
    labelled = {mention.span for mention in article.gold.mentions}
    repeats = _carriers(facts.predicted, right_facts, schema)
    for key, link in wrong.items():
        ends_right = {link.head.span, link.tail.span} <= labelled
        kind = "repeat of a gold fact" if key in repeats else f"spurious, {'ends right' if ends_right else 'end wrong'}"
        yield _relation_miss(article, kind, link, "predicted")


def _take_instead(key: RelationKey, wrong: dict[RelationKey, Link]) -> Link | None:
    """Take a wrong prediction between the same two mentions out of ``wrong``."""
    instead = next((other for other in wrong if set(other[1:]) == set(key[1:])), None)
    return wrong.pop(instead) if instead else None


def _carriers(
    facts: Mapping[FactKey, list[tuple[Mention, Mention]]], right: set[FactKey], schema: Schema
) -> set[RelationKey]:
    """Relations of one side that carry a fact which both sides hold."""
    carriers = set()
    for fact in right:
        for first, second in facts[fact]:
            head, tail = first.span, second.span
            if is_symmetric(schema, fact[0]) and tail < head:
                head, tail = tail, head
            carriers.add((fact[0], head, tail))
    return carriers


def _relation_miss(article: _Article, kind: str, link: Link, side: str, note: str = "") -> Miss:
    marks = [
        Mark(mention.start, mention.end, side, f"{end} {mention.type}")
        for end, mention in (("head", link.head), ("tail", link.tail))
    ]
    return article.miss(kind, link.type, _link_text(link) + note, [*marks, *_in_place(article, link, side)])


def _in_place(article: _Article, link: Link, side: str) -> list[Mark]:
    """What the other side has where an end stands, when it is not the same mention."""
    if side == "both":
        return []
    other = "predicted" if side == "gold" else "gold"
    mentions = article.by_start[other]
    in_place = {}
    for end in (link.head, link.tail):
        index = bisect_left(mentions, end.end, key=lambda mention: mention.start) - 1
        while index >= 0 and mentions[index].end > end.start:  # mentions are flat: ends are in order too
            in_place[mentions[index].span] = mentions[index]
            index -= 1
    return [
        Mark(mention.start, mention.end, other, f"{other} {mention.type}")
        for span, mention in in_place.items()
        if span not in (link.head.span, link.tail.span)
    ]


def _link_text(link: Link) -> str:
    head, tail = (" ".join(mention.text.split()) for mention in (link.head, link.tail))
    return f"{head} —{link.type}→ {tail}"


def fact_misses(pairs: Sequence[Pair], schema: Schema) -> list[Miss]:
    """Every fact that article-level scoring counts as missed or wrong."""
    return [miss for pair in pairs for miss in _fact_misses(_Article(pair, schema))]


def _fact_misses(article: _Article) -> Iterator[Miss]:
    facts = compare_facts(article.gold, article.predicted, article.schema)
    wrong = [key for key in facts.predicted if key not in facts.gold]
    for key in facts.gold:
        if key in facts.predicted:
            continue
        instead = next((other for other in wrong if {other[1], other[2]} == {key[1], key[2]}), None)
        if instead:
            wrong.remove(instead)
            kind = "wrong type" if instead[0] != key[0] else "wrong direction"
            yield _fact_miss(article, kind, key, facts, "both", f", found as {_fact_text(instead, facts)}")
        else:
            both_found = {key[1], key[2]} <= facts.found
            yield _fact_miss(article, "missed" if both_found else "missed, entity not found", key, facts, "gold")
    for key in wrong:
        known = key[1][0] == key[2][0] == "gold"
        yield _fact_miss(article, "spurious" if known else "spurious, entity unknown", key, facts, "predicted")


def _fact_miss(article: _Article, kind: str, key: FactKey, facts: FactComparison, side: str, note: str = "") -> Miss:
    evidence = (facts.predicted if side == "predicted" else facts.gold)[key]
    marks = [
        Mark(mention.start, mention.end, side, f"{end} {mention.type}")
        for end, mention in zip(("head", "tail"), evidence[0] if evidence else (), strict=False)
    ]
    return article.miss(kind, key[0], _fact_text(key, facts) + note, marks)


def _fact_text(key: FactKey, facts: FactComparison) -> str:
    head, tail = (" ".join(facts.names[entity].split()) for entity in key[1:])
    return f"{head} —{key[0]}→ {tail}"


def negative_misses(readings: NegativeReadings, system: str, schema: Schema) -> list[Miss]:
    """Every hard negative that the system linked, once for each way of reading, with why it tempts."""
    return [
        miss
        for kind, articles in readings.of(system).items()
        for pair in articles
        for miss in _negative_misses(_Article(pair, schema), kind, readings)
    ]


def _negative_misses(article: _Article, kind: str, readings: NegativeReadings) -> Iterator[Miss]:
    pairs = readings.pairs[article.gold.id]
    for pair, link in false_links(article.gold, article.predicted, pairs, article.schema):
        yield _relation_miss(article, kind, link, "predicted", f" ({pair.reason})")


@dataclass(frozen=True, slots=True)
class MissGroup:
    """Errors of one kind and one type, in the order of the articles."""

    kind: str
    type: str
    misses: tuple[Miss, ...]


def group_misses(misses: Iterable[Miss], kinds: Iterable[str], types: Iterable[str]) -> list[MissGroup]:
    """Group errors by kind, then by type, in the orders given; types not given come last."""
    groups: dict[tuple[str, str], list[Miss]] = {}
    for miss in misses:
        groups.setdefault((miss.kind, miss.type), []).append(miss)
    kind_order = {kind: index for index, kind in enumerate(kinds)}
    type_order = {kind: index for index, kind in enumerate(types)}

    def order(key: tuple[str, str]) -> tuple[int, int, str]:
        return kind_order[key[0]], type_order.get(key[1], len(type_order)), key[1]

    return [MissGroup(*key, tuple(groups[key])) for key in sorted(groups, key=order)]
