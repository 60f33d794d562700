"""The command line from the outside: bad inputs are one clear line each, odd texts lose nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from tiny_corpus import tiny_article, write_corpus

import pipeline
from pipeline.model import load_model
from pipeline.text.normalise import normalise

ROOT = Path(__file__).parents[1]
TEXT = tiny_article(14).text


def assert_error(outcome, *messages: str) -> None:
    """Exit code 2 and exactly these messages on stderr, a line each."""
    assert outcome.code == 2
    assert outcome.out == ""
    assert len(outcome.lines) == len(messages), outcome.err
    for line, message in zip(outcome.lines, messages, strict=True):
        assert message in line
    assert outcome.err.startswith("quanhe: ")


def assert_offsets(found: dict) -> None:
    text = found["text"]
    ends = {mention["id"]: mention for mention in found["mentions"]}
    for mention in ends.values():
        assert 0 <= mention["start"] < mention["end"] <= len(text)
        assert text[mention["start"] : mention["end"]] == mention["text"]
        assert not mention["text"][0].isspace()
        assert not mention["text"][-1].isspace()
    entities = {entity["id"]: entity for entity in found["entities"]}
    assert all(mention["id"] in entities[mention["entity"]]["mentions"] for mention in ends.values())
    assert all(relation["head"] in ends and relation["tail"] in ends for relation in found["relations"])
    for fact in found["facts"]:
        sides = {fact["head"], fact["tail"]}
        assert sides <= entities.keys()
        assert all({ends[head]["entity"], ends[tail]["entity"]} == sides for head, tail in fact["evidence"])


def test_version_and_help(cli):
    assert cli("--version").out == f"quanhe {pipeline.__version__}\n"
    shown = cli("--help").out
    assert all(command in shown for command in ("train", "extract", "evaluate", "crossval", "validate"))
    assert cli("no-such-command").code == 2


def test_as_a_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "validate", "--config", str(tmp_path / "none.yaml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"quanhe: {tmp_path / 'none.yaml'}: cannot be read (No such file or directory)")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["train", "crossval", "validate"])
def test_a_config_with_three_mistakes(cli, tmp_path, command):
    config = tmp_path / "c.yaml"
    config.write_text("seed: -1\nentities:\n  epoch: 3\nrelations: {encoding: marker}\n", encoding="utf-8")
    assert_error(
        cli(command, "--config", config),
        f"{config}:1: seed: input should be greater than or equal to 0 (found -1)",
        f"{config}:3: unknown key entities.epoch; did you mean epochs?",
        f"{config}:4: relations.encoding: input should be 'markers', 'levitated' or 'pooled' (found 'marker')",
    )


@pytest.mark.parametrize("command", ["train", "crossval", "validate", "evaluate", "extract"])
def test_a_config_that_is_not_there(cli, tmp_path, command):
    more = [ROOT / "seeds"] if command == "extract" else []
    assert_error(cli(command, *more, "--config", tmp_path / "none.yaml"), "none.yaml: cannot be read")


@pytest.mark.parametrize("content", ["", "# only a comment\n"])
def test_an_empty_config_trains_on_nothing(cli, tmp_path, content):
    (tmp_path / "c.yaml").write_text(content)
    outcome = cli("train", "--config", tmp_path / "c.yaml", "-o", tmp_path / "m")
    assert_error(outcome, "no labelled training articles; set data.train")


def test_overrides_reach_the_config(cli, tmp_path):
    (tmp_path / "c.yaml").write_text("seed: 1\n")
    assert_error(cli("train", "-c", tmp_path / "c.yaml", "entities.epocs=3"), "did you mean epochs?")
    assert_error(cli("train", "-c", tmp_path / "c.yaml", "nonsense"), "override 'nonsense': write it as key.sub=value")


def test_a_model_that_is_not_there_or_is_none(cli, tmp_path):
    for arguments in (["extract", ROOT / "seeds"], ["evaluate"]):
        assert_error(cli(*arguments, "--model", tmp_path / "none"), "no such folder; run `make train`")
        assert_error(cli(*arguments, "--model", tmp_path), "quanhe.json is missing, so this is no quanhe model")


@pytest.mark.parametrize("part", ["entities/model.safetensors", "relations/pair_head.safetensors"])
def test_a_model_with_weights_cut_off(cli, tiny_model, tmp_path, part):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "m"))
    with (folder / part).open("r+b") as file:
        file.truncate(1000)
    for arguments in (["extract", ROOT / "seeds"], ["evaluate"]):
        assert_error(cli(*arguments, "--model", folder), f"{part} has 1000 bytes instead of ")


def test_evaluate_prints_a_table_and_names_the_report(cli, tiny_model, tmp_path):
    outcome = cli("evaluate", "--model", tiny_model, "-o", tmp_path / "report")
    assert outcome.code == 0, outcome.err
    assert all(word in outcome.out for word in ("quanhe", "CRF + rules", "facts"))
    assert outcome.err.endswith(f"report: {tmp_path / 'report' / 'report.html'}\n")
    assert (tmp_path / "report" / "report.html").is_file()


def test_evaluate_goes_on_without_hard_negatives(cli, tiny_model, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {{negatives: {tmp_path / 'none'}}}\n", encoding="utf-8")
    data = write_corpus([tiny_article(20)], tmp_path / "articles")
    outcome = cli("evaluate", "--model", tiny_model, "-c", config, "--data", data, "-o", tmp_path / "report")
    assert outcome.code == 0, outcome.err
    told = [line for line in outcome.lines if "false relations are not counted" in line]
    assert len(told) == 1
    assert told[0].startswith(f"quanhe: no folder {tmp_path / 'none'}: ")
    assert "False relations" not in outcome.out


def test_evaluate_refuses_what_the_model_has_seen(cli, tiny_model, tiny_data, tmp_path):
    outcome = cli("evaluate", "--model", tiny_model, "--data", tiny_data["train"], "-o", tmp_path / "report")
    assert_error(outcome, "the model has seen tin00 (training)")


def test_settings_need_a_config(cli, tiny_model):
    assert_error(cli("evaluate", "--model", tiny_model, "--set", "seed=1"), "--set changes a setting of --config")


def test_train_writes_a_model_and_prints_its_scores(cli, tiny_settings, tiny_data, tmp_path):
    settings = {**tiny_settings, "data": {"train": tiny_data["train"], "test": tiny_data["test"]}}
    (tmp_path / "c.yaml").write_text(json.dumps(settings), encoding="utf-8")
    arguments = ["entities.epochs=1", "relations.enabled=false"]
    outcome = cli("train", "-c", tmp_path / "c.yaml", "-o", tmp_path / "m", *arguments)
    assert outcome.code == 0, outcome.err
    assert "quanhe" in outcome.out
    assert outcome.lines[-1] == f"model: {tmp_path / 'm'}"
    assert not [line for line in outcome.lines if "it/s" in line or "Warning" in line]
    assert (tmp_path / "m" / "quanhe.json").is_file()
    assert load_model(tmp_path / "m")[0].engine.startswith("onnx")
    outcome = cli("train", "-c", tmp_path / "c.yaml", "-o", tmp_path / "m", "--no-onnx", *arguments)
    assert outcome.code == 0, outcome.err
    assert load_model(tmp_path / "m")[0].engine == "torch"


def test_crossval_prints_a_table(cli, tiny_settings, tmp_path):
    corpus = write_corpus([tiny_article(0), tiny_article(2)], tmp_path / "corpus")
    (tmp_path / "c.yaml").write_text(json.dumps({**tiny_settings, "data": {"train": str(corpus)}}), encoding="utf-8")
    arguments = ["entities.epochs=1", "relations.enabled=false", "-o", tmp_path / "report"]
    outcome = cli("crossval", "-c", tmp_path / "c.yaml", *arguments)
    assert outcome.code == 0, outcome.err
    assert "CRF + rules" in outcome.out
    assert (tmp_path / "report" / "report.json").is_file()


ODD_TEXTS = {
    "plain": TEXT,
    "crlf": TEXT.replace("\n", "\r\n"),
    "nfd": unicodedata.normalize("NFD", TEXT),
    "zero-width": TEXT.replace(" ", "\u200b ").replace("n", "n\u200d"),
    "soft-hyphens": TEXT.replace("i", "i\u00ad"),
    "bom": "\ufeff" + TEXT,
    "special-tokens": f"<s> {TEXT} </s> <mask> <pad> <unk> @@ </w>",
    "no-break-spaces": TEXT.replace(" ", "\u00a0"),
    "indented": "      " + TEXT.replace("\n", "\n\n\t      "),
    "old-tones": TEXT.replace("hoà", "hòa"),
    "emoji": TEXT.replace(". ", ". \N{GRINNING FACE}\N{VARIATION SELECTOR-16} "),
    "controls": TEXT.replace(" đã", "\x01\x0b\x85đã"),
    "bengali": TEXT + " \u09dc\u09dc",
    "blank": " \n\t",
    "empty": "",
}


def test_odd_texts_come_back_unchanged_with_offsets_that_hold(cli, tiny_model, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in ODD_TEXTS.items():
        (folder / f"{name}.txt").write_bytes(text.encode())
    outcome = cli("extract", folder, "--model", tiny_model)
    assert outcome.code == 0, outcome.err
    objects = {found["id"]: found for found in outcome.objects}
    assert list(objects) == sorted(ODD_TEXTS)
    plain = [(mention["type"], mention["text"]) for mention in objects["plain"]["mentions"]]
    assert len(plain) >= 5
    for name, found in objects.items():
        assert found["text"] == ODD_TEXTS[name]
        assert_offsets(found)
        if name in ("crlf", "nfd", "zero-width", "soft-hyphens", "bom", "no-break-spaces"):
            # The model reads the same words, so it finds the same things.
            assert [(m["type"], " ".join(normalise(m["text"]).text.split())) for m in found["mentions"]] == plain, name
    assert objects["empty"]["mentions"] == objects["blank"]["mentions"] == []
    assert sorted(line.split(": warning: ")[0].rpartition("/")[2] for line in outcome.lines if "warning" in line) == [
        "blank.txt",
        "empty.txt",
    ]


def test_files_that_are_no_text_are_told_and_the_rest_goes_on(cli, tiny_model, tmp_path):
    files = {
        "a-good.txt": TEXT.encode(),
        "b-binary.txt": b"\x7fELF\x00\x01",
        "c-latin.txt": b"Anh v\xe0 Ph\xe1p",
        "d-utf16.txt": TEXT.encode("utf-16"),
        "e-good.txt": TEXT.encode(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    outcome = cli("extract", tmp_path, "--model", tiny_model)
    assert outcome.code == 1
    assert [found["id"] for found in outcome.objects] == ["a-good", "e-good"]
    for found in outcome.objects:
        assert_offsets(found)
    for name, message in (("b-binary", "NUL byte"), ("c-latin", "not UTF-8"), ("d-utf16", "UTF-16, not UTF-8")):
        assert len([line for line in outcome.lines if f"{name}.txt" in line and message in line]) == 1
    assert outcome.lines[-1].endswith(", 3 failed")
    assert len(outcome.lines) == 4


def test_a_line_of_five_megabytes_without_blanks(cli, tiny_model, tmp_path):
    filler = "\U00020bb7" * 640_000  # a letter of four bytes: five megabytes in the fewest pieces
    text = filler + TEXT.replace(" ", "\u200b").replace("\n", "") + "\N{GRINNING FACE}" + filler
    (tmp_path / "long.txt").write_text(text, encoding="utf-8", newline="")
    assert (tmp_path / "long.txt").stat().st_size > 5_000_000
    outcome = cli("extract", tmp_path / "long.txt", "--model", tiny_model)
    assert outcome.code == 0, outcome.err
    (found,) = outcome.objects
    assert found["text"] == text
    assert_offsets(found)
    assert outcome.lines[-1].startswith("1 articles, ")


def test_the_shipped_model_reads_the_seeds(cli):
    if not (ROOT / "models" / "defence-diplomacy").is_dir():
        pytest.skip("no trained model in models/; run make train")
    outcome = cli("extract", ROOT / "seeds", "--model", ROOT / "models" / "defence-diplomacy")
    assert outcome.code == 0, outcome.err
    assert len(outcome.objects) == 5
    for found in outcome.objects:
        assert found["facts"]
        assert_offsets(found)
