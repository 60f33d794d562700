"""The baseline: mentions that stand nearest to each other are related."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config import RelationConfig
from pipeline.document import Document, Relation
from pipeline.relations.candidates import Candidate, find_candidates
from pipeline.schema import Schema


class NearestPairRules:
    """Relates a head and a tail in one sentence when each is the nearest of its type to the other."""

    def __init__(self, schema: Schema, config: RelationConfig) -> None:
        self.schema = schema
        self.config = config.model_copy(update={"max_sentences": 0})

    def predict(self, documents: Sequence[Document]) -> list[list[Relation]]:
        """Relations of each document, between its mentions; every score is 1."""
        return [self._predict_one(document) for document in documents]

    def _predict_one(self, document: Document) -> list[Relation]:
        candidates = find_candidates(document, self.schema, self.config)
        nearest: dict[tuple[int, int, str], Candidate] = {}
        for candidate in candidates:
            for relation in candidate.relations:
                for side, own, other in _sides(document, candidate):
                    key = (relation, own, f"{side} {document.mentions[other].type}")
                    if key not in nearest or _gap(document, candidate) < _gap(document, nearest[key]):
                        nearest[key] = candidate
        names = list(self.schema.relations)
        return [
            Relation(names[relation], document.mentions[candidate.head].id, document.mentions[candidate.tail].id)
            for candidate in candidates
            for relation in candidate.relations
            if all(
                nearest[(relation, own, f"{side} {document.mentions[other].type}")] == candidate
                for side, own, other in _sides(document, candidate)
            )
        ]


def _sides(document: Document, candidate: Candidate) -> tuple[tuple[str, int, int], tuple[str, int, int]]:
    return ("tail", candidate.head, candidate.tail), ("head", candidate.tail, candidate.head)


def _gap(document: Document, candidate: Candidate) -> int:
    """Characters between the two mentions."""
    head, tail = document.mentions[candidate.head], document.mentions[candidate.tail]
    return max(tail.start - head.end, head.start - tail.end)
