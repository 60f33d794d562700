from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from pipeline.document import Document, Mention
from pipeline.evaluation.counts import Counts, micro, total
from pipeline.evaluation.entities import (
    align,
    confusion,
    iob2_labels,
    partial_counts,
    seqeval_scores,
    span_counts,
    strict_counts,
)

Make = Callable[..., Document]
TEXT = "Thượng tướng Lê Hà gặp ông Ân ở Huế."
TYPES = ("PERSON", "RANK", "ORG")


def document(spans: list[tuple[int, int, str]], id: str = "a") -> Document:
    mentions = [Mention(f"T{n}", s, e, kind, TEXT[s:e]) for n, (s, e, kind) in enumerate(spans, 1)]
    return Document(id, TEXT, mentions=mentions)


@st.composite
def flat_spans(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    edges = sorted(draw(st.sets(st.integers(0, len(TEXT)), max_size=14)))
    pairs = [(a, b) for a, b in pairwise(edges) if draw(st.booleans())]
    return [(a, b, draw(st.sampled_from(TYPES))) for a, b in pairs]


documents = st.builds(document, flat_spans())


def test_strict_counts_need_the_exact_span_and_type(make: Make) -> None:
    gold = make("[Thượng tướng|RANK] [Lê Hà|PERSON] gặp ông [Ân|PERSON] ở [Huế|ORG].")
    found = make("Thượng [tướng|RANK] [Lê Hà|PERSON] gặp [ông Ân|PERSON] ở [Huế|PERSON].")
    assert strict_counts(gold, found) == {
        "RANK": Counts(0, 1, 1),
        "PERSON": Counts(1, 3, 2),
        "ORG": Counts(0, 0, 1),
    }
    assert seqeval_scores([(gold, found)]) == (0.25, 0.25, 0.25)


def test_partial_needs_overlap_and_type_and_span_only_the_edges(make: Make) -> None:
    gold = make("[Thượng tướng|RANK] [Lê Hà|PERSON] gặp ông [Ân|PERSON] ở [Huế|ORG].")
    found = make("Thượng [tướng|RANK] [Lê Hà|PERSON] gặp [ông Ân|PERSON] ở [Huế|PERSON].")
    assert micro(partial_counts(gold, found)) == Counts(3, 4, 4)
    assert span_counts(gold, found) == Counts(2, 4, 4)


def test_partial_uses_each_mention_once(make: Make) -> None:
    one, two = make("[Lê Hà Ân|PERSON]"), make("[Lê|PERSON] [Hà Ân|PERSON]")
    assert partial_counts(one, two) == {"PERSON": Counts(1, 2, 1)}
    assert partial_counts(two, one) == {"PERSON": Counts(1, 1, 2)}


def test_align_names_every_kind_of_error_and_confusion_counts_them(make: Make) -> None:
    gold = make("[Thượng tướng|RANK] [Lê Hà|PERSON] gặp ông [Ân|PERSON] ở [Huế|ORG] với [Tư|PERSON], Năm, [Bộ|ORG].")
    found = make("Thượng [tướng|RANK] [Lê Hà|PERSON] gặp [ông Ân|RANK] ở [Huế|PERSON] với Tư, [Năm|PERSON], [Bộ|ORG].")
    matches = align(gold, found)
    assert [match.kind for match in matches] == [
        "wrong boundary",
        "correct",
        "wrong type and boundary",
        "wrong type",
        "missed",
        "spurious",
        "correct",
    ]
    assert confusion(matches) == {
        "RANK": {"RANK": 1},
        "PERSON": {"PERSON": 1, "RANK": 1, "–": 1},
        "ORG": {"PERSON": 1, "ORG": 1},
        "–": {"PERSON": 1},
    }


def test_labels_are_cut_at_every_edge_so_an_edge_inside_a_word_is_no_loss(make: Make) -> None:
    gold, found = make("[Việt|ORG]Nam và [Anh|ORG]"), make("[ViệtNam|ORG] và [Anh|ORG]")
    assert iob2_labels(gold.mentions, found.mentions) == (
        ["B-ORG", "O", "O", "B-ORG"],
        ["B-ORG", "I-ORG", "O", "B-ORG"],
    )
    assert seqeval_scores([(gold, found)]) == (0.5, 0.5, 0.5)


@given(st.lists(st.tuples(documents, documents), max_size=3))
def test_raw_counts_equal_seqeval_on_any_flat_spans(pairs: list[tuple[Document, Document]]) -> None:
    counts = total(micro(strict_counts(gold, found)) for gold, found in pairs)
    expected = (counts.precision or 0.0, counts.recall or 0.0, counts.f1 or 0.0)
    assert seqeval_scores(pairs) == pytest.approx(expected)


def _word_labels(spans: set[tuple[int, int, str]], words: list[tuple[int, int]]) -> list[str]:
    labels = ["O"] * len(words)
    for start, end, kind in spans:
        inside = [index for index, word in enumerate(words) if start <= word[0] and word[1] <= end]
        for index in inside:
            labels[index] = f"{'B' if index == inside[0] else 'I'}-{kind}"
    return labels


@st.composite
def word_documents(draw: st.DrawFn) -> tuple[Document, list[str]]:
    """A document whose spans are runs of words, and its IOB2 labels on the words."""
    words = []
    position = 0
    for word in TEXT.split():
        words.append((position, position + len(word)))
        position += len(word) + 1
    edges = sorted(draw(st.sets(st.integers(0, len(words)), max_size=8)))
    runs = [(a, b) for a, b in pairwise(edges) if draw(st.booleans())]
    spans = [(words[a][0], words[b - 1][1], draw(st.sampled_from(TYPES))) for a, b in runs]
    return document(spans), _word_labels(set(spans), words)


@given(word_documents(), word_documents())
def test_scores_equal_seqeval_on_word_labels(
    gold: tuple[Document, list[str]], found: tuple[Document, list[str]]
) -> None:
    expected = [
        score([gold[1]], [found[1]], average="micro", mode="strict", scheme=IOB2, zero_division=0)
        for score in (precision_score, recall_score, f1_score)
    ]
    counts = micro(strict_counts(gold[0], found[0]))
    assert seqeval_scores([(gold[0], found[0])]) == pytest.approx(expected)
    assert (counts.precision or 0, counts.recall or 0, counts.f1 or 0) == pytest.approx(expected)


@given(documents)
def test_a_perfect_prediction_is_all_right(gold: Document) -> None:
    for counts in (micro(strict_counts(gold, gold)), micro(partial_counts(gold, gold)), span_counts(gold, gold)):
        assert counts == Counts(len(gold.mentions), len(gold.mentions), len(gold.mentions))
    assert {match.kind for match in align(gold, gold)} <= {"correct"}


@given(documents, documents)
def test_swapping_the_sides_swaps_precision_and_recall(gold: Document, found: Document) -> None:
    for count in (
        lambda a, b: micro(strict_counts(a, b)),
        lambda a, b: micro(partial_counts(a, b)),
        span_counts,
    ):
        forth, back = count(gold, found), count(found, gold)
        assert (forth.tp, forth.precision, forth.recall) == (back.tp, back.recall, back.precision)


@given(documents, documents, st.randoms())
def test_the_order_of_mentions_does_not_matter(gold: Document, found: Document, random: object) -> None:
    shuffled = Document("a", TEXT, mentions=list(found.mentions))
    random.shuffle(shuffled.mentions)  # type: ignore[attr-defined]
    assert strict_counts(gold, shuffled) == strict_counts(gold, found)
    assert partial_counts(gold, shuffled) == partial_counts(gold, found)
    assert align(gold, shuffled) == align(gold, found)


@given(documents, documents)
def test_align_holds_every_mention_once_and_agrees_with_the_counts(gold: Document, found: Document) -> None:
    matches = align(gold, found)
    assert sorted(m.gold.span for m in matches if m.gold) == sorted(m.span for m in gold.mentions)
    assert sorted(m.predicted.span for m in matches if m.predicted) == sorted(m.span for m in found.mentions)
    kinds = [match.kind for match in matches]
    assert kinds.count("correct") == micro(strict_counts(gold, found)).tp
    assert kinds.count("correct") + kinds.count("wrong boundary") == micro(partial_counts(gold, found)).tp
    assert kinds.count("correct") + kinds.count("wrong type") == span_counts(gold, found).tp


def _most_pairs(golds: list[Mention], found: list[Mention]) -> int:
    """The largest one-to-one matching by overlap, by trying every order."""
    if len(golds) > len(found):
        golds, found = found, golds
    return max(
        sum(a.start < b.end and b.start < a.end for a, b in zip(golds, order, strict=False))
        for order in permutations(found, len(golds))
    )


@given(st.lists(st.integers(0, 12), min_size=8, max_size=8, unique=True), st.sets(st.integers(0, 12), max_size=6))
def test_partial_finds_as_many_pairs_as_possible(gold_edges: list[int], found_edges: set[int]) -> None:
    def spans(edges: list[int]) -> list[tuple[int, int, str]]:
        return [(a, b, "PERSON") for a, b in pairwise(edges)]

    gold, found = document(spans(sorted(gold_edges))[:5]), document(spans(sorted(found_edges)))
    assert micro(partial_counts(gold, found)).tp == _most_pairs(gold.mentions, found.mentions)
