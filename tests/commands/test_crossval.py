"""``quanhe crossval``: every article is read by a model that has not seen it."""

from __future__ import annotations

import re

import pytest
from tiny_corpus import TINY_PAIRS, tiny_article, write_corpus, write_negatives

from pipeline.commands.crossval import crossval
from pipeline.config import Config
from pipeline.data.corpus import load_splits
from pipeline.errors import QuanheError


@pytest.fixture
def config(tiny_settings, tmp_path) -> Config:
    quick = {
        "entities": {**tiny_settings["entities"], "epochs": 6},
        "relations": {**tiny_settings["relations"], "epochs": 3},
    }
    corpus = write_corpus([tiny_article(number) for number in (0, 2, 4)], tmp_path / "corpus")
    return Config.model_validate({**tiny_settings, **quick, "data": {"train": str(corpus)}})


def test_each_article_is_left_out_once(config, tmp_path):
    said: list[str] = []
    report = crossval(config, tmp_path / "report", say=said.append)
    folds = [re.search("leaving out (.*)", line)[1] for line in said if "leaving out" in line]
    assert folds == ["tin00", "tin02", "tin04"]
    assert [line for line in said if line.startswith("entities: ")] == [said[1]] * 3
    assert said[1].startswith("entities: 2 articles, 18 mentions")
    assert sorted(report.articles) == ["tin00", "tin02", "tin04"]
    assert list(report.systems) == ["quanhe", "PhoBERT + rules", "CRF + rules", "features alone"]
    for scores in report.systems.values():
        assert scores.entities.strict.micro.gold == 27
        assert scores.facts.micro.gold == scores.relations_on_gold.strict.micro.gold == 15
    assert report.systems["CRF + rules"].entities.strict.micro.f1 > 0.3
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.json", "report.md", "report.html"}


def test_articles_may_be_left_out_in_groups(config, tmp_path):
    said: list[str] = []
    settings = {**config.resolved(), "entities": {"epochs": 1}, "relations": {"enabled": False}}
    report = crossval(Config.model_validate(settings), tmp_path / "report", folds=2, say=said.append)
    assert [line for line in said if "leaving out" in line] == [
        "fold 1 of 2: leaving out tin00, tin04",
        "fold 2 of 2: leaving out tin02",
    ]
    assert sorted(report.articles) == ["tin00", "tin02", "tin04"]


def test_hard_negatives_are_dealt_out_so_that_every_pair_counts_once(config, tmp_path):
    negatives = write_negatives([tiny_article(number) for number in (5, 7, 9)], tmp_path / "negatives")
    settings = {**config.resolved(), "entities": {"epochs": 1}, "relations": {"enabled": False}}
    settings["data"]["negatives"] = str(negatives)
    report = crossval(Config.model_validate(settings), tmp_path / "report", folds=2)
    for scores in report.systems.values():
        for table in scores.negatives.by_reading.values():
            assert table.micro.pairs == 3 * len(TINY_PAIRS)
    assert report.systems["CRF + rules"].negatives.given.micro.false == 6
    settings["data"]["negatives"] = str(write_negatives([tiny_article(5)], tmp_path / "fewer-than-folds"))
    assert crossval(Config.model_validate(settings), tmp_path / "report").systems["quanhe"].negatives is not None


def test_one_article_is_not_enough(tiny_settings, tmp_path):
    corpus = write_corpus([tiny_article(0)], tmp_path / "one")
    config = Config.model_validate({**tiny_settings, "data": {"train": str(corpus)}})
    with pytest.raises(QuanheError, match=r"at least two training articles, data.train has 1"):
        crossval(config, tmp_path / "report")
    assert len(load_splits(config.data)["train"]) == 1


def test_only_some_articles_may_be_scored(config, tmp_path):
    settings = {**config.resolved(), "entities": {"epochs": 1}, "relations": {"enabled": False}}
    said: list[str] = []
    report = crossval(Config.model_validate(settings), tmp_path / "report", leave_out=["tin02"], say=said.append)
    assert report.articles == ["tin02"]
    assert next(line for line in said if line.startswith("entities: ")).startswith("entities: 2 articles, 18 mentions")
    with pytest.raises(QuanheError, match="not among the training articles: tin99"):
        crossval(config, tmp_path / "report", leave_out=["tin99"])
