"""The CRF layer against summing and trying all label sequences."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mentions.decoding import viterbi
from pipeline.mentions.grammar import learnt_grammar
from pipeline.mentions.transitions import Transitions

LABELS = ["O", "B-X", "I-X", "B-Y", "I-Y"]


def layer_of(seed: int) -> Transitions:
    torch.manual_seed(seed)
    layer = Transitions(LABELS)
    with torch.no_grad():
        layer.start.normal_()
        layer.between.normal_()
    return layer


def legal(path: tuple[int, ...]) -> bool:
    names = ["O", *(LABELS[label] for label in path)]
    return all(not b.startswith("I-") or a[2:] == b[2:] for a, b in pairwise(names))


def path_score(layer: Transitions, scores: torch.Tensor, path: tuple[int, ...]) -> torch.Tensor:
    total = layer.start[path[0]] + sum(scores[word, label] for word, label in enumerate(path))
    return total + sum(layer.between[a, b] for a, b in pairwise(path))


@given(seed=st.integers(0, 10**6), lengths=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_the_loss_is_the_likelihood_of_the_gold_paths_among_all_legal_ones(seed: int, lengths: list[int]) -> None:
    layer = layer_of(seed)
    pieces = sum(lengths) + 3  # one before, one behind and one inside a word have no label
    logits = torch.randn(1, pieces, len(LABELS))
    labels, sentences = torch.full((1, pieces), -100), torch.zeros(1, pieces, dtype=torch.long)
    expected, at = torch.zeros(()), 1
    generator = torch.Generator().manual_seed(seed)
    for sentence, length in enumerate(lengths):
        places = list(range(at, at + length))
        at += length
        if sentence == 0:  # a word of two pieces: its second has no label
            at += 1
        paths = [path for path in product(range(len(LABELS)), repeat=length) if legal(path)]
        gold = paths[int(torch.randint(len(paths), (), generator=generator))]
        labels[0, places], sentences[0, places] = torch.tensor(gold), sentence
        scores = logits[0, places]
        everything = torch.logsumexp(torch.stack([path_score(layer, scores, path) for path in paths]), 0)
        expected = expected + everything - path_score(layer, scores, gold)
    found = layer.loss(logits, labels, sentences)
    torch.testing.assert_close(found, expected / sum(lengths), rtol=1e-4, atol=1e-4)


@given(seed=st.integers(0, 10**6), words=st.integers(1, 4))
def test_viterbi_finds_the_likeliest_sequence(seed: int, words: int) -> None:
    layer = layer_of(seed)
    scores = torch.randn(words, len(LABELS))
    start, between = learnt_grammar(LABELS, layer.values())
    found = tuple(viterbi(scores.numpy(), start, between))
    paths = [path for path in product(range(len(LABELS)), repeat=words) if legal(path)]
    with torch.no_grad():
        best = max(float(path_score(layer, scores, path)) for path in paths)
        score = float(path_score(layer, scores, found))
    assert legal(found)
    assert score == pytest.approx(best, abs=0.02)  # stored in half precision


def test_rows_do_not_run_into_each_other() -> None:
    layer = layer_of(1)
    logits = torch.randn(2, 3, len(LABELS))
    labels = torch.tensor([[0, 1, 2], [3, 4, 0]])
    same = torch.zeros(2, 3, dtype=torch.long)
    both = layer.loss(logits, labels, same)
    alone = [layer.loss(logits[i : i + 1], labels[i : i + 1], same[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(both, torch.stack(alone).mean())


def test_training_raises_the_likelihood() -> None:
    layer = Transitions(LABELS)
    logits = torch.zeros(1, 4, len(LABELS))
    labels, sentences = torch.tensor([[1, 2, 2, 0]]), torch.zeros(1, 4, dtype=torch.long)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = layer.loss(logits, labels, sentences)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]
    assert all(torch.isfinite(p).all() for p in layer.parameters())
