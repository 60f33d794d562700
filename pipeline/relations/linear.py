"""A linear pair classifier on hand-made features: a second opinion beside the encoder's, and a baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from pipeline.config import LinearConfig, RelationConfig
from pipeline.document import Document, Relation
from pipeline.errors import QuanheError
from pipeline.relations.candidates import FEATURE_SIZES, Candidates, find_candidates
from pipeline.relations.consistency import keep_consistent
from pipeline.relations.pair_features import BUCKETS, Feature, Numbers, PairFeatures, shape_features
from pipeline.schema import Schema

LINEAR_FILE = "linear.safetensors"
_MAX_SHAPES = 65_536  # whose sums are kept, some 10 MB; then all are forgotten

Logits = NDArray[np.float32]


def sigmoid(logits: Logits) -> Logits:
    """Probabilities of log odds."""
    result: Logits = (1 / (1 + np.exp(-np.clip(logits, -60.0, 60.0)))).astype(np.float32)
    return result


class LinearPairs:
    """Scores pairs by the sum of their features' weights, a logistic regression for each relation.

    Args:
        types: entity types, in the schema's order.
        buckets: features that have weights, ``[n]``.
        weights: ``[n, relations]``.
        intercepts: ``[relations]``.
    """

    def __init__(
        self,
        types: Sequence[str],
        buckets: NDArray[np.int64],
        weights: NDArray[np.float16],
        intercepts: NDArray[np.float32],
    ) -> None:
        self._features = PairFeatures(types)
        self._buckets, self._weights, self._intercepts = buckets, weights, intercepts
        # Row 0 is of all buckets without weights.
        self._rows = np.zeros(BUCKETS, dtype=np.int32)
        self._rows[buckets] = np.arange(1, len(buckets) + 1)
        self._table = np.concatenate([np.zeros((1, len(intercepts)), np.float32), weights.astype(np.float32)])

        self._shapes = _ShapeSums(self._sums, len(intercepts))

    def logits(self, document: Document, candidates: Candidates) -> Logits:
        """Log odds of every relation for each candidate, ``[candidates, relations]``.

        Args:
            document: with words, sentences and mentions.
        """
        result: Logits = np.tile(self._intercepts, (len(candidates), 1)).astype(np.float32)
        if not candidates:
            return result
        kinds = self._features.kinds(document, candidates)
        result += self._shapes(kinds, candidates.features)
        for feature in self._features.words(document, candidates, kinds):
            for sums in self._sums(feature):
                result += sums
        return result

    def _sums(self, feature: Feature) -> Logits:
        """The weights of each pair's features, kind by kind, ``[kinds, pairs, relations]``."""
        counts = feature.counts.ravel()
        sums: Logits = np.zeros((len(counts), len(self._intercepts)), dtype=np.float32)
        with_any = np.flatnonzero(counts)
        if len(with_any):
            begins = (np.cumsum(counts) - counts)[with_any]
            sums[with_any] = np.add.reduceat(self._table[self._rows[feature.buckets]], begins, axis=0)
        return sums.reshape(*feature.counts.shape, -1)

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors: dict[str, NDArray[Any]] = {
            "buckets": self._buckets.astype(np.int32),
            "weights": self._weights,
            "intercepts": self._intercepts,
        }
        save_file(tensors, path)

    @classmethod
    def load(cls, path: Path, schema: Schema) -> LinearPairs:
        """Read what ``save`` wrote.

        Raises:
            QuanheError: the file is damaged or of another schema.
        """
        try:
            tensors = load_file(path)
            buckets, weights, intercepts = (tensors[name] for name in ("buckets", "weights", "intercepts"))
            if weights.shape != (len(buckets), len(schema.relations)) or intercepts.shape != (len(schema.relations),):
                raise KeyError("shape")
        except (OSError, SafetensorError, KeyError) as error:
            raise QuanheError(f"{path}: cannot be read or fits another schema; train again") from error
        return cls(list(schema.entities), buckets.astype(np.int64), weights, intercepts)


