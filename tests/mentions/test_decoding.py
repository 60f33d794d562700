"""The best legal label sequence."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mentions.decoding import adjacency, decode, legal_transitions, viterbi

LABELS = ["O", "B-X", "I-X", "B-Y", "I-Y"]
START, TRANSITIONS = legal_transitions(LABELS)


def is_legal(labels: list[str]) -> bool:
    return all(
        not label.startswith("I-") or before[2:] == label[2:]
        for before, label in zip(["O", *labels], labels, strict=False)
    )


LEGAL = {n: [path for path in product(range(5), repeat=n) if is_legal([LABELS[i] for i in path])] for n in range(5)}


@st.composite
def scores(draw, longest=4, sure=False):
    """Log probabilities of random words; with ``sure`` some words are surely O, as most are."""
    rows = []
    for _ in range(draw(st.integers(0, longest))):
        row = [draw(st.floats(-6, 6)) for _ in LABELS]
        if sure and draw(st.booleans()):
            row[0] = 20.0
        rows.append(row)
    values = np.array(rows, dtype=np.float32).reshape(-1, len(LABELS))
    return values - np.log(np.exp(values).sum(axis=1, keepdims=True))


def best_by_trying_all(values) -> float:
    return max(sum(values[i, label] for i, label in enumerate(path)) for path in LEGAL[len(values)])


@given(scores())
def test_viterbi_finds_what_trying_all_finds(values):
    path = viterbi(values, START, TRANSITIONS)
    assert tuple(path) in LEGAL[len(values)]
    total = sum(values[i, label] for i, label in enumerate(path))
    assert total == pytest.approx(best_by_trying_all(values), abs=1e-4)


def spans_to_labels(spans, words: int) -> list[str]:
    labels = ["O"] * words
    for first, last, kind, _ in spans:
        labels[first:last] = [f"B-{kind}", *[f"I-{kind}"] * (last - first - 1)]
    return labels


@settings(max_examples=300)
@given(scores(longest=12, sure=True))
def test_decoded_spans_are_a_legal_labelling(values):
    spans = decode(values, LABELS, START, TRANSITIONS)
    assert all(0 <= first < last <= len(values) for first, last, _, _ in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert all(kind in "XY" and 0 < score <= 1 + 1e-6 for _, _, kind, score in spans)


@given(scores())
def test_decoded_spans_are_the_best_ones_where_no_word_is_surely_outside(values):
    values = np.minimum(values, np.log(0.998))
    labels = spans_to_labels(decode(values, LABELS, START, TRANSITIONS), len(values))
    total = sum(values[i, LABELS.index(label)] for i, label in enumerate(labels))
    assert total == pytest.approx(best_by_trying_all(values), abs=1e-4)


def probabilities(*words: dict[str, float]):
    rows = [[word.get(label, 1e-6) for label in LABELS] for word in words]
    return np.log(np.array(rows, dtype=np.float32))


def decoded(*words: dict[str, float]):
    spans = decode(probabilities(*words), LABELS, START, TRANSITIONS)
    return [(first, last, kind, round(score, 3)) for first, last, kind, score in spans]


def test_the_score_is_the_geometric_mean_of_the_words():
    assert decoded({"O": 1.0}, {"B-X": 0.9}, {"I-X": 0.4}, {"O": 1.0}) == [(1, 3, "X", 0.6)]


def test_an_inside_label_never_begins_a_span():
    # I-X alone is not legal: the span begins one word earlier, with a lower but legal label.
    assert decoded({"O": 0.6, "B-X": 0.4}, {"I-X": 0.9, "O": 0.1}) == [(0, 2, "X", 0.6)]
    assert decoded({"O": 1.0}, {"I-X": 0.9, "B-X": 0.06, "O": 0.04}) == [(1, 2, "X", 0.06)]
    assert decoded({"B-Y": 0.9}, {"I-X": 0.9, "O": 0.08, "I-Y": 0.02}) == [(0, 1, "Y", 0.9)]


def test_two_spans_of_one_type_may_touch():
    assert decoded({"B-X": 0.9}, {"B-X": 0.9}, {"B-Y": 0.9}, {"I-Y": 0.9}) == [
        (0, 1, "X", 0.9),
        (1, 2, "X", 0.9),
        (2, 4, "Y", 0.9),
    ]


def test_how_rarely_mentions_of_a_type_touch():
    found = adjacency([["B-X", "I-X", "I-X", "O", "B-X", "B-Y", "B-Y", "I-Y"], ["B-X", "O"], []])
    assert {kind: round(math.exp(value), 3) for kind, value in found.items()} == {"X": 0.25, "Y": 0.5}
    assert adjacency([["O", "B-X", "O"]]) == {}


@given(scores())
def test_viterbi_with_a_price_on_touching_mentions(values):
    start, transitions = legal_transitions(LABELS, {"X": -2.0})

    def total(path) -> float:
        touching = sum(LABELS[a][2:] == "X" and LABELS[b] == "B-X" for a, b in pairwise(path))
        return sum(values[i, label] for i, label in enumerate(path)) - 2.0 * touching

    best = max(map(total, LEGAL[len(values)]))
    assert total(viterbi(values, start, transitions)) == pytest.approx(best, abs=1e-4)


def test_a_long_name_stays_one_where_names_never_touch():
    values = probabilities({"B-X": 0.9}, {"I-X": 0.9}, {"B-X": 0.6, "I-X": 0.4})
    plain = decode(values, LABELS, *legal_transitions(LABELS))
    priced = decode(values, LABELS, *legal_transitions(LABELS, {"X": -3.0}))
    assert [span[:2] for span in plain] == [(0, 2), (2, 3)]
    assert [span[:2] for span in priced] == [(0, 3)]


def test_nothing_to_decode():
    assert decode(np.zeros((0, 5), dtype=np.float32), LABELS, START, TRANSITIONS) == []
    assert viterbi(np.zeros((0, 5), dtype=np.float32), START, TRANSITIONS) == []
    assert decoded({"O": 1.0}, {"O": 1.0}) == []


@given(scores(longest=9, sure=True), st.integers(0, 10**6), st.sets(st.integers(1, 8)))
def test_stretches_give_what_the_whole_sequence_gives_under_a_learnt_grammar(values, seed, sentences):
    random = np.random.default_rng(seed)
    start = START + random.normal(size=5).astype(np.float32)
    transitions = TRANSITIONS + random.normal(size=(5, 5)).astype(np.float32)
    found = spans_to_labels(decode(values, LABELS, start, transitions, sentences), len(values))
    expected: list[str] = []
    cuts = [0, *sorted(cut for cut in sentences if cut < len(values)), len(values)]
    for first, last in pairwise(cuts):
        expected += [LABELS[label] for label in viterbi(values[first:last], start, transitions)]
    assert found == expected
