"""What the CRF's features say of each word, summed by look-ups instead of feature by feature."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BIAS, FIRST, PAIR = "bias", "first", "pair:"
STEPS = (-2, -1, 1, 2)  # to the words around that are looked at too
SEEN = 3  # of their features, the first so many
_PLACES = (0, *STEPS)
_MAX_FORMS = 16_384  # word forms whose scores are kept, 760 bytes a form at 19 labels; then all are forgotten


class WordScores:
    """Sums the weights of all features of ``word_features``, label by label.

    A word contributes to its own scores and to those of two words either side. These five rows are computed once a
    form, so that a word's scores are the sum of five rows and one for its pair with the word before.

    Args:
        attributes: names of the CRF's features, without their labels.
        states: their weights, ``[attributes, labels]``.
    """

    def __init__(self, attributes: Sequence[str], states: Array) -> None:
        self._numbers = {attribute: number for number, attribute in enumerate(attributes)}
        self._states = np.vstack([states, np.zeros(states.shape[1])])  # the last row is that of unknown features
        self._unknown = len(attributes)
        opening = f"{PAIR}w="
        self._pairs = {
            attribute.removeprefix(opening): number
            for attribute, number in self._numbers.items()
            if attribute.startswith(opening)
        }
        self._rows: dict[str, int] = {}
        self._lower: dict[str, str] = {}
        self._table: Array = np.zeros((0, 0, 0))
        self._forget()

    def __call__(self, sentences: Sequence[Sequence[str]]) -> Array:
        """Scores of all words, one sentence behind the other, ``[words, labels]``.

        Args:
            sentences: forms of the words; at least one sentence, none of them empty.
        """
        self._learn({form for sentence in sentences for form in sentence})
        # Before, between and behind the sentences stand two words of row 0, "no word here".
        rows, pairs = [0, 0], [self._unknown] * 2
        first, unknown = self._numbers.get(FIRST, self._unknown), self._unknown
        for sentence in sentences:
            rows += [self._rows[form] for form in sentence]
            lower = [self._lower[form] for form in sentence]
            pairs.append(first)
            pairs += [self._pairs.get(f"{before}|w={word}", unknown) for before, word in pairwise(lower)]
            rows += [0, 0]
            pairs += [unknown, unknown]
        padded = np.array(rows)
        words = np.flatnonzero(padded)
        scores: Array = self._states[np.array(pairs)[words]]
        for place, step in enumerate(_PLACES):
            scores += self._table[padded[words + step], place]
        return scores

    def _learn(self, forms: set[str]) -> None:
        """Compute the rows of forms that are not known yet."""
        if len(self._rows) + len(forms) > _MAX_FORMS:
            self._forget()
        new = [form for form in forms if form not in self._rows]
        if not new:
            return
        features = [form_features(form) for form in new]
        width = max(map(len, features)) + 1
        numbers = np.full((len(new), len(_PLACES), width), self._unknown)
        get, unknown = self._numbers.get, self._unknown
        for row, own in enumerate(features):
            found = [get(BIAS, unknown), *(get(feature, unknown) for feature in own)]
            numbers[row, 0, : len(found)] = found
            for place, step in enumerate(STEPS, 1):
                numbers[row, place, :SEEN] = [get(f"{step}:{feature}", unknown) for feature in own[:SEEN]]
        known = len(self._rows) + 1
        if known + len(new) > len(self._table):
            more = np.zeros((max(len(self._table), known + len(new)), *self._table.shape[1:]))
            self._table = np.concatenate([self._table, more])
        self._table[known : known + len(new)] = self._states[numbers].sum(axis=2)
        self._rows.update((form, known + index) for index, form in enumerate(new))
        self._lower.update((form, form.lower()) for form in new)

    def _forget(self) -> None:
        self._rows, self._lower = {}, {}
        self._table = np.zeros((1024, len(_PLACES), self._states.shape[1]))
        for place, step in enumerate(STEPS, 1):
            self._table[0, place] = self._states[self._numbers.get(f"{step}:edge", self._unknown)]


def form_features(form: str) -> list[str]:
    """The features of a word form; the first ``SEEN`` of them count for the words around too."""
    lower = form.lower()
    shape = re.sub(r"(.)\1+", r"\1", "".join(map(_shape, form)))
    syllables = form.split("_")
    return [
        f"w={lower}",
        f"shape={shape}",
        f"first={syllables[0].lower()}",
        f"last={syllables[-1].lower()}",
        f"syllables={min(len(syllables), 4)}",
        f"prefix={lower[:2]}",
        f"suffix={lower[-2:]}",
    ]


def _shape(character: str) -> str:
    if character.isupper():
        return "X"
    if character.isalpha():
        return "x"
    return "9" if character.isdigit() else character
