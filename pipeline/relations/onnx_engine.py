"""The pair classifier in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.onnx_files import RelationFacts
from pipeline.onnx_session import WindowGraph
from pipeline.relations.candidates import Candidates
from pipeline.relations.encoding import RelationWindow
from pipeline.relations.linear import Logits
from pipeline.relations.rows import FIRST_POSITION

_HIDDEN = -3e4  # added to the score of what must not be seen


class OnnxPairScorer:
    """A ``PairScorer`` on a graph whose inputs ``window_feed`` makes."""

    def __init__(self, path: Path, facts: RelationFacts, threads: int = 1) -> None:
        self.first_marker, self._levitated = facts.first_marker, facts.levitated
        self._graph = WindowGraph(path, threads)

    def __call__(self, windows: Sequence[tuple[RelationWindow, Candidates]]) -> list[Logits]:
        """As ``PairScorer.__call__``."""
        return self._graph([window_feed(*window, levitated=self._levitated) for window in windows])


def window_feed(window: RelationWindow, candidates: Candidates, *, levitated: bool) -> dict[str, NDArray[Any]]:
    """What the graph reads of one window.

    Args:
        candidates: of the whole document.
        levitated: the graph takes positions and a mask.

    Returns:
        ``ids [1, pieces]``; ``spans [mentions, 2]`` with the positions of both ends, ``types [mentions]``; ``pairs
        [pairs, 2]`` of mentions, ``between [pairs, 2]`` as text positions ``[start, end)``, ``features [pairs,
        features]``; and, levitated, ``positions [1, pieces]`` and ``mask [1, 1, pieces, pieces]``, which is added.
    """
    spans = np.array(window.spans, dtype=np.int64)
    pairs = np.array(window.pairs, dtype=np.int64)
    feed: dict[str, NDArray[Any]] = {
        "ids": np.array([window.ids], dtype=np.int64),
        "spans": spans,
        "types": np.array(window.types, dtype=np.int64),
        "pairs": pairs,
        # Levitated markers stand behind the text; what lies between two spans is between their places in it.
        "between": _between(np.array(window.positions).reshape(-1, 2) if levitated else spans, pairs),
        "features": candidates.features[window.candidates],
    }
    if levitated:
        feed["positions"], feed["mask"] = _levitate(window)
    return feed


def _between(places: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """As ``window_row`` has it: from behind the first of the two spans to the second, maybe empty."""
    head, tail = places[pairs[:, 0]], places[pairs[:, 1]]
    head_first = (head[:, 0] < tail[:, 0]) | ((head[:, 0] == tail[:, 0]) & (head[:, 1] <= tail[:, 1]))
    start = np.where(head_first, head[:, 1], tail[:, 1]) + 1
    end = np.where(head_first, tail[:, 0], head[:, 0])
    return np.stack([start, np.maximum(start, end)], axis=1).astype(np.int64)


def _levitate(window: RelationWindow) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """As ``batch.collate`` has it: text sees text; a marker sees the text, itself and its partner."""
    text, total = window.text_length, len(window.ids)
    positions = np.array([*range(text), *window.positions], dtype=np.int64)[None] + FIRST_POSITION
    mask = np.full((total, total), _HIDDEN, dtype=np.float32)
    mask[:, :text] = 0.0
    markers = np.arange(text, total)
    mask[markers, markers] = 0.0
    mask[markers, text + ((markers - text) ^ 1)] = 0.0
    return positions, mask[None, None]
