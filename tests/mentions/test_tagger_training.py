"""Training of the tagger: what it sees and what it is punished for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.commands.train import train
from pipeline.config import EntityConfig
from pipeline.document import Document
from pipeline.mentions.torch_engine import weights_of
from pipeline.mentions.training import WindowCollator, _make_loss
from pipeline.mentions.transitions import Transitions
from pipeline.model import load_model


def row(tokenizer, words: list[str]) -> dict[str, list[int]]:
    """A window of words; each word's first piece is labelled 0."""
    pieces = tokenizer(words)
    labels = [0 if index in pieces.starts else -100 for index in range(len(pieces.ids))]
    ids = [tokenizer.bos_id, *pieces.ids, tokenizer.eos_id]
    return {"input_ids": ids, "labels": [-100, *labels, -100], "sentences": [0] * len(ids)}


def test_windows_are_padded(tokenizer):
    rows = [row(tokenizer, ["Việt_Nam"]), row(tokenizer, ["Việt_Nam", "Tanakamo"])]
    batch = WindowCollator(tokenizer)(rows)
    assert batch["input_ids"].shape == batch["labels"].shape[:2] == batch["attention_mask"].shape
    assert batch["input_ids"][0].tolist()[:3] == rows[0]["input_ids"]
    assert batch["input_ids"][1].tolist() == rows[1]["input_ids"]
    assert set(batch["input_ids"][0].tolist()[3:]) == {tokenizer.pad_id}
    assert set(batch["labels"][0, :, 0].tolist()[3:]) == {-100}
    assert batch["attention_mask"].sum(dim=1).tolist() == [3, len(rows[1]["input_ids"])]


def test_word_dropout_hides_all_words_and_nothing_else(tokenizer):
    rows = [row(tokenizer, ["Việt_Nam"]), row(tokenizer, ["Việt_Nam", "Tanakamo", "國"])]
    plain = WindowCollator(tokenizer)(rows)
    hidden = WindowCollator(tokenizer, word_dropout=1.0)(rows)
    special = plain["input_ids"] < tokenizer.unk_id  # <s>, <pad>, </s>
    assert torch.equal(hidden["input_ids"][special], plain["input_ids"][special])
    assert set(hidden["input_ids"][~special].tolist()) == {tokenizer.unk_id}
    assert torch.equal(hidden["labels"], plain["labels"])
    assert torch.equal(hidden["attention_mask"], plain["attention_mask"])


def test_the_pieces_of_a_word_are_hidden_together(tokenizer):
    torch.manual_seed(1)
    words = ["Tanakamo", "Oliverxyz", "Probinqua"] * 10
    pieces = tokenizer(words)
    collate = WindowCollator(tokenizer, word_dropout=0.3)
    ids = collate([row(tokenizer, words)])["input_ids"][0].tolist()[1:-1]
    gone = [{ids[i] == tokenizer.unk_id for i in range(*pieces.starts[w : w + 2])} for w in range(len(words))]
    assert all(len(states) == 1 for states in gone)
    assert 2 <= sum(states == {True} for states in gone) <= 18


def test_a_word_whose_beginning_lies_outside_the_window_is_never_hidden(tokenizer):
    item = row(tokenizer, ["Tanakamo", "Việt_Nam"])
    item["labels"][1] = -100  # the window begins inside a mention
    own = len(tokenizer(["Tanakamo"]).ids)
    ids = WindowCollator(tokenizer, word_dropout=1.0)([item])["input_ids"][0].tolist()
    assert ids[: own + 1] == item["input_ids"][: own + 1]
    assert set(ids[own + 1 : -1]) == {tokenizer.unk_id}


def targets(labels: list[int]) -> torch.Tensor:
    """Labels as the collator gives them, all of one sentence."""
    return torch.tensor([[[label, 0] for label in labels]])


def loss_of(rows=(), **settings):
    return _make_loss(SimpleNamespace(), EntityConfig(**settings), rows, 3)


def outputs(logits: list[list[float]]) -> SimpleNamespace:
    return SimpleNamespace(logits=torch.tensor([logits]))


def test_without_weights_the_loss_is_plain_cross_entropy_of_labelled_pieces():
    loss = loss_of()
    labels = targets([0, -100, 2])
    logits = [[1.0, 0.0, 0.5], [9.0, -9.0, 3.0], [0.0, 2.0, 1.0]]
    expected = functional.cross_entropy(torch.tensor([logits[0], logits[2]]), torch.tensor([0, 2]))
    assert loss(outputs(logits), labels, num_items_in_batch=2) == pytest.approx(expected.item())


def test_class_weights_make_mistakes_on_rare_labels_dearer():
    rows = [{"labels": [-100, *[0] * 99, 1, -100]}]
    plain, weighted = (loss_of(rows, class_weights=kind) for kind in ("none", "sqrt"))
    labels = targets([0, 1])
    misses_rare, misses_common = outputs([[3.0, 0.0, 0.0]] * 2), outputs([[0.0, 3.0, 0.0]] * 2)
    assert plain(misses_rare, labels) == pytest.approx(plain(misses_common, labels).item())
    ratio = weighted(misses_rare, labels) / weighted(misses_common, labels)
    assert ratio > 5
    # A label that does not occur weighs as one that occurs once; nothing is infinite.
    assert torch.isfinite(weighted(outputs([[0.0, 0.0, 3.0]]), targets([2])))


def test_label_smoothing_punishes_certainty():
    sure, labels = outputs([[30.0, 0.0, 0.0]]), targets([0])
    assert loss_of(label_smoothing=0.1)(sure, labels) > loss_of()(sure, labels) + 1


def test_with_a_crf_the_loss_is_that_of_its_sequences():
    layer = Transitions(["O", "B-X", "I-X"])
    with torch.no_grad():
        layer.between.normal_()
    logits = [[1.0, 0.0, 0.5], [9.0, -9.0, 3.0], [0.0, 2.0, 1.0]]
    loss = _make_loss(SimpleNamespace(transitions=layer), EntityConfig(crf=True), [], 3)
    labels = targets([1, -100, 2])
    expected = layer.loss(torch.tensor([logits]), labels[..., 0], labels[..., 1])
    assert loss(outputs(logits), labels).item() == pytest.approx(expected.item())


def test_a_model_trained_with_a_crf_keeps_what_it_learnt(tiny_config, tmp_path):
    config = tiny_config.model_copy(update={"entities": tiny_config.entities.model_copy(update={"crf": True})})
    train(config, tmp_path / "model")
    model, _ = load_model(tmp_path / "model")
    learnt = weights_of(model.tagger).config.transitions
    assert np.abs(learnt["between"]).max() > 0.01
    text = sorted(config.data.test[0].path.glob("*.txt"))[0].read_text(encoding="utf-8")
    (found,) = model.extractor().extract([Document("a", text)])
    assert found.mentions
