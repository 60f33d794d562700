"""The tagger: windows merged, long words, independence of the batch."""

from __future__ import annotations

import copy
import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_corpus import tiny_article

from pipeline.config import WindowConfig
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.mentions.tagger import Tagger, encode_windows, training_rows
from pipeline.mentions.torch_engine import batches, load_torch_tagger, torch_tagger
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.words import WordSplitter

SYLLABLES = WordSplitter(SyllableSegmenter())


class FakeEncoder:
    """Labels each piece ``B-X`` when its word is ``Anh``, given enough text of the window on both sides of it."""

    def __init__(self, tokenizer, need: int = 0) -> None:
        self.config = SimpleNamespace(
            model_type="roberta",
            max_position_embeddings=258,
            vocab_size=24000,
            pad_token_id=1,
            num_labels=3,
            id2label={0: "O", 1: "B-X", 2: "I-X"},
        )
        self.device = torch.device("cpu")
        self.target = tokenizer(["Anh"]).ids[0]
        self.need = need
        self.rows = 0

    def __call__(self, input_ids, attention_mask):
        self.rows += len(input_ids)
        places = torch.arange(input_ids.shape[1])[None, :]
        context = torch.minimum(places, attention_mask.sum(dim=1, keepdim=True) - 1 - places)
        found = (input_ids == self.target) & (context > self.need)
        logits = torch.zeros(*input_ids.shape, 3)
        logits[..., 0] = torch.where(found, -20.0, 20.0)
        logits[..., 1] = torch.where(found, 20.0, -20.0)
        return SimpleNamespace(logits=logits - 20.0 * torch.tensor([0.0, 0.0, 1.0]))


@pytest.fixture(scope="module")
def tagger(tiny_model) -> Tagger:
    return load_torch_tagger(tiny_model / "entities", WindowConfig(), torch.device("cpu"))


def spans(mentions):
    return [(m.start, m.end, m.type, m.text) for m in mentions]


