"""How unsure a model is of an article: what active learning chooses by (survey: Settles, 2009).

An article's labels are many decisions: the label of each word, and whether each possible fact holds. Their
uncertainties are added up and divided by the number of words: an article that is twice as long takes twice as long to
read, so what counts is how much there is to learn per word (length-normalised token entropy: Settles and Craven, 2008;
benefit for cost: Settles, Craven and Friedland, 2008). Words that are surely ``O`` add nothing to the sum.

Each decision is taken alone. Of a tagger with a CRF (``entities.crf``) it is the softmax over each word's own scores:
these are not the CRF's marginals, which know of the neighbours too, so a word that the learnt transitions settle can
count as unsure. Likewise two persons of whom only one can have a rank are two facts, each as unsure as its score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.document import Document, Mention, Relation
from pipeline.extractor import Extractor, MentionFinder
from pipeline.mentions.blend import BlendedTagger
from pipeline.mentions.decoding import Scores
from pipeline.mentions.tagger import Tagger
from pipeline.model import Model
from pipeline.relations.classifier import RelationClassifier
from pipeline.schema import Schema

Measure = Literal["entropy", "confidence", "margin"]
Probabilities = NDArray[np.float64]
PairKey = tuple[str, str, str]
"""Relation type, head and tail of a possible fact."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How unsure a model is of one article.

    Attributes:
        words: of the article.
        mentions: summed over its words, from each word's own scores (of a CRF not its marginals).
        facts: summed over the facts that are possible between its entities.
    """

    words: int
    mentions: float
    facts: float

    @property
    def per_word(self) -> float:
        """Both together, for each word that has to be read; 0 for an article without words."""
        return (self.mentions + self.facts) / self.words if self.words else 0.0

    @property
    def confidence(self) -> float:
        """``exp(-per_word)``: from 1 (sure) towards 0, the order turned round, for tools that sort by such a score."""
        return float(np.exp(-self.per_word))


def spread(probabilities: Probabilities, measure: Measure) -> Probabilities:
    """Uncertainty of each of several decisions.

    Args:
        probabilities: ``[decisions, choices]``, rows that sum to 1.
        measure: ``entropy`` in nats (Shannon, 1948), ``confidence``: what the likeliest choice leaves to the others
            (Lewis and Gale, 1994), or ``margin``: 1 less the distance of the two likeliest (Scheffer et al., 2001).

    Returns:
        ``[decisions]``, 0 where a choice is certain.
    """
    if not len(probabilities):
        return np.zeros(0)
    if measure == "entropy":
        logs = np.log(np.clip(probabilities, 1e-12, 1.0))
        found: Probabilities = -(probabilities * logs).sum(axis=1)
    else:
        best = np.sort(probabilities, axis=1)[:, ::-1]
        found = 1.0 - best[:, 0] + (best[:, 1] if measure == "margin" else 0.0)
    return np.maximum(found, 0.0)


def mention_uncertainty(scores: Scores, measure: Measure) -> float:
    """Summed over the words of an article.

    Args:
        scores: log probabilities ``[words, labels]``, each word's alone: with a CRF not its marginals.
    """
    return float(spread(np.exp(scores.astype(np.float64)), measure).sum())


def fact_uncertainty(document: Document, pairs: Sequence[Relation], schema: Schema, measure: Measure) -> float:
    """Summed over the possible facts of an article, each counted once however many pairs of mentions could carry it.

    Args:
        document: with its mentions linked to entities.
        pairs: every candidate pair of mentions, with its probability as score.
        schema: says which relations have no direction.
    """
    owner = {mention.id: mention.entity or mention.id for mention in document.mentions}
    best: dict[PairKey, float] = {}
    for pair in pairs:
        head, tail = owner[pair.head], owner[pair.tail]
        if schema.relations[pair.type].symmetric:
            head, tail = sorted((head, tail))
        if head != tail:
            best[pair.type, head, tail] = max(best.get((pair.type, head, tail), 0.0), pair.score)
    yes = np.array(list(best.values()), dtype=np.float64)
    return float(spread(np.stack([yes, 1.0 - yes], axis=1), measure).sum()) if best else 0.0


class _Mentions:
    """A tagger that remembers its scores."""

    def __init__(self, tagger: Tagger | BlendedTagger) -> None:
        self.tagger = tagger
        self.scores: list[Scores] = []

    def predict(self, documents: Sequence[Document]) -> list[list[Mention]]:
        found = self.tagger.predict_with_scores(documents)
        self.scores = [scores for _, scores in found]
        return [mentions for mentions, _ in found]


class _Relations:
    """A relation classifier that remembers the probability of every candidate."""

    def __init__(self, classifier: RelationClassifier) -> None:
        self.classifier = classifier
        self.pairs: list[list[Relation]] = []

    def predict(self, documents: Sequence[Document]) -> list[list[Relation]]:
        self.pairs = self.classifier.score(documents)
        return [self.classifier.select(pairs) for pairs in self.pairs]


class UncertainExtractor:
    """Extracts as the model does, and says how unsure it was of each article; the encoders run once.

    Args:
        measure: of each decision.
    """

    def __init__(self, model: Model, measure: Measure = "entropy") -> None:
        self.schema, self.measure = model.schema, measure
        self._mentions = _Mentions(model.mentions)
        self._relations = _Relations(model.relations) if model.relations else None
        mentions: MentionFinder = self._mentions
        self._extractor = Extractor(model.schema, model.splitter, mentions, self._relations)

    def extract(self, documents: Sequence[Document]) -> list[tuple[Document, Uncertainty]]:
        """Each document with everything found in it, and the model's uncertainty, in the order given."""
        found = self._extractor.extract(documents)
        pairs = self._relations.pairs if self._relations else [[] for _ in found]
        return [
            (
                document,
                Uncertainty(
                    len(document.words),
                    mention_uncertainty(scores, self.measure),
                    fact_uncertainty(document, candidates, self.schema, self.measure),
                ),
            )
            for document, scores, candidates in zip(found, self._mentions.scores, pairs, strict=True)
        ]
