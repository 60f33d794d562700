"""Word segmentation by table rows, against the library that the model is made for."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.crfsuite import CrfWeights, read_crfsuite
from pipeline.errors import QuanheError
from pipeline.text.join_model import JoinModel
from pipeline.text.tokens import token_spans

FOLDER = Path(importlib.util.find_spec("underthesea").origin).parent / (
    "pipeline/word_tokenize/models/ws_crf_vlsp2013_20230727"
)
SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))


@pytest.fixture(scope="module")
def model() -> JoinModel:
    return JoinModel(read_crfsuite(FOLDER / "models.bin"), pickle.loads((FOLDER / "dictionary.bin").read_bytes()))


@pytest.fixture(scope="module")
def library():
    """underthesea_core's own features and Viterbi search."""
    from underthesea_core import CRFFeaturizer, CRFTagger

    tagger = CRFTagger()
    tagger.load(str(FOLDER / "models.bin"))
    dictionary = pickle.loads((FOLDER / "dictionary.bin").read_bytes())
    featurizer = CRFFeaturizer(pickle.loads((FOLDER / "features.bin").read_bytes()), dictionary)
    return lambda tokens: [tag == "I-W" for tag in tagger.tag(featurizer.process([[[token] for token in tokens]])[0])]


def test_the_seed_articles_are_segmented_as_by_the_library(model, library):
    for path in SEEDS:
        for line in path.read_text(encoding="utf-8").splitlines():
            tokens = [line[start:end] for start, end in token_spans(line)]
            if tokens:
                assert model(tokens) == library(tokens)


# fmt: off
TOKENS = st.sampled_from([
    "Bộ", "trưởng", "Quốc", "phòng", "quốc", "PHÒNG", "hợp", "tác", "với", "Hoa", "Kỳ", "20", "-5", "99999999999", ".",
    ",", "BOS", "EOS", "True", "İ", "ΑΣ", "ß", "5a", "hữu", "nghị", "chính", "thức", "của", "những", "năm",
])
# fmt: on


@settings(max_examples=300)
@given(st.lists(TOKENS | st.text("aÁĐđ1,ǅ=", min_size=1, max_size=4), min_size=1, max_size=12))
def test_any_tokens_are_joined_as_by_the_library(model, library, tokens):
    assert model(tokens) == library(tokens)


def test_what_is_kept_of_tokens_is_bounded(model, monkeypatch):
    monkeypatch.setattr("pipeline.text.join_model._MAX_TOKENS", 20)
    sentence = ["Quan", "hệ", "hợp", "tác", "quốc", "phòng"]
    expected = model(sentence)
    for number in range(30):
        model([f"từ{number}x{place}" for place in range(9)])
        assert len(model._tokens) <= 20 + 9
    assert model(sentence) == expected == [False, True, False, True, False, True]


@pytest.mark.parametrize(
    ("labels", "attributes", "said"),
    [(["B", "I"], ["T[0]=a"], "unknown labels"), (["B-W", "I-W"], ["T[0,5]=a"], r"unknown features T\[0,5\]")],
)
def test_a_model_of_another_version_is_refused(labels, attributes, said):
    weights = CrfWeights(labels, attributes, np.ones((1, 2)), np.zeros((2, 2)))
    with pytest.raises(QuanheError, match=said):
        JoinModel(weights, [])