class _ShapeSums:
    """The weights of ``shape_features``, summed once for each combination of types and values: the same ones come back.

    Args:
        sums: of a feature's weights, ``[kinds, pairs, relations]``.
    """

    def __init__(self, sums: Callable[[Feature], Logits], relations: int) -> None:
        self._sums = sums
        self._places = np.cumprod([1, *FEATURE_SIZES])
        self._rows: dict[int, int] = {}
        self._table: Logits = np.zeros((0, relations), dtype=np.float32)

    def __call__(self, kinds: Numbers, shape: Numbers) -> Logits:
        """The sums of each pair, ``[pairs, relations]``; arguments as of ``shape_features``."""
        rows = self._rows
        keys = (shape @ self._places[:-1] + kinds * self._places[-1]).tolist()
        if len(rows) > _MAX_SHAPES:
            rows.clear()
            self._table = self._table[:1024].copy()
        new = {key: pair for pair, key in enumerate(keys) if key not in rows}
        if new:
            at = list(new.values())
            first, last = len(rows), len(rows) + len(new)
            if last > len(self._table):
                self._table = np.concatenate([self._table, np.zeros((last, self._table.shape[1]), np.float32)])
            self._table[first:last] = self._sums(shape_features(kinds[at], shape[at]))[0]
            rows.update(zip(new, range(first, last), strict=True))
        return self._table[[rows[key] for key in keys]]


class LinearRelations:
    """Relations by the linear classifier alone; ``predict`` has the shape of ``RelationClassifier.predict``."""

    def __init__(self, linear: LinearPairs, schema: Schema, config: RelationConfig) -> None:
        self.linear, self.schema, self.config = linear, schema, config

    def predict(self, documents: Sequence[Document]) -> list[list[Relation]]:
        """Relations of each document, between its mentions; sorted by head and tail position."""
        return [self._predict_one(document) for document in documents]

    def _predict_one(self, document: Document) -> list[Relation]:
        candidates = find_candidates(document, self.schema, self.config)
        names, mentions = list(self.schema.relations), document.mentions
        probabilities = sigmoid(self.linear.logits(document, candidates))
        found = [
            Relation(names[index], mentions[pair.head].id, mentions[pair.tail].id, float(row[index]))
            for pair, row in zip(candidates, probabilities, strict=True)
            for index in pair.relations
            if row[index] >= self.config.threshold
        ]
        return keep_consistent(found, self.schema)


def train_linear(
    documents: Sequence[Document],
    labels: Sequence[Sequence[Sequence[int]]],
    schema: Schema,
    relations: RelationConfig,
    config: LinearConfig,
) -> LinearPairs:
    """Fit one logistic regression a relation (scikit-learn, liblinear).

    Args:
        documents: with words and gold mentions.
        labels: for each document, candidate and relation 1, 0, or -100 where it is not asked.
    """
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    maker = PairFeatures(list(schema.entities))
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    asked: list[Sequence[int]] = []
    for document, document_labels in zip(documents, labels, strict=True):
        for feature in maker(document, find_candidates(document, schema, relations)):
            pairs = np.tile(np.arange(feature.counts.shape[1]), len(feature.counts))
            rows.append(len(asked) + np.repeat(pairs, feature.counts.ravel()))
            columns.append(feature.buckets)
        asked += document_labels
    # liblinear takes indices of 32 bits only.
    cells = (np.concatenate(rows).astype(np.int32), np.concatenate(columns).astype(np.int32))
    matrix = csr_array((np.ones(len(cells[0]), dtype=np.float64), cells), shape=(len(asked), BUCKETS))
    seen = np.bincount(matrix.indices, minlength=BUCKETS)
    buckets = np.flatnonzero(seen >= config.least)
    matrix, targets = matrix[:, buckets.astype(np.int32)], np.array(asked)
    weights = np.zeros((len(buckets), len(schema.relations)), dtype=np.float16)
    intercepts = np.full(len(schema.relations), -20.0, dtype=np.float32)
    for number in range(len(schema.relations)):
        known = np.flatnonzero(targets[:, number] >= 0).astype(np.int32)
        values = targets[known, number]
        if len(np.unique(values)) < 2:  # never, or always: nothing to tell apart
            intercepts[number] = 20.0 if len(values) and values[0] else -20.0
            continue
        model = LogisticRegression(C=config.inverse_penalty, solver="liblinear", max_iter=config.iterations)
        model.fit(matrix[known], values)
        weights[:, number], intercepts[number] = model.coef_[0], model.intercept_[0]
    kept = np.abs(weights).max(axis=1) > 0
    return LinearPairs(list(schema.entities), buckets[kept], weights[kept], intercepts)
