"""All scores of one system on a set of articles, and the differences between two systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from pipeline.config import EvaluationConfig
from pipeline.errors import QuanheError
from pipeline.evaluation import entities, facts, relations
from pipeline.evaluation.bootstrap import Bootstrap, Difference
from pipeline.evaluation.counts import Counts, TypeCounts, micro, total
from pipeline.evaluation.negatives import NegativeScores
from pipeline.evaluation.pairs import Pair, check_pairs
from pipeline.schema import Schema

DEFAULT_SEED = 13


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Score(_Result):
    """Precision, recall and F1 in [0, 1], ``None`` where undefined, with the counts they come from.

    Attributes:
        low, high: the bootstrap interval of F1.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    tp: int
    predicted: int
    gold: int
    low: float | None = None
    high: float | None = None


class Table(_Result):
    """One measure: over all types, by type, and the counts of each article.

    Attributes:
        types: every type of the schema in its order, then foreign ones.
        articles: article id → (true positives, predicted, gold).
    """

    micro: Score
    types: dict[str, Score]
    articles: dict[str, tuple[int, int, int]]


class EntityScores(_Result):
    """See ``pipeline.evaluation.entities``; ``confusion`` is gold type → predicted type → number."""

    strict: Table
    partial: Table
    spans: Score
    confusion: dict[str, dict[str, int]]


class RelationScores(_Result):
    """Mention-level scores; ``unseen`` is left out when nothing is known of the training pairs."""

    strict: Table
    unseen: Score | None = None


class Scores(_Result):
    """Everything that is measured of one system.

    Attributes:
        relations: on the mentions that the system itself found; ``None`` when the schema has no relations.
        relations_on_gold: the same with gold mentions given to the relation stage, when that was run.
        facts: article level; ``None`` when the schema has no relations.
        negatives: false relations on hard negatives, in articles of their own; ``None`` when there are none.
    """

    articles: int
    entities: EntityScores
    relations: RelationScores | None = None
    relations_on_gold: RelationScores | None = None
    facts: Table | None = None
    negatives: NegativeScores | None = None


def score_system(
    pairs: Sequence[Pair],
    schema: Schema,
    settings: EvaluationConfig,
    *,
    seen_pairs: relations.SeenPairs | None = None,
    on_gold: Sequence[Pair] | None = None,
    negatives: NegativeScores | None = None,
    seed: int = DEFAULT_SEED,
) -> Scores:
    """Score one system.

    Args:
        pairs: every article as labelled and as predicted.
        schema: order of the types, and which relations have no direction.
        settings: of the bootstrap.
        seen_pairs: name pairs of the training documents (``relations.collect_seen_pairs``); as a mapping from article
            id when the articles were read by models of different folds.
        on_gold: the same articles with relations predicted between gold mentions.
        negatives: the system's false relations (``negatives.score_negatives``), taken over as they are.
        seed: of the bootstrap.

    Raises:
        ProblemsError: the pairs cannot be scored; see ``check_pairs``.
        QuanheError: ``seen_pairs`` lacks an article.
    """
    scorer = _Scorer(pairs, schema, settings, seed)
    with_relations = bool(schema.relations)
    if on_gold is not None:
        on_gold = _same_order(on_gold, [gold.id for gold, _ in pairs])
    return Scores(
        articles=len(pairs),
        entities=scorer.entity_scores(),
        relations=scorer.relation_scores(pairs, seen_pairs) if with_relations else None,
        relations_on_gold=scorer.relation_scores(on_gold, seen_pairs) if with_relations and on_gold else None,
        facts=scorer.fact_scores() if with_relations else None,
        negatives=negatives,
    )


