"""Training of the tagger: what it sees and what it is punished for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from pipeline.mentions.training import WindowCollator, _make_loss


def row(tokenizer, words: list[str]) -> dict[str, list[int]]:
    """A window of words; each word's first piece is labelled 0."""
    pieces = tokenizer(words)
    labels = [0 if index in pieces.starts else -100 for index in range(len(pieces.ids))]
    return {"input_ids": [tokenizer.bos_id, *pieces.ids, tokenizer.eos_id], "labels": [-100, *labels, -100]}


def test_windows_are_padded(tokenizer):
    rows = [row(tokenizer, ["Việt_Nam"]), row(tokenizer, ["Việt_Nam", "Tanakamo"])]
    batch = WindowCollator(tokenizer)(rows)
    assert batch["input_ids"].shape == batch["labels"].shape == batch["attention_mask"].shape
    assert batch["input_ids"][0].tolist()[:3] == rows[0]["input_ids"]
    assert batch["input_ids"][1].tolist() == rows[1]["input_ids"]
    assert set(batch["input_ids"][0].tolist()[3:]) == {tokenizer.pad_id}
    assert set(batch["labels"][0].tolist()[3:]) == {-100}
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


def outputs(logits: list[list[float]]) -> SimpleNamespace:
    return SimpleNamespace(logits=torch.tensor([logits]))


def test_without_weights_the_loss_is_plain_cross_entropy_of_labelled_pieces():
    loss = _make_loss("none", 0.0, [], 3)
    labels = torch.tensor([[0, -100, 2]])
    logits = [[1.0, 0.0, 0.5], [9.0, -9.0, 3.0], [0.0, 2.0, 1.0]]
    expected = functional.cross_entropy(torch.tensor([logits[0], logits[2]]), torch.tensor([0, 2]))
    assert loss(outputs(logits), labels, num_items_in_batch=2) == pytest.approx(expected.item())


def test_class_weights_make_mistakes_on_rare_labels_dearer():
    rows = [{"labels": [-100, *[0] * 99, 1, -100]}]
    plain, weighted = (_make_loss(kind, 0.0, rows, 3) for kind in ("none", "sqrt"))
    labels = torch.tensor([[0, 1]])
    misses_rare, misses_common = outputs([[3.0, 0.0, 0.0]] * 2), outputs([[0.0, 3.0, 0.0]] * 2)
    assert plain(misses_rare, labels) == pytest.approx(plain(misses_common, labels).item())
    ratio = weighted(misses_rare, labels) / weighted(misses_common, labels)
    assert ratio > 5
    # A label that does not occur weighs as one that occurs once; nothing is infinite.
    assert torch.isfinite(weighted(outputs([[0.0, 0.0, 3.0]]), torch.tensor([[2]])))


def test_label_smoothing_punishes_certainty():
    sure, labels = outputs([[30.0, 0.0, 0.0]]), torch.tensor([[0]])
    assert _make_loss("none", 0.1, [], 3)(sure, labels) > _make_loss("none", 0.0, [], 3)(sure, labels) + 1
