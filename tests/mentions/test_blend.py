"""Two taggers' opinions as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.config import Config
from pipeline.data.corpus import load_split
from pipeline.mentions.blend import BlendedTagger
from pipeline.mentions.crf import CrfTagger
from pipeline.model import load_model


@pytest.fixture(scope="module")
def loaded(tiny_model):
    return load_model(tiny_model)[0]


@pytest.fixture(scope="module")
def documents(loaded, tiny_config: Config):
    return [loaded.splitter(document.bare()) for document in load_split(tiny_config.data, "test")]


def test_all_weight_on_one_side_is_that_side_alone(loaded, documents):
    crf = CrfTagger(loaded.crf_path)
    for weight, alone in ((0.0, loaded.tagger), (1.0, crf)):
        blended = BlendedTagger(loaded.tagger, crf, weight).predict(documents)
        assert [[m.span for m in ms] for ms in blended] == [[m.span for m in ms] for ms in alone.predict(documents)]


def test_blended_scores_are_probabilities_between_both_opinions(loaded, documents):
    crf = CrfTagger(loaded.crf_path)
    for document, (_, blended), mine in zip(
        documents,
        BlendedTagger(loaded.tagger, crf, 0.5).predict_with_scores(documents),
        loaded.tagger.log_probabilities(documents),
        strict=True,
    ):
        assert np.exp(blended).sum(axis=1) == pytest.approx(1.0, abs=1e-4)
        theirs = crf.log_probabilities(document, loaded.tagger.labels)
        both = mine.argmax(axis=1) == theirs.argmax(axis=1)
        assert both.any()
        assert (blended.argmax(axis=1)[both] == mine.argmax(axis=1)[both]).all()


def test_the_crf_gives_its_marginals_in_the_order_asked_for(loaded, documents):
    crf = CrfTagger(loaded.crf_path)
    labels = loaded.tagger.labels
    there, back = (crf.log_probabilities(documents[0], order) for order in (labels, labels[::-1]))
    assert there.shape == (len(documents[0].words), len(labels))
    assert np.array_equal(there, back[:, ::-1])
    assert np.exp(there).sum(axis=1) == pytest.approx(1.0, abs=0.01)
    unknown = crf.log_probabilities(documents[0], ["O", "B-NOTHING"])
    assert np.exp(unknown[:, 1]) == pytest.approx(1e-4)


def test_a_document_without_words_has_no_mentions(loaded, documents):
    empty = replace(documents[0], text="", words=[], sentences=[])
    assert BlendedTagger(loaded.tagger, CrfTagger(loaded.crf_path), 0.5).predict([empty]) == [[]]


def test_the_settings_decide_who_finds_mentions(loaded):
    config = loaded.config.model_copy(update={"entities": loaded.config.entities.model_copy(update={"blend": 0.4})})
    before, loaded.config = loaded.config, config
    try:
        assert isinstance(loaded.mentions, BlendedTagger)
        assert loaded.systems()["PhoBERT + rules"].mentions is loaded.tagger
    finally:
        loaded.config = before
    assert loaded.mentions is loaded.tagger
