"""The CRF baseline."""

from __future__ import annotations

import pytest
from tiny_corpus import marked

from pipeline.config import CrfConfig
from pipeline.data.align import bio_labels
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.mentions.crf import CrfTagger, train_crf, word_features
from pipeline.mentions.decoding import legal_transitions
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.words import WordSplitter

SYLLABLES = WordSplitter(SyllableSegmenter())


@pytest.fixture(scope="module")
def crf(tmp_path_factory) -> CrfTagger:
    """After ``ông`` stands a person, after ``tại`` a place."""
    names = [("Mẫu Văn", "Huế"), ("Thử", "Vinh Xanh"), ("Sample Muster", "Đà"), ("Dụ Thế Phạm", "Lạt")]
    documents = [SYLLABLES(marked(f"Hôm nay ông [{a}|PER] họp tại [{b}|LOC] ạ.\nHôm nay họp.")) for a, b in names]
    labels = [bio_labels(document)[0] for document in documents]
    return train_crf(documents, labels, CrfConfig(iterations=40), tmp_path_factory.mktemp("crf") / "m.crfsuite")


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
    class Sentence:
        def set(self, features: list[list[str]]) -> None: ...

        def marginal(self, label: str, index: int) -> float:
            return {"O": 0.2, "B-X": 0.3, "I-X": 0.5}[label]

    crf = CrfTagger.__new__(CrfTagger)
    crf._tagger, crf._labels = Sentence(), ["O", "B-X", "I-X"]
    crf._start, crf._transitions = legal_transitions(crf._labels)
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
