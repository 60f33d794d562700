"""Copies are trained on, and on nothing else are they seen; and the benchmark that compares operations."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_corpus import tiny_article, write_corpus

from pipeline.config import Config
from pipeline.data.corpus import load_splits
from pipeline.errors import QuanheError
from pipeline.experiment import Materials, train_stages
from pipeline.schema import load_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tiny_settings, tmp_path) -> Config:
    quick = {"entities": {**tiny_settings["entities"], "epochs": 1}, "relations": {"enabled": False}}
    corpus = write_corpus([tiny_article(number) for number in (0, 2, 4)], tmp_path / "corpus")
    augment = {"gazetteers": str(ROOT / "annotations" / "gazetteers"), "copies": 2}
    return Config.model_validate({**tiny_settings, **quick, "data": {"train": str(corpus), "augment": augment}})


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("augmentation_benchmark", ROOT / "benchmarks" / "augmentation.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_copies_are_learnt_from_and_not_counted_as_articles(config, benchmark, tmp_path, monkeypatch):
    import pipeline.experiment as experiment

    seen = {}

    def note(documents, labels, *rest, **options):
        seen[len(seen)] = [(document.id, len(row)) for document, row in zip(documents, labels, strict=True)]
        return real(documents, labels, *rest, **options)

    real = experiment.train_tagger
    monkeypatch.setattr(experiment, "train_tagger", note)
    config = benchmark.arm_config(config, "dates", 1.0)
    train = load_splits(config.data)["train"]
    materials = Materials.load(config, load_schema(config.schema_file))
    said: list[str] = []
    _, manifest = train_stages(materials, train, [], tmp_path, say=said.append)
    ids = [name for name, _ in seen[0]]
    assert ids == ["tin00", "tin02", "tin04", "tin00+1", "tin00+2", "tin02+1", "tin02+2", "tin04+1", "tin04+2"]
    assert all(length for _, length in seen[0])
    assert "augmentation: 6 changed copies of 3 articles" in said
    assert list(manifest.training.articles) == ["tin00", "tin02", "tin04"]
    assert sum(manifest.training.mentions.values()) == sum(len(document.mentions) for document in train)


def test_the_benchmark_goes_on_where_it_stopped_and_prints_its_tables(config, benchmark, tmp_path):
    results = tmp_path / "runs" / "cells.jsonl"
    said: list[str] = []
    arms = ("none", "all")
    cells = benchmark.run(config, results, arms=arms, leave_out=["tin02"], say=said.append)
    assert said == [f"{arm}: without tin02" for arm in arms]
    lines = results.read_text("utf-8").splitlines()
    assert [json.loads(line)["arm"] for line in lines] == list(arms)
    results.write_text("\n".join([lines[0], lines[1][:40]]), encoding="utf-8")  # killed within a line
    said.clear()
    again = benchmark.run(config, results, arms=arms, leave_out=["tin02"], say=said.append)
    assert said == ["all: without tin02"]
    assert [(cell.key, cell.entities) for cell in again] == [(cell.key, cell.entities) for cell in cells]
    assert benchmark.read_cells(results).keys() == {cell.key for cell in cells}
    assert again[0].entities["tin02"]["PERSON"][2] == 2
    text = benchmark.tables(again, config, load_schema(config.schema_file))
    assert re.search(r"^\| all \| 0\.\d+ \[.*\] \| [+-]0\.\d+ \[", text, re.MULTILINE)
    assert "facts F1" not in text  # no relations were trained
    assert "| none | 0." in text
    assert text.splitlines()[0].startswith("1 held-out articles; 95% intervals")


def test_a_changed_label_or_split_is_another_cell(benchmark):
    first, second = tiny_article(0), tiny_article(1)
    relabelled = replace(first, mentions=[replace(first.mentions[0], type="ORG"), *first.mentions[1:]])
    digests = [
        benchmark.articles_digest(*splits)
        for splits in (([first], [second]), ([first, second], []), ([relabelled], [second]), ([first], []))
    ]
    assert len(set(digests)) == 4
    assert benchmark.articles_digest([tiny_article(0)], [tiny_article(1)]) == digests[0]


def test_an_arm_switches_on_its_own_operations_only(config, benchmark):
    off = benchmark.arm_config(config, "none", 0.5).data.augment
    one = benchmark.arm_config(config, "names", 0.5).data.augment
    everything = benchmark.arm_config(config, "all", 0.25).data.augment
    assert all(getattr(off, name) == 0 for name in benchmark.OPERATIONS)
    assert {name for name in benchmark.OPERATIONS if getattr(one, name)} == {"names"}
    assert {getattr(everything, name) for name in benchmark.OPERATIONS} == {0.25}
    assert one.copies == 2 and one.keep_vietnam == 0.95


def test_the_benchmark_can_read_a_folder_instead(config, benchmark, tmp_path):
    folder = write_corpus([tiny_article(7), tiny_article(9)], tmp_path / "held-out")
    cells = benchmark.run(config, tmp_path / "cells.jsonl", arms=["repeated"], data=folder, say=lambda line: None)
    assert set(cells[0].entities) == {"tin07", "tin09"}
    again = write_corpus([tiny_article(7), tiny_article(4)], tmp_path / "seen")
    with pytest.raises(QuanheError, match="tin04 among the articles of train or dev"):
        benchmark.run(config, tmp_path / "cells.jsonl", arms=["none"], data=again)
    with pytest.raises(QuanheError, match="no such arm: nothing"):
        benchmark.run(config, tmp_path / "cells.jsonl", arms=["nothing"])
    with pytest.raises(QuanheError, match="not among the training articles: tin99"):
        benchmark.run(config, tmp_path / "cells.jsonl", leave_out=["tin99"])
