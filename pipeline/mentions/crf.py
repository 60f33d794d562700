"""The baseline: a linear-chain CRF (Lafferty et al., 2001) on hand-made features, through CRFsuite.

It reads the same words and writes the same mentions as the tagger, so that every report says what PhoBERT buys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.config import CrfConfig
from pipeline.crfsuite import read_crfsuite
from pipeline.document import Document, Mention, Word, number_mentions
from pipeline.errors import QuanheError
from pipeline.mentions.crf_scores import BIAS, FIRST, PAIR, SEEN, STEPS, WordScores, form_features
from pipeline.mentions.decoding import Scores, legal_transitions, viterbi
from pipeline.mentions.marginals import marginals

_LEAST = 1e-4  # probability below which a label is as good as impossible
_CHUNK = 8192  # words that are computed at once, some 10 MB


class CrfTagger:
    """A trained CRF; ``predict`` has the shape of ``Tagger.predict``.

    CRFsuite trains it; here its weights are read and summed by word, and all sentences are computed at once: the same
    probabilities in a small part of the time that a call for each word and label takes.

    Raises:
        QuanheError: there is no such model.
    """

    def __init__(self, path: Path) -> None:
        try:
            weights = read_crfsuite(path)
        except (OSError, QuanheError) as error:
            raise QuanheError(f"{path}: no CRF model can be read there; train again") from error
        order = sorted(range(len(weights.labels)), key=lambda index: weights.labels[index] != "O")
        self._labels = [weights.labels[index] for index in order]
        self._start, self._transitions = legal_transitions(self._labels)
        self._steps = weights.transitions[np.ix_(order, order)]
        self._scores = WordScores(weights.attributes, weights.states[:, order])

    def predict(self, documents: Sequence[Document]) -> list[list[Mention]]:
        """Mentions of each document; the documents need words and sentences."""
        return [
            self._predict_one(document, m) for document, m in zip(documents, self._marginals(documents), strict=True)
        ]

    def log_probabilities(self, document: Document, labels: Sequence[str]) -> Scores:
        """As ``all_log_probabilities``, of one document."""
        return self.all_log_probabilities([document], labels)[0]

    def all_log_probabilities(self, documents: Sequence[Document], labels: Sequence[str]) -> list[Scores]:
        """Log of each document's marginal probabilities of the given labels, ``[words, labels]``.

        One below 1e-4 counts as that.

        Args:
            labels: in the order of the columns; one that the CRF has never seen has probability 0.
        """
        own = {label: column for column, label in enumerate(self._labels)}
        known = [column for column, label in enumerate(labels) if label in own]
        taken = [own[labels[column]] for column in known]
        found: list[Scores] = []
        for document, own_scores in zip(documents, self._marginals(documents), strict=True):
            result = np.full((len(document.words), len(labels)), _LEAST, dtype=np.float32)
            result[:, known] = np.maximum(own_scores[:, taken], np.float32(_LEAST))
            found.append(np.log(result))
        return found

    def _marginals(self, documents: Sequence[Document]) -> list[Scores]:
        """Marginal probabilities of each document's words, ``[words, labels]``."""
        sentences = [document.words[first:last] for document in documents for first, last in document.sentences]
        parts = [np.zeros((0, len(self._labels)), dtype=np.float32)]
        for chunk in _chunks(sentences):
            scores = self._scores([[word.form for word in sentence] for sentence in chunk])
            parts.append(marginals(scores, self._steps, [len(sentence) for sentence in chunk]).astype(np.float32))
        ends = np.cumsum([len(document.words) for document in documents])[:-1]
        return np.split(np.concatenate(parts), ends)

    def _predict_one(self, document: Document, marginals: Scores) -> list[Mention]:
        spans: list[tuple[int, int, str, float]] = []
        for first, last in document.sentences:
            words = document.words[first:last]
            scores = marginals[first:last]
            path = viterbi(np.log(np.maximum(scores, 1e-9)), self._start, self._transitions)
            chosen = scores[np.arange(len(words)), path].tolist()
            spans += _group(words, [self._labels[index] for index in path], chosen)
        return number_mentions(document.text, spans)


def _chunks(sentences: Iterable[Sequence[Word]]) -> Iterator[list[Sequence[Word]]]:
    """Sentences in groups of bounded size: memory stays flat whatever a batch holds."""
    chunk: list[Sequence[Word]] = []
    words = 0
    for sentence in sentences:
        if not sentence:
            continue
        if chunk and words + len(sentence) > _CHUNK:
            yield chunk
            chunk, words = [], 0
        chunk.append(sentence)
        words += len(sentence)
    if chunk:
        yield chunk


def train_crf(
    documents: Sequence[Document], labels: Sequence[Sequence[str]], config: CrfConfig, path: Path
) -> CrfTagger:
    """Train a CRF on labelled words and leave its model file at ``path``."""
    import pycrfsuite  # training alone needs it

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": config.c1, "c2": config.c2, "max_iterations": config.iterations})
    for document, document_labels in zip(documents, labels, strict=True):
        for first, last in document.sentences:
            trainer.append(word_features(document.words[first:last]), document_labels[first:last])
    trainer.train(str(path))
    return CrfTagger(path)


def word_features(words: Sequence[Word]) -> list[list[str]]:
    """CRFsuite features of the words of one sentence: form, shape, affixes, and those of two words either side."""
    own = [form_features(word.form) for word in words]
    rows: list[list[str]] = []
    for index in range(len(words)):
        row = [BIAS, *own[index]]
        for step in STEPS:
            if 0 <= index + step < len(words):
                row += [f"{step}:{feature}" for feature in own[index + step][:SEEN]]
            else:
                row.append(f"{step}:edge")
        row += [f"{PAIR}{own[index - 1][0]}|{own[index][0]}"] if index else [FIRST]
        rows.append(row)
    return rows


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