@pytest.mark.parametrize("pieces", [16, 40, 256])
def test_every_mention_of_a_long_article_is_found_once(tokenizer, pieces):
    text = "".join("Anh " + "và " * (number % 9) for number in range(120))
    document = SYLLABLES(Document("a", text))
    encoder = FakeEncoder(tokenizer)
    mentions = torch_tagger(encoder, tokenizer, WindowConfig(pieces=pieces, overlap=pieces // 3)).predict([document])[0]
    assert [m.start for m in mentions] == [i for i in range(len(text)) if text.startswith("Anh", i)]
    assert [m.id for m in mentions] == [f"T{number}" for number in range(1, 121)]
    assert all(text[m.start : m.end] == m.text == "Anh" for m in mentions)
    assert encoder.rows > 1 or pieces == 256


def test_words_are_labelled_where_their_window_gives_them_the_most_context(tokenizer):
    document = SYLLABLES(Document("a", "Anh " * 600))
    # A word in an overlap of 60 pieces has 30 of them on its poorer side at the least, if the right window is taken.
    tagger = torch_tagger(FakeEncoder(tokenizer, need=29), tokenizer, WindowConfig(pieces=128, overlap=60))
    found = [m.start // 4 for m in tagger.predict([document])[0]]
    assert found == list(range(29, 571))


def test_a_word_longer_than_a_window_is_read_in_part_and_told(tokenizer, caplog):
    document = SYLLABLES(Document("a", f"Anh {'國' * 90} Anh"))
    tagger = torch_tagger(FakeEncoder(tokenizer), tokenizer, WindowConfig(pieces=16, overlap=4))
    with caplog.at_level(logging.WARNING):
        mentions = tagger.predict([document])[0]
    assert [m.start for m in mentions] == [0, 95]
    assert "a word of 90 pieces is longer than a window; its last 76 are not read" in caplog.text
    assert all(len(window.ids) <= 16 for window in encode_windows(document, tokenizer, tagger.windows))


def test_a_real_model_reads_an_article_of_many_windows(tagger, splitter):
    articles = [tiny_article(number) for number in range(12)]
    text = "\n".join(article.text for article in articles)
    document = splitter(Document("long", text))
    assert len(encode_windows(document, tagger.tokenizer, tagger.windows)) >= 3
    found = {(m.start, m.end, m.type) for m in tagger.predict([document])[0]}
    offset, gold = 0, set()
    for article in articles:
        gold |= {(m.start + offset, m.end + offset, m.type) for m in article.mentions}
        offset += len(article.text) + 1
    third = len(text) // 3
    for low in (0, third, 2 * third):
        part = {span for span in gold if low <= span[0] < low + third}
        assert len(part & found) >= 0.6 * len(part)


def test_predictions_depend_on_no_other_document(tagger, splitter):
    documents = [splitter(tiny_article(number).bare()) for number in (13, 14, 15)]
    documents.append(splitter(Document("long", "\n".join(tiny_article(number).text for number in range(6)))))
    documents.append(Document("empty", ""))
    alone = [tagger.predict([document])[0] for document in documents]
    together = tagger.predict(documents)
    backwards = tagger.predict(documents[::-1])[::-1]
    assert any(alone)
    for one, many, reverse in zip(alone, together, backwards, strict=True):
        assert spans(one) == spans(many) == spans(reverse)
        assert [m.score for m in one] == pytest.approx([m.score for m in many], abs=1e-4)


def test_documents_are_not_changed(tagger, splitter):
    document = splitter(tiny_article(13).bare())
    before = copy.deepcopy(document)
    assert tagger.predict([document])[0]
    assert document == before


def test_windows_that_the_encoder_cannot_take(tokenizer):
    with pytest.raises(QuanheError, match=r"windows\.pieces is 300, but the encoder takes 256"):
        torch_tagger(FakeEncoder(tokenizer), tokenizer, WindowConfig(pieces=300))


def test_batches_hold_every_window_once_and_stay_small():
    lengths = [5, 200, 7, 256, 90, 256, 1]
    groups = list(batches(lengths, tokens=512))
    assert sorted(index for group in groups for index in group) == list(range(7))
    assert all(max(lengths[i] for i in group) * len(group) <= 512 for group in groups)
    assert list(batches([])) == []


def test_training_rows_label_the_first_piece_of_each_word(tokenizer):
    document = SYLLABLES(Document("a", "Tanakamo đến"))
    labels = {"O": 0, "B-X": 1, "I-X": 2}
    (row,) = training_rows([document], [["B-X", "O"]], tokenizer, WindowConfig(), labels)
    pieces = tokenizer(["Tanakamo", "đến"])
    assert pieces.starts[1] > 1  # the name is of several pieces
    assert row["input_ids"] == [tokenizer.bos_id, *pieces.ids, tokenizer.eos_id]
    expected = [-100] * len(row["input_ids"])
    expected[1], expected[1 + pieces.starts[1]] = 1, 0
    assert row["labels"] == expected


def test_a_window_that_begins_inside_a_mention_teaches_no_illegal_start(tokenizer):
    document = SYLLABLES(Document("a", "Anh " * 56))
    labels = {"O": 0, "B-X": 1, "I-X": 2}
    names = ["B-X", *["I-X"] * 29, *["O"] * 26]  # the second window of 14 words is all I-, the third begins so
    rows = training_rows([document], [names], tokenizer, WindowConfig(pieces=16, overlap=0), labels)
    assert [row["labels"][1:-1] for row in rows] == [[1, *[2] * 13], [-100] * 2 + [0] * 12, [0] * 14]


def test_rows_know_the_sentence_of_each_word(tokenizer):
    document = SYLLABLES(Document("a", "Anh.\nAnh Anh"))
    (row,) = training_rows([document], [["O"] * 4], tokenizer, WindowConfig(), {"O": 0})
    assert row["sentences"] == [0, 0, 0, 1, 1, 0]


def test_no_mention_crosses_a_sentence_or_ends_with_a_stray_mark(tokenizer):
    tagger = torch_tagger(FakeEncoder(tokenizer), tokenizer, WindowConfig())
    document = SYLLABLES(Document("a", "Hai Ba\nHai Ba"))
    scores = np.log(np.full((4, 3), 1e-6, dtype=np.float32))
    scores[range(4), [1, 2, 2, 2]] = 0.0  # B-X I-X | I-X I-X
    assert [mention.text for mention in tagger.decode(document, scores)] == ["Hai Ba", "Hai Ba"]
    document = SYLLABLES(Document("a", 'nói "Hai Ba"'))
    scores = np.log(np.full((len(document.words), 3), 1e-6, dtype=np.float32))
    scores[range(len(document.words)), [0, 0, 1, 2, 2]] = 0.0
    assert [mention.text for mention in tagger.decode(document, scores)] == ["Hai Ba"]
