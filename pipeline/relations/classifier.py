"""Documents with mentions in, relations out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from pipeline.config import RelationConfig, WindowConfig
from pipeline.document import Document, Relation
from pipeline.relations.candidates import Candidate, find_candidates, recall_lost
from pipeline.relations.consistency import keep_consistent
from pipeline.relations.encoding import RelationEncoder, RelationWindow
from pipeline.relations.linear import LinearPairs, Logits, sigmoid
from pipeline.schema import Schema
from pipeline.windows.pieces import WordTokenizer


class PairScorer(Protocol):
    """A pair classifier, whichever engine computes it.

    Attributes:
        first_marker: vocabulary id of the first marker.
    """

    first_marker: int

    def __call__(self, windows: Sequence[tuple[RelationWindow, Sequence[Candidate]]]) -> list[Logits]:
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
        found = [find_candidates(document, self.schema, self.config) for document in documents]
        owners: list[int] = []
        windows: list[tuple[RelationWindow, Sequence[Candidate]]] = []
        for index, (document, candidates) in enumerate(zip(documents, found, strict=True)):
            encoded, _ = self.encoder(document, candidates)
            owners += [index] * len(encoded)
            windows += [(window, candidates) for window in encoded]
        second = self._second_opinions(documents, found)
        relations: list[list[tuple[int, int, Relation]]] = [[] for _ in documents]
        for index, (window, _), logits in zip(owners, windows, self.scorer(windows), strict=True):
            if second:
                logits = (1 - self.config.blend) * logits + self.config.blend * second[index][window.candidates]
            for number, row in zip(window.candidates, sigmoid(logits).tolist(), strict=True):
                relations[index] += self._relations(documents[index], found[index][number], row, least)
        return [[relation for _, _, relation in sorted(rows, key=lambda row: row[:2])] for rows in relations]

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

    def _second_opinions(self, documents: Sequence[Document], found: Sequence[Sequence[Candidate]]) -> list[Logits]:
        """The linear classifier's log odds of each document's candidates; empty when it has no part."""
        if self.linear is None or not self.config.blend:
            return []
        pairs = zip(documents, found, strict=True)
        return [self.linear.logits(document, candidates) for document, candidates in pairs]

    def _relations(
        self, document: Document, candidate: Candidate, probabilities: Sequence[float], least: float
    ) -> list[tuple[int, int, Relation]]:
        names = list(self.schema.relations)
        head, tail = document.mentions[candidate.head].id, document.mentions[candidate.tail].id
        return [
            (candidate.head, candidate.tail, Relation(names[index], head, tail, probabilities[index]))
            for index in candidate.relations
            if probabilities[index] >= least
        ]
