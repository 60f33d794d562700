"""Documents with mentions in, relations out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.config import RelationConfig, WindowConfig
from pipeline.document import Document, Relation
from pipeline.relations.candidates import Candidates, find_candidates, recall_lost
from pipeline.relations.consistency import keep_consistent
from pipeline.relations.encoding import RelationEncoder, RelationWindow
from pipeline.relations.linear import LinearPairs, Logits, sigmoid
from pipeline.schema import Schema
from pipeline.windows.pieces import WordTokenizer

_SURE = 10.0  # log odds of the network that must be enough to lift a pair above the threshold


class PairScorer(Protocol):
    """A pair classifier, whichever engine computes it.

    Attributes:
        first_marker: vocabulary id of the first marker.
    """

    first_marker: int

    def __call__(self, windows: Sequence[tuple[RelationWindow, Candidates]]) -> list[Logits]:
        """Log odds ``[pairs, relations]`` of the pairs of each window, in the order given.

        Args:
            windows: each with all candidates of its document.
        """


class RelationClassifier:
    """Finds relations between the mentions of a document.

    Args:
        scorer: a pair classifier, trained on the schema's types.
        tokenizer: of its encoder.
        linear: a linear classifier whose log odds are mixed with the network's as ``config.blend`` says (product of
            experts: Hinton, 2002); may be missing.
    """

    def __init__(
        self,
        scorer: PairScorer,
        tokenizer: WordTokenizer,
        schema: Schema,
        config: RelationConfig,
        windows: WindowConfig,
        *,
        linear: LinearPairs | None = None,
    ) -> None:
        self.scorer, self.tokenizer, self.schema, self.config = scorer, tokenizer, schema, config
        self.linear = linear
        self.encoder = RelationEncoder(tokenizer, schema, config.encoding, windows, scorer.first_marker)

    def predict(self, documents: Sequence[Document]) -> list[list[Relation]]:
        """Relations of each document above the threshold, between its mentions; sorted by head and tail position."""
        return [self.select(relations) for relations in self.score(documents, self.config.threshold)]

    def select(self, scored: Iterable[Relation]) -> list[Relation]:
        """Of the scored relations of one document those above the threshold that no likelier one excludes."""
        return keep_consistent((r for r in scored if r.score >= self.config.threshold), self.schema)

    def score(self, documents: Sequence[Document], least: float = 0.0) -> list[list[Relation]]:
        """Every relation that is possible between the mentions of each document, with its probability as score.

        Sorted by head and tail position; what the schema says of a relation as a whole is not minded.

        Args:
            least: leave out what is less probable.
        """
        found: list[Candidates] = []
        others: list[Logits | None] = []
        for document in documents:
            candidates, other = self._hopeful(document, least)
            found.append(candidates)
            others.append(other)
        owners: list[int] = []
        windows: list[tuple[RelationWindow, Candidates]] = []
        for index, (document, candidates) in enumerate(zip(documents, found, strict=True)):
            encoded, _ = self.encoder(document, candidates)
            owners += [index] * len(encoded)
            windows += [(window, candidates) for window in encoded]
        size = len(self.schema.relations)
        logits: list[Logits] = [np.full((len(candidates), size), np.nan, np.float32) for candidates in found]
        for index, (window, _), scores in zip(owners, windows, self.scorer(windows), strict=True):
            logits[index][window.candidates] = scores
        return [self._relations(*each, least) for each in zip(documents, found, logits, others, strict=True)]

    def out_of_reach(self, document: Document) -> tuple[int, int]:
        """Gold relations of a document that can never be found between its mentions.

        Returns:
            How many are no candidates (further apart than configured), and how many more no window holds whole.
        """
        candidates = find_candidates(document, self.schema, self.config)
        _, lost = self.encoder(document, candidates)
        ends = {
            frozenset((document.mentions[candidates[i].head].id, document.mentions[candidates[i].tail].id))
            for i in lost
        }
        far = recall_lost(document, self.schema, self.config)
        return len(far), sum(frozenset((relation.head, relation.tail)) in ends for relation in document.relations)

    def _hopeful(self, document: Document, least: float) -> tuple[Candidates, Logits | None]:
        """The candidates worth the network's look, and the linear classifier's log odds of them if it has a part.

        Half of all pairs are so unlikely by their features that the network would have to be surer than ``_SURE``.
        """
        candidates = find_candidates(document, self.schema, self.config)
        if self.linear is None or not self.config.blend:
            return candidates, None
        logits, share = self.linear.logits(document, candidates), self.config.blend
        if least <= 0:
            return candidates, logits
        needed = math.log(least / (1 - least)) if least < 1 else math.inf
        lifted = share * logits + (1 - share) * _SURE >= needed
        kept: NDArray[np.bool_] = np.any(lifted & candidates.allowed(logits.shape[1]), axis=1)
        return candidates.where(kept), logits[kept]

    def _relations(
        self, document: Document, candidates: Candidates, logits: Logits, other: Logits | None, least: float
    ) -> list[Relation]:
        """Relations of a document that are at least so probable.

        Args:
            logits: the network's, ``[candidates, relations]``, not a number where no window holds the candidate.
            other: the linear classifier's.
        """
        if other is not None:
            logits = (1 - self.config.blend) * logits + self.config.blend * other
        probabilities = sigmoid(logits).astype(np.float64)
        names, mentions = list(self.schema.relations), document.mentions
        chosen = (probabilities >= least) & candidates.allowed(len(names))
        pairs, kinds = np.nonzero(chosen)
        columns = candidates.heads[pairs], candidates.tails[pairs], kinds, probabilities[chosen]
        return [
            Relation(names[kind], mentions[head].id, mentions[tail].id, score)
            for head, tail, kind, score in zip(*(column.tolist() for column in columns), strict=True)
        ]
