"""Two opinions on every word: the encoder's and that of the CRF on hand-made features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.document import Document, Mention
from pipeline.mentions.crf import CrfTagger
from pipeline.mentions.decoding import Scores
from pipeline.mentions.tagger import Tagger


class BlendedTagger:
    """Decodes the geometric mean of both systems' label probabilities (product of experts: Hinton, 2002).

    Args:
        weight: of the CRF, between 0 and 1; the tagger has the rest.
    """

    def __init__(self, tagger: Tagger, crf: CrfTagger, weight: float) -> None:
        self.tagger, self.crf, self.weight = tagger, crf, weight

    def predict(self, documents: Sequence[Document]) -> list[list[Mention]]:
        """Mentions of each document, in text order. The documents need words and sentences; they are not changed."""
        return [mentions for mentions, _ in self.predict_with_scores(documents)]

    def predict_with_scores(self, documents: Sequence[Document]) -> list[tuple[list[Mention], Scores]]:
        """``predict``, with the blended log probabilities ``[words, labels]`` of each document."""
        encoder = self.tagger.log_probabilities(documents)
        crf = self.crf.all_log_probabilities(documents, self.tagger.labels)
        blended = [self._blend(*opinions) for opinions in zip(encoder, crf, strict=True)]
        return [
            (self.tagger.decode(document, scores), scores) for document, scores in zip(documents, blended, strict=True)
        ]

    def _blend(self, encoder: Scores, crf: Scores) -> Scores:
        mixed = (1 - self.weight) * encoder + self.weight * crf
        normalised: Scores = mixed - np.logaddexp.reduce(mixed, axis=1, keepdims=True)
        return normalised
