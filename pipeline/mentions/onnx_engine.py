"""The token classifier in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.mentions.decoding import Scores
from pipeline.mentions.grammar import grammar
from pipeline.onnx_files import EntityFacts
from pipeline.onnx_session import WindowGraph


class OnnxPieceScorer:
    """A ``PieceScorer`` on a graph from ids ``[1, pieces]`` to log probabilities ``[pieces, labels]``."""

    def __init__(self, path: Path, facts: EntityFacts, threads: int = 1) -> None:
        self.labels, self.max_pieces, self.vocabulary = facts.labels, facts.max_pieces, facts.vocabulary
        self._grammar = grammar(facts.labels, facts.transitions, facts.adjacency)
        self._graph = WindowGraph(path, threads)

    def __call__(self, windows: Sequence[Sequence[int]]) -> list[Scores]:
        """As ``PieceScorer.__call__``."""
        return self._graph([{"ids": np.array([window], dtype=np.int64)} for window in windows])

    def grammar(self) -> tuple[Scores, Scores]:
        """As ``PieceScorer.grammar``."""
        return self._grammar
