"""``quanhe suggest``: the least sure articles first, pre-labelled for the tools."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tiny_corpus import tiny_article

from pipeline.commands.convert import convert
from pipeline.commands.suggest import Ranked, choose, suggest
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.interchange.articles import Options
from pipeline.model import load_model
from pipeline.uncertainty import UncertainExtractor, Uncertainty

STRANGE = {
    "strange1": "Hội thảo Mẫu lần ba do Viện Thử, Ngài Bá và Tướng Dụ đồng chủ trì ở Lào, có Bá tước Essai dự.",
    "strange2": "Lữ đoàn Nháp và Bệnh viện Giả khai mạc Giải Cúp Ví; Chuẩn đô đốc Prov cùng bà Muster tặng quà ở Dụ.",
}


@pytest.fixture
def pool(tmp_path) -> Path:
    """Two articles like those that the model knows, two strange ones, an empty one and one from its training."""
    folder = tmp_path / "pool"
    folder.mkdir()
    texts = {f"known{n}": tiny_article(n).text for n in (14, 15)}
    texts |= {**STRANGE, "empty": "", "trained": tiny_article(3).text}
    for name, text in texts.items():
        (folder / f"{name}.txt").write_bytes(text.encode())
    return folder


def ranking(folder: Path) -> list[dict[str, str]]:
    with (folder / "ranking.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_least_sure_come_first(cli, pool, tiny_model, tmp_path):
    outcome = cli("suggest", pool, "-o", tmp_path / "out", "--model", tiny_model, "-n", 2)
    assert outcome.code == 0, outcome.err
    assert outcome.lines == [
        "articles without a text, left out: 1",
        "articles that the model was trained on, left out: 1",
        f"2 of 4 articles suggested, 0 failed: {tmp_path / 'out'}",
    ]
    rows = ranking(tmp_path / "out")
    assert {row["id"] for row in rows[:2]} == set(STRANGE)
    assert [row["chosen"] for row in rows] == ["yes", "yes", "", ""]
    per_word = [float(row["per_word"]) for row in rows]
    assert per_word == sorted(per_word, reverse=True)
    for row in rows:
        total = (float(row["mentions"]) + float(row["facts"])) / int(row["words"])
        assert total == pytest.approx(float(row["per_word"]), abs=1e-4)
        assert row["place"] == str(pool / f"{row['id']}.txt")
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text(encoding="utf-8"))
    assert [task["data"]["id"] for task in tasks] == [row["id"] for row in rows[:2]]
    scores = [task["predictions"][0]["score"] for task in tasks]
    assert 0 < scores[0] <= scores[1] < 1
    assert tasks[0]["predictions"][0]["model_version"] == "tiny"
    assert "<View>" in (tmp_path / "out" / "labels.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("tool", "inner"), [("brat", "articles"), ("doccano", "articles.jsonl"), ("label-studio", "tasks.json")]
)
def test_what_is_written_can_be_read_again(pool, tiny_model, tmp_path, tool, inner):
    model, manifest = load_model(tiny_model)
    done = suggest([str(pool)], UncertainExtractor(model), manifest, tmp_path / "out", top=4, tool=tool)
    read = convert(tmp_path / "out" / inner, tmp_path / "back.jsonl", options=Options(predictions=True))
    documents = [item.document for item in done.chosen]
    assert read.articles == len(documents) == 4
    assert read.mentions == sum(len(document.mentions) for document in documents) > 10
    assert read.relations == sum(len(document.relations) for document in documents) > 2


def test_copies_are_passed_over():
    words = [f"từ{number}" for number in range(60)]
    texts = {"a": words, "copy": [*words[:55], "khác"], "b": words[::-1], "c": [w + "x" for w in words]}
    items = [Ranked(Document(name, " ".join(text)), Uncertainty(60, 1.0, 0.0)) for name, text in texts.items()]
    choose(items, 2)
    assert [(item.document.id, item.chosen, item.copy_of) for item in items] == [
        ("a", True, ""),
        ("copy", False, "a"),
        ("b", True, ""),
        ("c", False, ""),
    ]


@pytest.mark.parametrize("text", ["Trang không có.", " ".join(f"từ{number}" for number in range(60))])
def test_one_of_many_equal_articles_is_chosen(text):
    items = [Ranked(Document(str(number), text), Uncertainty(9, 1.0, 0.0)) for number in range(51)]
    choose(items, 20)
    assert [item.document.id for item in items if item.chosen] == ["0"]
    assert {item.copy_of for item in items[1:]} == {"0"}


def test_records_that_cannot_be_read_do_not_stop_the_rest(cli, pool, tiny_model, tmp_path):
    (pool / "broken.txt").write_bytes(b"\xff\xfe\x00")
    outcome = cli("suggest", pool, "-o", tmp_path / "out", "--model", tiny_model, "--to", "brat", "-n", 1)
    assert outcome.code == 1
    assert "broken.txt" in outcome.lines[0]
    assert outcome.lines[-1].startswith("1 of 4 articles suggested, 1 failed")
    assert len(list((tmp_path / "out" / "articles").glob("*.ann"))) == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--to", "prodigy"], "--to prodigy: choose one of brat, label-studio, doccano"),
        (["--measure", "luck"], "--measure luck: choose one of entropy"),
        (["--model", "none"], "no such folder"),
        (["-o", "full"], "a folder that is not empty"),
        (["nowhere"], "nowhere: not found"),
    ],
)
def test_bad_arguments(cli, tmp_path, tiny_model, monkeypatch, more, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("a")
    given = {"-o": "out", "--model": tiny_model} | dict(
        zip(more[::2], more[1::2], strict=False) if len(more) > 1 else {}
    )
    inputs = more if len(more) == 1 else ["full"]
    outcome = cli("suggest", *inputs, *(part for pair in given.items() for part in pair))
    assert outcome.code == 2
    assert len(outcome.lines) == 1 and message in outcome.err
    assert not (tmp_path / "out").exists()


def test_nothing_left_to_suggest(pool, tiny_model, tmp_path):
    model, manifest = load_model(tiny_model)
    with pytest.raises(
        QuanheError, match=r"no article to suggest \(articles that the model was trained on, left out: 1\)"
    ):
        suggest([str(pool / "trained.txt")], UncertainExtractor(model), manifest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_ids_that_cannot_be_files_are_told_before_the_model_reads(tiny_model, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"id": name, "text": "Anh."}) + "\n" for name in ("x/1", "x:1")))
    model, manifest = load_model(tiny_model)
    with pytest.raises(QuanheError, match=r"would both be x_1\.txt"):
        suggest([str(path)], UncertainExtractor(model), manifest, tmp_path / "out", tool="brat")
