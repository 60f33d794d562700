from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from pipeline.data.align import bio_labels, edge_words, gold_edges, spans_from_labels, survival, tag_spans
from pipeline.document import Document, Mention, Word, number_mentions
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.words import WordSplitter


class JoinAll:
    """A segmenter that takes every run of syllables for one word."""

    id = "join-all/1"

    def joins(self, tokens):
        return [index > 0 for index in range(len(tokens))]


def document_of(words: list[str], spans: list[tuple[int, int, str]]) -> Document:
    text = " ".join(words)
    document = Document("a", text)
    position = 0
    for word in words:
        document.words.append(Word(position, position + len(word), word))
        position += len(word) + 1
    document.sentences = [(0, len(words))]
    document.mentions = number_mentions(text, [(*span, 1.0) for span in spans])
    return document


def test_labels_follow_the_spans():
    document = document_of(["Lê", "Văn", "Mẫu", "thăm", "Anh"], [(0, 10, "PERSON"), (16, 19, "COUNTRY")])
    labels, lost = bio_labels(document)
    assert labels == ["B-PERSON", "I-PERSON", "I-PERSON", "O", "B-COUNTRY"]
    assert lost == []


def test_touching_spans_of_one_type_stay_apart():
    document = document_of(["Việt", "Trung"], [(0, 4, "COUNTRY"), (5, 10, "COUNTRY")])
    assert bio_labels(document)[0] == ["B-COUNTRY", "B-COUNTRY"]


@pytest.mark.parametrize(
    ("spans", "lost"),
    [
        ([(0, 2, "A")], ["Th"]),
        ([(2, 8, "A")], ["ăm Anh"]),
        ([(1, 3, "A")], ["hă"]),
        ([(4, 5, "A")], [" "]),
        ([(0, 8, "A"), (5, 12, "B")], ["Anh Lan"]),
        ([(0, 4, "A"), (0, 8, "B")], ["Thăm"]),
    ],
)
def test_what_words_cannot_express_is_returned(spans, lost):
    document = document_of(["Thăm", "Anh", "Lan"], spans)
    assert [mention.text for mention in bio_labels(document)[1]] == lost


def test_an_edge_in_white_space_means_the_word_inside():
    document = document_of(["thăm", "Anh", "Lan"], [(4, 9, "COUNTRY")])
    assert bio_labels(document) == (["O", "B-COUNTRY", "O"], [])


@pytest.mark.parametrize(
    ("scheme", "tags", "spans", "illegal"),
    [
        ("iob2", "B-P I-P O B-L", [(0, 2, "P"), (3, 4, "L")], []),
        ("iob2", "O I-P I-P", [(1, 3, "P")], [1]),
        ("iob2", "B-P I-L", [(0, 1, "P"), (1, 2, "L")], [1]),
        ("iob1", "I-P I-P B-P I-L", [(0, 2, "P"), (2, 3, "P"), (3, 4, "L")], []),
        ("iob1", "O B-P", [(1, 2, "P")], [1]),
        ("bioes", "B-P I-P E-P S-L O", [(0, 3, "P"), (3, 4, "L")], []),
        ("bioes", "B-P M-P L-P U-L", [(0, 3, "P"), (3, 4, "L")], []),
        ("bioes", "B-P B-P E-P", [(0, 1, "P"), (1, 3, "P")], [1]),
        ("bioes", "E-P E-P", [(0, 1, "P"), (1, 2, "P")], [0, 1]),
        ("bioes", "S-P I-P", [(0, 1, "P"), (1, 2, "P")], [1, 2]),
        ("bioes", "B-P I-P", [(0, 2, "P")], [2]),
        ("bioes", "B-P E-L", [(0, 1, "P"), (1, 2, "L")], [1]),
        ("iob2", "B-PER-SON I-PER-SON", [(0, 2, "PER-SON")], []),
    ],
)
def test_schemes_and_their_repair(scheme, tags, spans, illegal):
    assert tag_spans(tags.split(), scheme) == (spans, illegal)


@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"])))
def test_spans_agree_with_the_reference_scorer(labels):
    spans, _ = tag_spans(labels)
    assert spans == [(first, last + 1, kind) for kind, first, last in get_entities(labels)]


@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), min_size=1, max_size=12))
def test_labels_of_the_spans_of_labels_have_the_same_spans(labels):
    words = document_of(["ab"] * len(labels), []).words
    spans = spans_from_labels(words, labels)
    again, lost = bio_labels(document_of(["ab"] * len(labels), spans))
    assert lost == []
    assert spans_from_labels(words, again) == spans


def test_labels_and_words_must_be_as_many():
    with pytest.raises(ValueError, match="2 labels for 1 words"):
        spans_from_labels([Word(0, 1, "a")], ["O", "O"])


def test_survival_counts_what_words_made_without_the_labels_hold():
    document = Document("a", "Bà Lan thăm Anh")
    document.mentions = number_mentions(document.text, [(3, 6, "PERSON", 1.0), (12, 15, "COUNTRY", 1.0)])
    assert survival(document, WordSplitter(SyllableSegmenter())) == (2, 2)
    assert survival(document, WordSplitter(JoinAll())) == (2, 1)
    assert document.words == []


def test_cutting_at_gold_edges_lets_every_span_be_expressed():
    document = Document("a", "Bà Lan thăm Anh")
    document.mentions = number_mentions(document.text, [(3, 6, "PERSON", 1.0), (12, 14, "COUNTRY", 1.0)])
    assert gold_edges(document) == {3, 6, 12, 14}
    WordSplitter(JoinAll())(document, gold_edges(document))
    labels, lost = bio_labels(document)
    assert lost == []
    assert spans_from_labels(document.words, labels) == [(3, 6, "PERSON"), (12, 14, "COUNTRY")]


def test_edge_words_names_the_words_that_an_edge_cuts():
    words = [Word(0, 6, "Bà_Lan"), Word(7, 15, "thăm_Anh")]
    mention = Mention("T1", 3, 11, "X", "Lan thăm")
    assert [word.form for word in edge_words(mention, words)] == ["Bà_Lan", "thăm_Anh"]
    assert edge_words(Mention("T1", 0, 15, "X", ""), words) == []
