"""The linear pair classifier: it learns, is saved whole, and says what a damaged file is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_pair_features import _document

from pipeline.config import LinearConfig, RelationConfig
from pipeline.document import Document, Relation
from pipeline.errors import QuanheError
from pipeline.relations.candidates import find_candidates
from pipeline.relations.linear import LinearPairs, train_linear
from pipeline.relations.training import candidate_labels
from pipeline.schema import Schema
from pipeline.text.words import WordSplitter

CONFIG = RelationConfig()
MET, SAW = "Ông Lê Văn An tiếp bà Mary Hill tại Huế.", "Ông Lê Văn An không gặp bà Mary Hill tại Huế."


def _trained(splitter: WordSplitter, schema: Schema) -> LinearPairs:
    documents = []
    for number in range(8):
        document = _document(splitter, MET if number % 2 else SAW)
        if number % 2:
            people = [mention.id for mention in document.mentions if mention.type == "PERSON"]
            document.relations = [Relation("MEETS", people[0], people[1])]
        documents.append(document)
    labels = [candidate_labels(d, find_candidates(d, schema, CONFIG), schema, "ignore") for d in documents]
    return train_linear(documents, labels, schema, CONFIG, LinearConfig(inverse_penalty=10.0))


def _meets(model: LinearPairs, document: Document, schema: Schema) -> float:
    candidates = find_candidates(document, schema, CONFIG)
    index = next(i for i, c in enumerate(candidates) if (c.head, c.tail) == (0, 1))
    return float(model.logits(document, candidates)[index, list(schema.relations).index("MEETS")])


def test_words_between_decide(splitter: WordSplitter, schema: Schema) -> None:
    model = _trained(splitter, schema)
    assert _meets(model, _document(splitter, MET), schema) > 0 > _meets(model, _document(splitter, SAW), schema)


def test_relations_never_seen_are_never_found(splitter: WordSplitter, schema: Schema) -> None:
    model, document = _trained(splitter, schema), _document(splitter, MET)
    logits = model.logits(document, find_candidates(document, schema, CONFIG))
    assert (np.delete(logits, list(schema.relations).index("MEETS"), axis=1) < -10).all()


def test_saved_and_read_again(splitter: WordSplitter, schema: Schema, tmp_path: Path) -> None:
    model, document = _trained(splitter, schema), _document(splitter, MET)
    model.save(tmp_path / "linear.safetensors")
    again = LinearPairs.load(tmp_path / "linear.safetensors", schema)
    candidates = find_candidates(document, schema, CONFIG)
    np.testing.assert_array_equal(again.logits(document, candidates), model.logits(document, candidates))


def test_sums_of_shapes_are_kept_and_forgotten(
    splitter: WordSplitter, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, document = _trained(splitter, schema), _document(splitter, MET)
    candidates = find_candidates(document, schema, CONFIG)
    first = model.logits(document, candidates)
    other = _document(splitter, f"{SAW} {MET}")
    model.logits(other, find_candidates(other, schema, CONFIG))
    np.testing.assert_array_equal(model.logits(document, candidates), first)
    monkeypatch.setattr("pipeline.relations.linear._MAX_SHAPES", 0)
    np.testing.assert_array_equal(model.logits(document, candidates), first)


def test_a_damaged_file_is_named(schema: Schema, tmp_path: Path) -> None:
    path = tmp_path / "linear.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(QuanheError, match=r"linear\.safetensors"):
        LinearPairs.load(path, schema)
