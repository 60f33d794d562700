"""The baseline: a linear-chain CRF (Lafferty et al., 2001) on hand-made features, through CRFsuite.

It reads the same words and writes the same mentions as the tagger, so that every report says what PhoBERT buys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pycrfsuite

from pipeline.config import CrfConfig
from pipeline.document import Document, Mention, Word, number_mentions
from pipeline.errors import QuanheError
from pipeline.mentions.decoding import Scores, legal_transitions, viterbi

_CONTEXT = (-2, -1, 1, 2)
_LEAST = 1e-4  # probability below which a label is as good as impossible


class CrfTagger:
    """A trained CRF; ``predict`` has the shape of ``Tagger.predict``."""

    def __init__(self, path: Path) -> None:
        self._tagger = pycrfsuite.Tagger()
        try:
            self._tagger.open(str(path))
        except (OSError, ValueError) as error:
            raise QuanheError(f"{path}: no CRF model can be read there; train again") from error
        labels = sorted(self._tagger.labels(), key=lambda label: label != "O")
        self._labels = labels
        self._start, self._transitions = legal_transitions(labels)

    def predict(self, documents: Sequence[Document]) -> list[list[Mention]]:
        """Mentions of each document; the documents need words and sentences."""
        return [self._predict_one(document) for document in documents]

    def log_probabilities(self, document: Document, labels: Sequence[str]) -> Scores:
        """Log of the marginal probabilities of the given labels, ``[words, labels]``; one that is 0 counts as 1e-4.

        Args:
            labels: in the order of the columns; one that the CRF has never seen has probability 0.
        """
        columns = {label: column for column, label in enumerate(labels)}
        result = np.full((len(document.words), len(labels)), _LEAST, dtype=np.float32)
        for first, last in document.sentences:
            marginals = self._marginals(document.words[first:last])
            for index, label in enumerate(self._labels):
                if label in columns:
                    result[first:last, columns[label]] = marginals[:, index]
        log: Scores = np.log(np.maximum(result, _LEAST))
        return log

    def _marginals(self, words: Sequence[Word]) -> Scores:
        """Marginal probabilities of a sentence's words, ``[words, labels]``."""
        self._tagger.set(word_features(words))
        return np.array(
            [[self._tagger.marginal(label, i) for label in self._labels] for i in range(len(words))], dtype=np.float32
        ).reshape(len(words), len(self._labels))

    def _predict_one(self, document: Document) -> list[Mention]:
        spans: list[tuple[int, int, str, float]] = []
        for first, last in document.sentences:
            words = document.words[first:last]
            scores = self._marginals(words)
            path = viterbi(np.log(np.maximum(scores, 1e-9)), self._start, self._transitions)
            chosen = scores[np.arange(len(words)), path].tolist()
            spans += _group(words, [self._labels[index] for index in path], chosen)
        return number_mentions(document.text, spans)


def train_crf(
    documents: Sequence[Document], labels: Sequence[Sequence[str]], config: CrfConfig, path: Path
) -> CrfTagger:
    """Train a CRF on labelled words and leave its model file at ``path``."""
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": config.c1, "c2": config.c2, "max_iterations": config.iterations})
    for document, document_labels in zip(documents, labels, strict=True):
        for first, last in document.sentences:
            trainer.append(word_features(document.words[first:last]), document_labels[first:last])
    trainer.train(str(path))
    return CrfTagger(path)


def word_features(words: Sequence[Word]) -> list[list[str]]:
    """CRFsuite features of the words of one sentence: form, shape, affixes, and those of two words either side."""
    own = [_features(word.form) for word in words]
    rows: list[list[str]] = []
    for index in range(len(words)):
        row = ["bias", *own[index]]
        for step in _CONTEXT:
            if 0 <= index + step < len(words):
                row += [f"{step}:{feature}" for feature in own[index + step][:3]]
            else:
                row.append(f"{step}:edge")
        row += [f"pair:{own[index - 1][0]}|{own[index][0]}"] if index else ["first"]
        rows.append(row)
    return rows


def _features(form: str) -> list[str]:
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


def _group(words: Sequence[Word], labels: Sequence[str], scores: Sequence[float]) -> list[tuple[int, int, str, float]]:
    """Raw spans ``(start, end, type, score)`` of a legal label sequence; the score is the least sure word's."""
    spans: list[tuple[int, int, str, float]] = []
    for index, label in enumerate(labels):
        if label.startswith("B-"):
            spans.append((words[index].start, words[index].end, label[2:], scores[index]))
        elif label.startswith("I-"):
            start, _, kind, score = spans[-1]
            spans[-1] = (start, words[index].end, kind, min(score, scores[index]))
    return spans
