"""False relations on hard negatives: how often a system links two entities that merely occur together.

The pairs were written down beside held-back articles, before any system read them (``pipeline.data.negatives``), so
their number does not depend on a system. A share near 0 alone says little, since a system that links nothing has it:
read it beside the recall of relations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist

from pydantic import BaseModel, ConfigDict

from pipeline.document import Document
from pipeline.evaluation.bootstrap import Interval
from pipeline.evaluation.facts import entity_groups
from pipeline.evaluation.pairs import Link, Pair, check_pairs, is_symmetric, links
from pipeline.negatives import NegativePair
from pipeline.schema import Schema

GIVEN = "gold mentions given"
RAW = "from raw text"


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(_Result):
    """How many of the pairs were linked; ``rate`` and its Wilson interval are ``None`` without pairs."""

    pairs: int
    false: int
    rate: float | None
    low: float | None = None
    high: float | None = None


class FalseLink(_Result):
    """A pair that was linked although the article keeps it apart; ``head`` and ``tail`` are gold mention ids."""

    article: str
    type: str
    head: str
    tail: str
    reason: str


class FalseRelations(_Result):
    """One way of reading: over all pairs, by relation type in the schema's order, and the pairs that were linked.

    Attributes:
        found: over the pairs that could be linked at all: of both entities some mention was found with its exact edges.
    """

    micro: Rate
    found: Rate
    types: dict[str, Rate]
    linked: list[FalseLink]


class NegativeScores(_Result):
    """A system on the hard negatives, with the gold mentions given and from raw text."""

    given: FalseRelations
    raw: FalseRelations

    @property
    def by_reading(self) -> dict[str, FalseRelations]:
        """Under the names that reports use."""
        return {GIVEN: self.given, RAW: self.raw}


@dataclass(slots=True)
class NegativeReadings:
    """The held-back articles as the systems read them.

    Attributes:
        pairs: article id → its hard negatives.
        given, raw: system → every article as labelled and as predicted, between the gold mentions and from raw text.
    """

    pairs: dict[str, tuple[NegativePair, ...]] = field(default_factory=dict)
    given: dict[str, list[Pair]] = field(default_factory=dict)
    raw: dict[str, list[Pair]] = field(default_factory=dict)

    def of(self, system: str) -> dict[str, list[Pair]]:
        """A system's articles by the names of the two ways of reading."""
        return {GIVEN: self.given[system], RAW: self.raw[system]}


def wilson_interval(successes: int, trials: int, confidence: float) -> Interval | None:
    """The score interval of a share (Wilson, 1927, J. Am. Stat. Assoc. 22:209-212); ``None`` without trials.

    Unlike the bootstrap it has a width when nothing or everything was counted. It takes the trials for independent;
    pairs of one article are not quite, so it is rather too narrow.

    Args:
        confidence: in (0, 1), e.g. 0.95.
    """
    if not trials:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    centre = share + z * z / (2 * trials)
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # At the ends the bounds are exactly 0 and 1; rounding may miss them.
    low = (centre - half) / scale if successes else 0.0
    high = (centre + half) / scale if successes < trials else 1.0
    return low, high


def false_links(
    gold: Document, predicted: Document, pairs: Sequence[NegativePair], schema: Schema
) -> Iterator[tuple[NegativePair, Link]]:
    """The pairs of one article that a system linked, each with one of the relations that link it.

    A pair is linked when a predicted relation of its type leads from any mention of the head's gold entity to any of
    the tail's, in either order when the relation is symmetric. All mention pairs that carry a predicted fact count, not
    only the one that stands for it in ``Document.relations``. A predicted mention stands for the gold mention with the
    same start and end, whatever its type.

    Left out, and so never false here: links at mentions that the system cut otherwise than the labels do, links between
    spans that are no gold mention, and what a wrong entity link makes of a relation between other mentions. Read from
    raw text, a system that misses a mention therefore has fewer chances to be wrong; ``FalseRelations.found`` is the
    share without that advantage.

    Args:
        pairs: their ids are mentions of ``gold``.
    """
    groups = entity_groups(gold)
    by_span = {(m.start, m.end): key for key, group in groups.items() for m in group.mentions}
    by_id = {m.id: key for key, group in groups.items() for m in group.mentions}
    found: dict[tuple[str, ...], Link] = {}
    for link in _predicted_links(predicted, schema):
        ends = [by_span.get((mention.start, mention.end)) for mention in (link.head, link.tail)]
        if ends[0] and ends[1]:
            found.setdefault(_key(link.type, ends[0], ends[1], schema), link)
    for pair in pairs:
        key = _key(pair.type, by_id[pair.head], by_id[pair.tail], schema)
        if key in found:
            yield pair, found[key]


def ends_found(gold: Document, predicted: Document, pairs: Sequence[NegativePair]) -> int:
    """How many pairs have of both entities a mention whose start and end the system found."""
    spans = {(mention.start, mention.end) for mention in predicted.mentions}
    found = {
        mention.id
        for group in entity_groups(gold).values()
        if any((member.start, member.end) in spans for member in group.mentions)
        for mention in group.mentions
    }
    return sum({pair.head, pair.tail} <= found for pair in pairs)


def _predicted_links(document: Document, schema: Schema) -> Iterator[Link]:
    """What stands in ``relations``, then every mention pair that carries a fact."""
    yield from links(document, schema)
    mentions = {mention.id: mention for mention in document.mentions}
    for fact in document.facts:
        for head, tail in fact.evidence:
            yield Link(fact.type, mentions[head], mentions[tail])


def _key(kind: str, head: str, tail: str, schema: Schema) -> tuple[str, ...]:
    return (kind, *(sorted((head, tail)) if is_symmetric(schema, kind) else (head, tail)))


def score_negatives(readings: NegativeReadings, system: str, schema: Schema, confidence: float) -> NegativeScores:
    """Count the false relations of one system.

    Args:
        confidence: of the Wilson intervals.

    Raises:
        ProblemsError: the articles cannot be scored; see ``check_pairs``.
    """
    given, raw = (_count(articles, readings.pairs, schema, confidence) for articles in readings.of(system).values())
    return NegativeScores(given=given, raw=raw)


def _count(
    articles: Sequence[Pair], pairs: Mapping[str, Sequence[NegativePair]], schema: Schema, confidence: float
) -> FalseRelations:
    check_pairs(articles)
    linked = [
        FalseLink(article=gold.id, type=pair.type, head=pair.head, tail=pair.tail, reason=pair.reason)
        for gold, predicted in articles
        for pair, _ in false_links(gold, predicted, pairs[gold.id], schema)
    ]
    asked = [pair.type for gold, _ in articles for pair in pairs[gold.id]]
    told = [link.type for link in linked]
    return FalseRelations(
        micro=_rate(len(told), len(asked), confidence),
        found=_rate(len(told), sum(ends_found(*pair, pairs[pair[0].id]) for pair in articles), confidence),
        types={kind: _rate(told.count(kind), asked.count(kind), confidence) for kind in schema.relations},
        linked=linked,
    )


def _rate(false: int, pairs: int, confidence: float) -> Rate:
    low, high = wilson_interval(false, pairs, confidence) or (None, None)
    return Rate(pairs=pairs, false=false, rate=false / pairs if pairs else None, low=low, high=high)
