"""Hand-made features of pairs: what they depend on, and what they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import RelationConfig
from pipeline.document import Document, number_mentions
from pipeline.relations.candidates import find_candidates
from pipeline.relations.pair_features import BUCKETS, Feature, PairFeatures, _ranges
from pipeline.schema import Schema
from pipeline.text.words import WordSplitter

TEXT = "Ông Lê Văn An tiếp bà Mary Hill. Hôm sau, ông Trần Bình gặp Mary Hill tại Huế."
NAMES = (("Lê Văn An", "PERSON"), ("Mary Hill", "PERSON"), ("Trần Bình", "PERSON"), ("Huế", "LOCATION"))


def _document(splitter: WordSplitter, text: str = TEXT) -> Document:
    spans = []
    for name, kind in NAMES:
        at = text.find(name)
        while at >= 0:
            spans.append((at, at + len(name), kind, 1.0))
            at = text.find(name, at + 1)
    document = splitter(Document("d", text))
    document.mentions = number_mentions(text, spans)
    return document


def _by_pair(features: list[Feature], pairs: int) -> list[list[tuple[int, ...]]]:
    """For each pair its features, kind by kind."""
    parts: list[list[tuple[int, ...]]] = [[] for _ in range(pairs)]
    for feature in features:
        assert feature.counts.sum() == len(feature.buckets)
        assert feature.counts.shape[1] == pairs
        counts = feature.counts.ravel()
        for number, (end, count) in enumerate(zip(np.cumsum(counts), counts, strict=True)):
            parts[number % pairs].append(tuple(feature.buckets[end - count : end].tolist()))
    return parts


def _features(document: Document, schema: Schema) -> dict[tuple[int, int], list[tuple[int, ...]]]:
    candidates = find_candidates(document, schema, RelationConfig())
    rows = _by_pair(PairFeatures(list(schema.entities))(document, candidates), len(candidates))
    return {(c.head, c.tail): row for c, row in zip(candidates, rows, strict=True)}


def test_every_pair_has_features_in_range(splitter: WordSplitter, schema: Schema) -> None:
    rows = _features(_document(splitter), schema)
    assert rows
    assert all(0 <= bucket < BUCKETS for row in rows.values() for part in row for bucket in part)
    assert all(len(row[0]) == 46 for row in rows.values())  # 9 values, 36 twos, all together


def test_names_do_not_count_but_words_do(splitter: WordSplitter, schema: Schema) -> None:
    plain = _features(_document(splitter), schema)[0, 1]
    other_name = TEXT.replace("Trần Bình", "Trần Chi")
    document = _document(splitter, other_name)
    at = other_name.find("Trần Chi")
    spans = [(m.start, m.end, m.type, 1.0) for m in document.mentions] + [(at, at + len("Trần Chi"), "PERSON", 1.0)]
    document.mentions = number_mentions(other_name, spans)
    assert _features(document, schema)[0, 1] == plain
    assert _features(_document(splitter, TEXT.replace("tiếp bà", "khen bà")), schema)[0, 1] != plain


def test_no_candidates_no_features(splitter: WordSplitter, schema: Schema) -> None:
    document = _document(splitter)
    assert PairFeatures(list(schema.entities))(replace(document, mentions=[]), []) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-5, 50)), max_size=20))
def test_ranges_written_out(stretches: list[tuple[int, int]]) -> None:
    starts, ends = (np.array([s[i] for s in stretches], dtype=np.int64) for i in (0, 1))
    counts, rows, items = _ranges(starts, ends)
    expected = [(row, item) for row, (start, end) in enumerate(stretches) for item in range(start, end)]
    assert list(zip(rows.tolist(), items.tolist(), strict=True)) == expected
    assert counts.sum() == len(expected)


@pytest.mark.parametrize("end", ["", " Hết."])
def test_pairs_at_the_edges_of_the_text(splitter: WordSplitter, schema: Schema, end: str) -> None:
    text = f"Lê Văn An, Mary Hill{end}"
    assert _features(_document(splitter, text), schema)