class _Scorer:
    """The articles of one evaluation with the one bootstrap that all their scores share."""

    def __init__(self, pairs: Sequence[Pair], schema: Schema, settings: EvaluationConfig, seed: int) -> None:
        check_pairs(pairs)
        self.pairs = pairs
        self.schema = schema
        self.ids = [gold.id for gold, _ in pairs]
        self.bootstrap = Bootstrap(len(pairs), settings, seed)

    def entity_scores(self) -> EntityScores:
        types = list(self.schema.entities)
        strict = self._table([entities.strict_counts(*pair) for pair in self.pairs], types)
        by_seqeval = dict(zip(("precision", "recall", "f1"), entities.seqeval_scores(self.pairs), strict=True))
        defined = {name: value for name, value in by_seqeval.items() if getattr(strict.micro, name) is not None}
        return EntityScores(
            strict=strict.model_copy(update={"micro": strict.micro.model_copy(update=defined)}),
            partial=self._table([entities.partial_counts(*pair) for pair in self.pairs], types),
            spans=self._score([entities.span_counts(*pair) for pair in self.pairs]),
            confusion=entities.confusion(match for pair in self.pairs for match in entities.align(*pair)),
        )

    def relation_scores(self, pairs: Sequence[Pair], seen: relations.SeenPairs | None) -> RelationScores:
        counts = [relations.relation_counts(gold, predicted, self.schema) for gold, predicted in pairs]
        return RelationScores(
            strict=self._table(counts, list(self.schema.relations)),
            unseen=None if seen is None else self._score(self._unseen(pairs, seen)),
        )

    def _unseen(self, pairs: Sequence[Pair], seen: relations.SeenPairs) -> list[Counts]:
        try:
            return [
                relations.unseen_counts(gold, predicted, self.schema, relations.seen_for(seen, gold.id))
                for gold, predicted in pairs
            ]
        except KeyError as error:
            raise QuanheError(f"{error.args[0]}: the training pairs of this article's fold are not given") from error

    def fact_scores(self) -> Table:
        counts = [facts.fact_counts(gold, predicted, self.schema) for gold, predicted in self.pairs]
        return self._table(counts, list(self.schema.relations))

    def _table(self, counts: Sequence[TypeCounts], types: Sequence[str]) -> Table:
        foreign = sorted({kind for article in counts for kind in article} - set(types))
        sums = [micro(article) for article in counts]
        return Table(
            micro=self._score(sums),
            types={kind: self._score([c.get(kind, Counts()) for c in counts]) for kind in [*types, *foreign]},
            articles={key: (c.tp, c.predicted, c.gold) for key, c in zip(self.ids, sums, strict=True)},
        )

    def _score(self, articles: Sequence[Counts]) -> Score:
        counts = total(articles)
        low, high = self.bootstrap.interval(articles) or (None, None)
        return Score(
            precision=counts.precision,
            recall=counts.recall,
            f1=counts.f1,
            tp=counts.tp,
            predicted=counts.predicted,
            gold=counts.gold,
            low=low,
            high=high,
        )


def _same_order(pairs: Sequence[Pair], ids: Sequence[str]) -> list[Pair]:
    """The pairs in the order of the ids.

    Raises:
        ProblemsError: they cannot be scored.
        QuanheError: they are of other articles.
    """
    check_pairs(pairs)
    by_id = {gold.id: (gold, predicted) for gold, predicted in pairs}
    _need_same_articles(by_id, ids)
    return [by_id[key] for key in ids]


def compare(
    first: Scores, second: Scores, settings: EvaluationConfig, seed: int = DEFAULT_SEED
) -> dict[str, Difference]:
    """The first system's F1 minus the second's, paired by article, for each measure that both have.

    Raises:
        QuanheError: the two were scored on different articles.
    """
    seconds = main_tables(second)
    differences = {}
    for name, table in main_tables(first).items():
        if name in seconds:
            other = seconds[name].articles
            _need_same_articles(table.articles, list(other))
            ours, theirs = ([Counts(*articles[key]) for key in table.articles] for articles in (table.articles, other))
            differences[name] = Bootstrap(len(ours), settings, seed).difference(ours, theirs)
    return differences


def main_tables(scores: Scores) -> dict[str, Table]:
    """The tables that systems are compared by, under the names that reports use."""
    tables = {"entities": scores.entities.strict}
    if scores.relations:
        tables["relations"] = scores.relations.strict
    if scores.relations_on_gold:
        tables["relations on gold entities"] = scores.relations_on_gold.strict
    if scores.facts:
        tables["facts"] = scores.facts
    return tables


def _need_same_articles(articles: Mapping[str, object], ids: Sequence[str]) -> None:
    odd = sorted(set(articles) ^ set(ids))
    if odd:
        raise QuanheError(f"systems must be scored on the same articles; only one side has {', '.join(odd[:5])}")
