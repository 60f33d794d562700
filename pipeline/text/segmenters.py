"""Word segmentation behind one interface; a model remembers which segmenter it was trained with.

PhoBERT reads words, not syllables, and a model trained on one segmenter's words loses points on another's, so name and
version are stored with every model and checked when it is loaded.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pipeline.crfsuite import read_crfsuite
from pipeline.errors import QuanheError
from pipeline.text.join_model import JoinModel
from pipeline.text.normalise import tone_to_new

_RULES = "quanhe3"  # of our corrections; counted up when they change the words
_UNDERTHESEA_MODEL = Path("pipeline/word_tokenize/models/ws_crf_vlsp2013_20230727")
# No sentence is longer; a line of millions of tokens would need gigabytes of features at once.
_LONGEST = 2000


class Segmenter(Protocol):
    """Says which tokens continue the word of the token before them."""

    @property
    def id(self) -> str:
        """Name and version, e.g. ``underthesea-crf/9.5.0+quanhe3``."""

    def joins(self, tokens: Sequence[str]) -> list[bool]:
        """For each token of a sentence, whether it belongs to the same word as the one before (first: ``False``)."""


class SyllableSegmenter:
    """Every token is a word: for text of other languages, or where no span may ever be lost inside a word."""

    id = "syllables/1"

    def joins(self, tokens: Sequence[str]) -> list[bool]:
        return [False] * len(tokens)


class UndertheseaSegmenter:
    """underthesea's CRF word segmenter, called on our own tokens so that offsets are never guessed.

    Of its wheel only the model's files are read: importing the package takes seconds, and its Rust tagger spends most
    of its time on feature strings (see ``JoinModel``).
    """

    def __init__(self) -> None:
        spec = importlib.util.find_spec("underthesea")
        places = (spec.submodule_search_locations or []) if spec else []
        folder = next((Path(place) / _UNDERTHESEA_MODEL for place in places), Path())
        if not (folder / "models.bin").is_file():
            raise QuanheError("underthesea's word segmentation model is not installed; run: make setup")
        # A pickle of the installed wheel, as trustworthy as the code beside it.
        dictionary: set[str] = pickle.loads((folder / "dictionary.bin").read_bytes())
        self._model = JoinModel(read_crfsuite(folder / "models.bin"), dictionary)
        # All at once, because a call for each of 70 000 words takes longer than all the rest.
        self._dictionary = frozenset(tone_to_new("\n".join(dictionary)).split("\n"))

    @property
    def id(self) -> str:
        return f"underthesea-crf/{importlib.metadata.version('underthesea')}+{_RULES}"

    def joins(self, tokens: Sequence[str]) -> list[bool]:
        if not tokens:
            return []
        if len(tokens) > _LONGEST:
            parts = (tokens[start : start + _LONGEST] for start in range(0, len(tokens), _LONGEST))
            return [join for part in parts for join in self.joins(part)]
        joins = self._model(tokens)
        joins[0] = False
        return self._without_strange_words(tokens, joins)

    def _without_strange_words(self, tokens: Sequence[str], joins: list[bool]) -> list[bool]:
        """Part words that the segmenter's own dictionary does not have and that do not look like a name.

        The CRF glues a name's last syllable to the verb behind it (``Mỹ thăm``, ``Hoàn hội đàm``): of the words in
        lower case that its dictionary lacks, nearly all pairs are such mistakes, and triples whose last two are a word.
        """
        starts = [index for index, join in enumerate(joins) if not join]
        for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
            length = end - start
            if length not in (2, 3) or not all(token[0].islower() for token in tokens[start + 1 : end]):
                continue
            if not self._knows(tokens[start:end]) and (length == 2 or self._knows(tokens[start + 1 : end])):
                joins[start + 1] = False
        return joins

    def _knows(self, tokens: Sequence[str]) -> bool:
        return tone_to_new(" ".join(tokens).lower()) in self._dictionary


_SEGMENTERS: dict[str, Callable[[], Segmenter]] = {
    "underthesea-crf": UndertheseaSegmenter,
    "syllables": SyllableSegmenter,
}
SEGMENTER_NAMES = tuple(_SEGMENTERS)


def load_segmenter(name: str) -> Segmenter:
    """Make the segmenter of this name.

    Raises:
        QuanheError: no segmenter has the name, or what it needs is not installed.
    """
    if name not in _SEGMENTERS:
        raise QuanheError(f"unknown segmenter {name!r}; choose one of {', '.join(_SEGMENTERS)}")
    return _SEGMENTERS[name]()


def check_segmenter(stored: str, segmenter: Segmenter) -> str:
    """A warning when the installed segmenter is not the version that a model was trained with, else empty.

    Raises:
        QuanheError: it is another segmenter altogether.
    """
    if stored == segmenter.id:
        return ""
    if stored.split("/")[0] != segmenter.id.split("/")[0]:
        raise QuanheError(f"the model was trained on words of {stored}, this run has {segmenter.id}; use the model's")
    return f"the model was trained with {stored}, {segmenter.id} is installed: words may differ, scores may drop"
