"""``quanhe evaluate``: a saved model on articles that it has not seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_corpus import marked, tiny_article, write_corpus

from pipeline.commands.evaluate import evaluate
from pipeline.config import Config
from pipeline.errors import ProblemsError, QuanheError


@pytest.fixture
def articles(tmp_path):
    return write_corpus([tiny_article(number) for number in (20, 21, 22)], tmp_path / "articles")


def test_a_folder_of_labelled_articles(tiny_model, articles, tmp_path):
    report = evaluate(tiny_model, articles, tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.json", "report.md", "report.html"}
    assert report.articles == ["tin20", "tin21", "tin22"]
    assert list(report.systems) == ["quanhe", "PhoBERT + rules", "CRF + rules"]
    scores = report.systems["quanhe"]
    assert scores.entities.strict.micro.gold == sum(len(tiny_article(n).mentions) for n in (20, 21, 22))
    assert scores.entities.strict.micro.f1 > 0.6
    assert scores.facts.micro.gold == sum(len(tiny_article(n).relations) for n in (20, 21, 22))
    assert scores.relations_on_gold.strict.micro.gold == scores.facts.micro.gold
    assert scores.relations_on_gold.unseen is not None
    stored = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert stored["systems"]["quanhe"]["entities"]["strict"]["micro"]["f1"] == scores.entities.strict.micro.f1
    assert "gold relations out of reach" in report.about
    assert report.about["gold spans that are whole words"].startswith(f"{scores.entities.strict.micro.gold} of ")


def test_without_data_the_test_articles_of_the_model(tiny_model, tiny_data, tmp_path):
    report = evaluate(tiny_model, None, tmp_path / "report")
    assert report.articles == ["tin13", "tin14", "tin15"]
    stored = json.loads((tiny_model / "scores.json").read_text(encoding="utf-8"))
    assert report.systems["quanhe"].model_dump(mode="json") == stored["systems"]["quanhe"]


@pytest.mark.parametrize(("split", "shown"), [("train", r"tin00 \(training\)"), ("dev", r"tin10 \(early stopping\)")])
def test_articles_that_the_model_has_seen_are_refused(tiny_model, tiny_data, tmp_path, split, shown):
    with pytest.raises(QuanheError, match=f"the model has seen {shown}.*held out"):
        evaluate(tiny_model, Path(tiny_data[split]), tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_seen_text_under_another_name_is_refused(tiny_model, tmp_path):
    article = tiny_article(3)
    article.id = "renamed"
    with pytest.raises(QuanheError, match=r"the model has seen renamed \(training\)"):
        evaluate(tiny_model, write_corpus([article, tiny_article(20)], tmp_path / "a"), tmp_path / "report")


def test_texts_may_lie_in_a_folder_of_their_own(tiny_model, articles, tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    for path in list(articles.glob("*.txt")):
        shutil.move(path, texts / path.name)
    assert len(evaluate(tiny_model, articles, tmp_path / "report", texts=texts).articles) == 3


def test_settings_of_a_config_count(tiny_model, tiny_settings, tiny_data, articles, tmp_path):
    settings = {**tiny_settings, "evaluation": {"resamples": 20, "confidence": 0.5}, "relations": {"threshold": 1.0}}
    report = evaluate(tiny_model, articles, tmp_path / "report", config=Config.model_validate(settings))
    assert (report.resamples, report.confidence) == (20, 0.5)
    assert report.systems["quanhe"].facts.micro.predicted == 0


def test_labels_of_another_schema_are_named(tiny_model, tmp_path):
    foreign = marked("[Mẫu|PERSON] hát [Mưa|SONG]", ["T1 SINGS T2"], "lạ")
    with pytest.raises(ProblemsError) as raised:
        evaluate(tiny_model, write_corpus([foreign], tmp_path / "a"), tmp_path / "report")
    text = str(raised.value)
    assert "SONG" in text
    assert "SINGS" in text
    assert "lạ" in text


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no .ann files in this folder"),
        ({"a.ann": "T1\tPERSON 0 3\tMẫu\n"}, "no text"),
        ({"a.ann": "T1\tPERSON 0 3\tMẫ\n", "a.txt": "Mẫu"}, "a.ann:1: "),
    ],
)
def test_data_that_cannot_be_read(tiny_model, tmp_path, files, message):
    (tmp_path / "a").mkdir()
    for name, content in files.items():
        (tmp_path / "a" / name).write_text(content, encoding="utf-8")
    with pytest.raises(ProblemsError, match=message):
        evaluate(tiny_model, tmp_path / "a", tmp_path / "report")


def test_a_folder_that_is_not_there(tiny_model, tmp_path):
    with pytest.raises(QuanheError, match="no such folder"):
        evaluate(tiny_model, tmp_path / "none", tmp_path / "report")
