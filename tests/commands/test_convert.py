"""``quanhe convert`` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_corpus import marked, tiny_article, write_corpus

from pipeline.commands.convert import convert
from pipeline.errors import QuanheError


@pytest.fixture
def corpus(tmp_path) -> Path:
    return write_corpus(map(tiny_article, range(4)), tmp_path / "corpus")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("name", "tool"), [("a.json", "label-studio"), ("a.jsonl", "doccano"), ("b.jsonl", "jsonl")])
def test_there_and_back(cli, corpus, tmp_path, name, tool):
    there = cli("convert", corpus, tmp_path / name, "--to", tool)
    assert (there.code, there.out) == (0, "")
    assert there.lines == [f"4 articles, 40 mentions, 14 relations: brat → {tool}"]
    back = cli("convert", tmp_path / name, tmp_path / "back")
    assert (back.code, back.lines) == (0, [f"4 articles, 40 mentions, 14 relations: {tool} → brat"])
    again = convert(corpus, tmp_path / "again")
    assert again.notes == {}
    assert contents(tmp_path / "back") == contents(tmp_path / "again")


def test_what_conll_cannot_hold_is_told_in_a_line_a_kind(cli, corpus, tmp_path):
    outcome = cli("convert", corpus, tmp_path / "a.conll")
    assert outcome.code == 0
    told = dict(line.rsplit(": ", 1) for line in outcome.lines[:-1])
    assert told["conll does not hold relations"] == "14"
    assert told["conll does not hold article ids"] == "4"
    assert any("text is rebuilt" in kind for kind in told)
    assert outcome.lines[-1].endswith("4 articles, 40 mentions, 0 relations: brat → conll")
    folder = cli("convert", corpus, tmp_path / "conll", "--to", "conll", "--segmenter", "syllables")
    assert folder.code == 0
    assert not any("ids" in line for line in folder.lines)
    assert sorted(path.name for path in (tmp_path / "conll").iterdir()) == [f"tin0{n}.conll" for n in range(4)]
    back = cli("convert", tmp_path / "conll", tmp_path / "c.jsonl")
    assert back.lines[-1] == "4 articles, 40 mentions, 0 relations: conll → jsonl"


def test_one_article_and_texts_of_another_folder(cli, corpus, tmp_path):
    (tmp_path / "texts").mkdir()
    for path in corpus.glob("*.txt"):
        path.rename(tmp_path / "texts" / path.name)
    outcome = cli("convert", corpus / "tin02.ann", tmp_path / "a.jsonl", "--texts", tmp_path / "texts")
    assert (outcome.code, outcome.lines) == (0, ["1 articles, 9 mentions, 5 relations: brat → jsonl"])
    assert json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8"))["id"] == "tin02"


@pytest.mark.parametrize(
    ("tool", "target", "files"),
    [
        ("label-studio", "a.json", {"types.json": "<View>"}),
        ("doccano", "a.jsonl", {"types.json": '"PERSON"', "types-relations.json": '"MEETS"'}),
    ],
)
def test_labelling_settings(cli, corpus, tmp_path, tool, target, files):
    schema = Path(__file__).parents[2] / "annotations" / "schema.yaml"
    more = ["--to", tool, "--labels", tmp_path / "types.json", "--schema", schema]
    assert cli("convert", corpus, tmp_path / target, *more).code == 0
    for name, part in files.items():
        assert part in (tmp_path / name).read_text(encoding="utf-8")
    write_corpus([marked("[Anh|NATION]")], tmp_path / "other")
    outcome = cli("convert", tmp_path / "other", tmp_path / target, *more)
    assert outcome.lines[0] == "labels of type NATION, which the schema has not: 1"


def test_settings_of_a_format_that_has_none(cli, corpus, tmp_path):
    schema = Path(__file__).parents[2] / "annotations" / "schema.yaml"
    outcome = cli("convert", corpus, tmp_path / "a.conll", "--labels", tmp_path / "l", "--schema", schema)
    assert outcome.code == 2
    assert "conll has no labelling settings" in outcome.err
    assert not (tmp_path / "a.conll").exists()


@pytest.mark.parametrize(
    ("source", "target", "labels"),
    [
        ("in.jsonl", "o.json", "in.jsonl"),
        ("in.jsonl", "o.json", "o.json"),
        ("in.jsonl", "o.json", "sub/../o.json"),
        ("in.jsonl", "o.json", "empty"),
        ("in.jsonl", "o.json", "o.json/labels.xml"),
        ("in.jsonl", "new/o.json", "new"),
        ("corpus", "o.json", "corpus/labels.xml"),
        ("in.jsonl", "x-relations.jsonl", "x.jsonl"),
    ],
)
def test_settings_take_the_place_of_nothing(cli, corpus, tmp_path, monkeypatch, source, target, labels):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "sub").mkdir()
    convert(corpus, tmp_path / "in.jsonl")
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    schema = Path(__file__).parents[2] / "annotations" / "schema.yaml"
    tool = "doccano" if target.endswith(".jsonl") else "label-studio"
    outcome = cli("convert", source, target, "--to", tool, "--labels", labels, "--schema", schema)
    assert (outcome.code, len(outcome.lines)) == (2, 1)
    assert "--labels needs a file of its own; name another" in outcome.err
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_predictions_wait_for_someone_to_accept_them(cli, corpus, tmp_path):
    assert cli("convert", corpus, tmp_path / "a.json", "--predictions").code == 0
    tasks = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert all("annotations" not in task and task["predictions"][0]["result"] for task in tasks)
    outcome = cli("convert", tmp_path / "a.json", tmp_path / "back")
    assert outcome.code == 2
    assert "articles without an annotation, left out" in outcome.err
    assert not (tmp_path / "back").exists()
    assert cli("convert", tmp_path / "a.json", tmp_path / "back", "--predictions").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "a.json"], "none: not found"),
        (["corpus", "corpus"], "both input and output"),
        (["corpus", "corpus/in"], "lies in the folder that is read"),
        (["corpus", "full"], "a folder that is not empty; name another"),
        (["corpus", "full", "--to", "doccano"], "a folder, but doccano is one file"),
        (["corpus", "file", "--to", "brat"], "a file, but brat needs a folder"),
        (["corpus", "a.csv"], "cannot tell the format from this name; say it with --to"),
        (["corpus", "a.json", "--to", "prodigy"], "unknown format 'prodigy'"),
        (["corpus", "a.conll", "--segmenter", "jieba"], "unknown segmenter 'jieba'"),
        (["corpus", "a.json", "--columns", "one"], "two numbers are needed"),
        (["corpus", "a.json", "--scheme", "io"], "unknown tagging scheme 'io'"),
        (["file", "a.json", "--from", "jsonl"], "file:1: not valid JSON"),
        (["file", "a.json", "--from", "label-studio"], "file:1: not valid JSON"),
        (["file", "a.json", "--from", "doccano"], "file:1: not valid JSON"),
    ],
)
def test_bad_arguments_are_one_line_and_write_nothing(cli, corpus, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("text")
    before = sorted(tmp_path.rglob("*"))
    outcome = cli("convert", *arguments)
    assert outcome.code == 2
    assert len(outcome.lines) == 1 and message in outcome.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_mistake_in_the_labels_names_file_and_line(cli, corpus, tmp_path):
    with (corpus / "tin01.ann").open("a", encoding="utf-8") as file:
        file.write("R9\tMEETS Arg1:T1 Arg2:T99\n")
    number = len((corpus / "tin01.ann").read_text(encoding="utf-8").splitlines())
    (tmp_path / "a.json").write_text("before")
    outcome = cli("convert", corpus, tmp_path / "a.json")
    assert outcome.code == 2
    assert len(outcome.lines) == 1 and f"tin01.ann:{number}: " in outcome.err
    assert (tmp_path / "a.json").read_text() == "before"


def test_comments_are_counted(cli, corpus, tmp_path):
    with (corpus / "tin01.ann").open("a", encoding="utf-8") as file:
        file.write("#1\tAnnotatorNotes T1\tsure?\n")
    assert cli("convert", corpus, tmp_path / "a.jsonl").lines[0] == "comment lines (#), left out: 1"


def test_ids_that_are_no_file_names(cli, tmp_path):
    def write(*ids: str) -> Path:
        path = tmp_path / "in.jsonl"
        path.write_text("".join(json.dumps({"id": i, "text": "a", "mentions": []}) + "\n" for i in ids))
        return path

    outcome = cli("convert", write("https://bao/1", ".a", ""), tmp_path / "out")
    assert outcome.lines[0] == "brat does not hold article ids: 2"
    assert sorted(path.stem for path in (tmp_path / "out").glob("*.txt")) == ["_a", "https___bao_1", "in-3"]
    outcome = cli("convert", write("a/b", "a:b"), tmp_path / "out2")
    assert "articles 1 and 2 (id 'a:b') would both be a_b.txt" in outcome.err
    assert not (tmp_path / "out2").exists()


@pytest.mark.parametrize(("name", "tool"), [("a.conll", "conll"), ("out", "conll"), ("a.jsonl", "doccano")])
def test_a_format_that_cannot_hold_articles_without_a_text(cli, tmp_path, name, tool):
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "a", "text": "", "mentions": []}\n' * 2)
    outcome = cli("convert", source, tmp_path / name, "--to", tool)
    assert (outcome.code, outcome.lines) == (2, [f"quanhe: {source}: no article has a text; nothing is written"])
    assert list(tmp_path.iterdir()) == [source]


def test_a_place_that_cannot_be_written(corpus, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(QuanheError, match="cannot be written"):
        convert(corpus, tmp_path / "file" / "a.json")
