"""CRFsuite's files, read without CRFsuite."""

from __future__ import annotations

from pathlib import Path

import pycrfsuite
import pytest

from pipeline.crfsuite import read_crfsuite
from pipeline.errors import QuanheError

ROWS = [["a", "b=việt nam"], ["a"], ["c", "b=việt nam"], ["ô"]]


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.append(ROWS, ["O", "B-X", "I-X", "O"])
    trainer.append(ROWS[:2], ["B-X", "O"])
    file = tmp_path_factory.mktemp("crf") / "m.crfsuite"
    trainer.train(str(file))
    return file


def test_the_weights_are_those_that_crfsuite_reads(path):
    weights = read_crfsuite(path)
    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    info = tagger.info()
    assert weights.labels == tagger.labels()
    assert sorted(weights.attributes) == sorted(info.attributes) == ["a", "b=việt nam", "c", "ô"]
    states = {
        (attribute, label): weights.states[row, column]
        for row, attribute in enumerate(weights.attributes)
        for column, label in enumerate(weights.labels)
        if weights.states[row, column]
    }
    assert states == pytest.approx(info.state_features, abs=1e-6)
    steps = {
        (first, second): weights.transitions[row, column]
        for row, first in enumerate(weights.labels)
        for column, second in enumerate(weights.labels)
        if weights.transitions[row, column]
    }
    assert steps == pytest.approx(info.transitions, abs=1e-6)
    assert len(states) > 5


def test_a_damaged_file_is_told_from_a_model(path, tmp_path):
    whole, part = path.read_bytes(), tmp_path / "part"
    for content in (b"", b"text", whole[:60], whole[: len(whole) // 2], whole[:200] + b"\xff" * 900, b"x" + whole):
        part.write_bytes(content)
        with pytest.raises(QuanheError, match="no CRFsuite model, or damaged"):
            read_crfsuite(part)
