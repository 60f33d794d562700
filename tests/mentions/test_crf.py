"""The CRF baseline."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pycrfsuite
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import marked

from pipeline.config import CrfConfig
from pipeline.data.align import bio_labels
from pipeline.document import Document, Word
from pipeline.errors import QuanheError
from pipeline.mentions.crf import CrfTagger, train_crf, word_features
from pipeline.mentions.decoding import Scores, legal_transitions
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.words import WordSplitter

SYLLABLES = WordSplitter(SyllableSegmenter())


@pytest.fixture(scope="module")
def crf_path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("crf") / "m.crfsuite"


@pytest.fixture(scope="module")
def crf(crf_path) -> CrfTagger:
    """After ``ông`` stands a person, after ``tại`` a place."""
    names = [("Mẫu Văn", "Huế"), ("Thử", "Vinh Xanh"), ("Sample Muster", "Đà"), ("Dụ Thế Phạm", "Lạt")]
    documents = [SYLLABLES(marked(f"Hôm nay ông [{a}|PER] họp tại [{b}|LOC] ạ.\nHôm nay họp.")) for a, b in names]
    labels = [bio_labels(document)[0] for document in documents]
    return train_crf(documents, labels, CrfConfig(iterations=40), crf_path)


def found(crf: CrfTagger, text: str) -> list[tuple[str, str]]:
    document = SYLLABLES(Document("a", text))
    return [(m.text, m.type) for m in crf.predict([document])[0]]


def test_it_learns_a_pattern_and_finds_new_names(crf):
    assert found(crf, "Hôm nay ông Nghĩ Mai họp tại Cần Thơ ạ.") == [("Nghĩ Mai", "PER"), ("Cần Thơ", "LOC")]


def test_mentions_are_like_those_of_the_tagger(crf):
    document = SYLLABLES(Document("a", "Hôm nay họp.\nHôm nay ông Ví họp tại Huế ạ."))
    (mentions,) = crf.predict([document])
    assert [m.id for m in mentions] == ["T1", "T2"]
    assert all(document.text[m.start : m.end] == m.text and 0 < m.score <= 1 for m in mentions)
    assert document.mentions == []
    assert crf.predict([Document("empty", ""), document]) == [[], mentions]


def test_the_score_is_that_of_the_label_taken_not_of_an_illegal_one():
    class Unsure(CrfTagger):
        def __init__(self) -> None:
            self._labels = ["O", "B-X", "I-X"]
            self._start, self._transitions = legal_transitions(self._labels)

        def _marginals(self, documents: Sequence[Document]) -> list[Scores]:
            return [np.array([[0.2, 0.3, 0.5]], dtype=np.float32) for _ in documents]

    crf = Unsure()
    (mention,) = crf.predict([SYLLABLES(Document("a", "Mẫu"))])[0]
    assert mention.type == "X"
    assert mention.score == pytest.approx(0.3)


def test_features_say_where_a_sentence_ends():
    document = SYLLABLES(Document("a", "Ông Mẫu đến"))
    rows = word_features(document.words)
    assert len(rows) == 3
    assert "first" in rows[0]
    assert "first" not in rows[1]
    assert "1:edge" in rows[2]
    assert "-1:w=ông" in rows[1]


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_a_file_that_is_no_model(tmp_path, content):
    path = tmp_path / "crf.crfsuite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QuanheError, match="no CRF model can be read there; train again"):
        CrfTagger(path)


FORMS = st.sampled_from(["Hôm_nay", "hôm_nay", "ông", "Mẫu", "Ông", "họp", "tại", "Huế", ".", "29/6", "H'Mông"])


@given(st.lists(st.lists(FORMS | st.text("abĐđ_1.İ", min_size=1), min_size=1, max_size=9), max_size=6))
def test_marginals_are_crfsuites_own(crf, crf_path, sentences):
    document = Document("a", "", [Word(0, 0, form) for sentence in sentences for form in sentence])
    ends = np.cumsum([0, *map(len, sentences)]).tolist()
    document.sentences = list(pairwise(ends))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(crf_path))
    labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    expected: list[list[float]] = []
    for first, last in document.sentences:
        tagger.set(word_features(document.words[first:last]))
        expected += [
            [tagger.marginal(label, index) if label in tagger.labels() else 0.0 for label in labels]
            for index in range(last - first)
        ]
    found = crf.log_probabilities(document, labels)
    assert np.exp(found) == pytest.approx(np.maximum(np.array(expected).reshape(-1, 5), 1e-4), abs=1e-6)


def test_documents_together_are_as_each_alone(crf, monkeypatch):
    monkeypatch.setattr("pipeline.mentions.crf._CHUNK", 4)
    texts = ["Hôm nay ông Ví họp.\nÔng về.", "", "Ông Mẫu tại Huế ạ hôm nay họp tại Lạt.", "Họp."]
    documents = [SYLLABLES(Document(str(number), text)) for number, text in enumerate(texts)]
    labels = ["O", "B-PER", "I-LOC"]
    together = crf.all_log_probabilities(documents, labels)
    for document, scores in zip(documents, together, strict=True):
        assert scores.shape == (len(document.words), 3)
        assert scores == pytest.approx(crf.log_probabilities(document, labels), abs=1e-6)


def test_what_is_kept_of_forms_is_bounded(crf, monkeypatch):
    monkeypatch.setattr("pipeline.mentions.crf_scores._MAX_FORMS", 40)
    before = found(crf, "Hôm nay ông Nghĩ Mai họp tại Cần Thơ ạ.")
    for number in range(30):
        found(crf, " ".join(f"từ{number}x{place}" for place in range(9)))
        assert len(crf._scores._rows) <= 40
    assert found(crf, "Hôm nay ông Nghĩ Mai họp tại Cần Thơ ạ.") == before
