"""How a window's candidates reach the encoder: all of them in one pass.

``markers`` puts typed markers around every mention of the window (Zhong and Chen, 2021, who mark one pair at a time);
``levitated`` appends the markers, tied to their spans by position and attention (Ye et al., 2022); ``pooled`` leaves
the text as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.config import WindowConfig
from pipeline.document import Document
from pipeline.relations.candidates import Array, Candidates, Place
from pipeline.schema import Schema
from pipeline.windows.pieces import WordTokenizer
from pipeline.windows.windows import Window, make_windows

_NO_WINDOW = -1


@dataclass(slots=True)
class RelationWindow:
    """One encoder pass.

    Attributes:
        ids: pieces and markers with ``<s>`` and ``</s>``.
        text_length: positions that are text; levitated markers stand behind them.
        positions: for levitated markers, the text position whose position embedding each takes.
        spans: for each mention in the window, the positions of its start and end marker (or first and last piece).
        types: for each mention in the window, its type's index.
        pairs: for each candidate, indices of head and tail in ``spans``.
        candidates: for each candidate, its index in the document's list.
    """

    ids: list[int]
    text_length: int
    positions: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    candidates: list[int] = field(default_factory=list)


class RelationEncoder:
    """Builds the windows of a document.

    Args:
        first_marker: vocabulary id of the first marker; type ``i`` has ``first_marker + 2i`` and the id after it.
    """

    def __init__(
        self, tokenizer: WordTokenizer, schema: Schema, encoding: str, windows: WindowConfig, first_marker: int
    ) -> None:
        self.tokenizer, self.encoding, self.windows = tokenizer, encoding, windows
        self.type_ids = {name: index for index, name in enumerate(schema.entities)}
        self.first_marker = first_marker

    def __call__(self, document: Document, candidates: Candidates) -> tuple[list[RelationWindow], list[int]]:
        """Cut the document into windows and give each candidate to the one with the most context around it.

        Returns:
            The windows that hold candidates, and the indices of candidates that no window holds whole.
        """
        if not candidates:
            return [], []
        pieces = self.tokenizer([word.form for word in document.words])
        places = candidates.places
        lengths = [end - start for start, end in zip(pieces.starts, pieces.starts[1:], strict=False)]
        if self.encoding == "markers":
            for place in places:
                lengths[place.first] += 1
                lengths[place.last - 1] += 1
        windows = make_windows(
            lengths, self.windows.pieces - 2, self.windows.overlap, [start for start, _ in document.sentences]
        )
        place_starts = [place.first for place in places]
        owners = _owners(windows, len(document.words), places, candidates.heads, candidates.tails)
        lost: list[int] = np.flatnonzero(owners == _NO_WINDOW).tolist()
        slots = np.zeros(len(places), dtype=np.int64)
        encoded: list[RelationWindow] = []
        for number, limits in enumerate(windows):
            owned = np.flatnonzero(owners == number)
            if not len(owned):
                continue
            begun = range(bisect_left(place_starts, limits.first), bisect_left(place_starts, limits.last))
            inside = [i for i in begun if places[i].last <= limits.last]
            window = self._encode(limits, pieces.ids, pieces.starts, inside, document, places)
            slots[inside] = np.arange(len(inside))
            heads, tails = slots[candidates.heads[owned]].tolist(), slots[candidates.tails[owned]].tolist()
            window.pairs = list(zip(heads, tails, strict=True))
            window.candidates = owned.tolist()
            encoded.append(window)
        return encoded, lost

    def _encode(
        self,
        window: Window,
        piece_ids: Sequence[int],
        starts: Sequence[int],
        inside: Sequence[int],
        document: Document,
        places: Sequence[Place],
    ) -> RelationWindow:
        types = [self.type_ids[document.mentions[i].type] for i in inside]
        opening: defaultdict[int, list[int]] = defaultdict(list)
        closing: defaultdict[int, list[int]] = defaultdict(list)
        for slot, i in enumerate(inside):  # mentions given by hand may share a word
            opening[places[i].first].append(slot)
            closing[places[i].last - 1].append(slot)
        ids = [self.tokenizer.bos_id]
        begins, ends = [0] * len(inside), [0] * len(inside)
        copied = starts[window.first]  # pieces before this one are in the window already
        for word in sorted(opening.keys() | closing.keys()):
            start, end = starts[word], starts[word + 1]
            ids += piece_ids[copied:start]
            for slot in opening.get(word, ()):
                begins[slot] = len(ids)
                if self.encoding == "markers":
                    ids.append(self._marker(types[slot], 0))
            ids += piece_ids[start:end]
            copied = end
            for slot in closing.get(word, ()):
                if self.encoding == "markers":
                    ids.append(self._marker(types[slot], 1))
                ends[slot] = len(ids) - 1
        ids += piece_ids[copied : starts[window.last]]
        ids = [*ids[: self.windows.pieces - 1], self.tokenizer.eos_id]  # cuts only a word that exceeds the window
        limit = len(ids) - 1
        spans = [(min(begin, limit), min(end, limit)) for begin, end in zip(begins, ends, strict=True)]
        result = RelationWindow(ids, len(ids), spans=spans, types=types)
        if self.encoding == "levitated":
            for slot, kind in enumerate(types):
                result.positions += spans[slot]
                result.spans[slot] = (len(result.ids), len(result.ids) + 1)
                result.ids += [self._marker(kind, 0), self._marker(kind, 1)]
        return result

    def _marker(self, kind: int, end: int) -> int:
        return self.first_marker + 2 * kind + end


def _owners(windows: Sequence[Window], words: int, places: Sequence[Place], heads: Array, tails: Array) -> Array:
    """For each candidate the window that holds it whole with the most context around it, the earlier of equals.

    Args:
        words: words of the document.
        heads, tails: of the candidates, as indices into the places.

    Returns:
        Indices of windows; ``_NO_WINDOW`` where none holds the candidate.
    """
    begins, ends = np.array([(place.first, place.last) for place in places]).T
    firsts, lasts = np.minimum(begins[heads], begins[tails]), np.maximum(ends[heads], ends[tails])
    window_firsts, window_lasts = np.array([(window.first, window.last) for window in windows]).T
    # An edge of the document takes no context away: as if the window went on without end.
    lefts, rights = window_firsts.astype(float), window_lasts.astype(float)
    lefts[window_firsts == 0], rights[window_lasts == words] = -np.inf, np.inf
    low = np.searchsorted(window_lasts, lasts)
    count = np.searchsorted(window_firsts, firsts, "right") - low
    owners, best = np.where(count > 0, low, _NO_WINDOW), np.full(len(heads), -1.0)
    for step in range(int(count.max())):
        held = np.flatnonzero(count > step)
        window = low[held] + step
        room = np.minimum(firsts[held] - lefts[window], rights[window] - lasts[held])
        better = room > best[held]
        owners[held[better]], best[held[better]] = window[better], room[better]
    return owners
