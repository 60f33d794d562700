"""``quanhe extract`` from the outside: exit codes, streams, bad inputs together, and a kill at any moment."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time
import types
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.commands.extract import extract
from pipeline.document import Document, number_mentions
from pipeline.errors import QuanheError
from pipeline.outputs.work import InProcess
from pipeline.outputs.workers import worth

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"


class FindsAnh:
    """Finds every ``Anh``; fails on texts that hold ``hỏng``."""

    def extract(self, documents: Sequence[Document]) -> list[Document]:
        for document in documents:
            if "hỏng" in document.text:
                raise ValueError("cannot")
            found = re.finditer("Anh", document.text)
            document.mentions = number_mentions(document.text, [(*match.span(), "COUNTRY", 0.9) for match in found])
        return list(documents)


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


@pytest.fixture
def loaded(monkeypatch) -> list[tuple]:
    """Stands in for the real model; holds what it was loaded with."""
    calls: list[tuple] = []

    def load_pipeline(folder: Path, **options: object) -> FindsAnh:
        calls.append((folder, options))
        return FindsAnh()

    module = types.ModuleType("pipeline.model")
    module.load_pipeline = load_pipeline  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pipeline.model", module)
    monkeypatch.setattr("pipeline.commands.extract.default_model", lambda: Path("models/shipped"))
    monkeypatch.setattr("pipeline.commands.extract.worth", lambda paths: 1)
    return calls


@pytest.fixture
def quanhe(loaded, capfd) -> Callable[..., Outcome]:
    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        try:
            main(["extract", *map(str, arguments)])
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


def test_the_seeds_to_stdout(quanhe):
    outcome = quanhe(*sorted(SEEDS.glob("*.txt")))
    assert outcome.code == 0
    assert outcome.err == "5 articles, 0 facts, 0 failed\n"
    assert [found["id"] for found in outcome.objects] == sorted(path.stem for path in SEEDS.glob("*.txt"))
    for found in outcome.objects:
        assert found["text"].encode() == (SEEDS / f"{found['id']}.txt").read_bytes()
        assert all(found["text"][m["start"] : m["end"]] == m["text"] for m in found["mentions"])
    assert sum(len(found["mentions"]) for found in outcome.objects) == sum(
        path.read_text(encoding="utf-8").count("Anh") for path in SEEDS.glob("*.txt")
    )


def test_a_file_as_output_holds_the_same(quanhe, tmp_path):
    to_stdout = quanhe(SEEDS)
    to_file = quanhe(SEEDS, "-o", tmp_path / "facts.jsonl")
    assert to_file.out == ""
    assert (tmp_path / "facts.jsonl").read_text(encoding="utf-8") == to_stdout.out
    assert list(tmp_path.iterdir()) == [tmp_path / "facts.jsonl"]


def test_text_is_unchanged_and_offsets_count_its_code_points(quanhe, tmp_path):
    texts = {
        "1-crlf": "Đại sứ\r\nAnh\r\n",
        "2-nfd": unicodedata.normalize("NFD", "Uỷ viên tiếp Đại sứ Anh"),
        "3-odd": "\ufeff\u200b<s> Anh\N{GRINNING FACE}\u2028Anh </s>",
        "4-long": "Anh" * 100 + "x" * 5_000_000,
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_bytes(text.encode("utf-8"))
    outcome = quanhe(tmp_path)
    objects = [json.loads(line) for line in outcome.out.split("\n")[:-1]]
    assert {found["id"]: found["text"] for found in objects} == texts
    for found in objects:
        assert len(found["mentions"]) == found["text"].count("Anh")
        assert all(found["text"][m["start"] : m["end"]] == "Anh" for m in found["mentions"])


def test_every_kind_of_bad_input_is_told_and_the_rest_goes_on(quanhe, tmp_path):
    folder = tmp_path / "tin"
    folder.mkdir()
    (folder / "a.txt").write_text("Anh", encoding="utf-8")
    (folder / "binary.txt").write_bytes(b"\x00\x01")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "latin.txt").write_bytes(b"Anh\nPh\xe1p")
    (folder / "model.txt").write_text("hỏng", encoding="utf-8")
    (folder / "utf16.txt").write_bytes("Anh".encode("utf-16"))
    (folder / "lines.jsonl").write_bytes(
        b'{"id": "j1", "text": "Anh", "url": "u"}\n{"id"\n{"id": "x"}\n{"text": 5}\n{"text": "\\ud800"}\n'
        b'{"id": "a", "text": "Anh"}\n'
    )
    (folder / "rows.csv").write_bytes("\ufeffid,text,báo\nc1,Anh,QĐND\n".encode())
    (folder / "notes.md").write_text("x")
    output = tmp_path / "facts.jsonl"
    outcome = quanhe(folder, folder / "missing.txt", "-o", output, "--batch", 2)
    assert outcome.code == 1
    objects = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [found["id"] for found in objects] == ["a", "empty", "j1", "a", "c1"]
    assert objects[1]["mentions"] == objects[1]["entities"] == objects[1]["relations"] == objects[1]["facts"] == []
    assert objects[2]["url"] == "u"
    assert objects[4]["báo"] == "QĐND"
    expected = [
        f"{folder}/binary.txt:1: a NUL byte",
        f"{folder}/latin.txt:2: not UTF-8",
        f"{folder}/lines.jsonl:2: not valid JSON",
        f"{folder}/lines.jsonl:3: no field 'text'",
        f"{folder}/lines.jsonl:4: the field 'text' is of type int",
        f"{folder}/lines.jsonl:5: this JSON cannot be kept unchanged: \\ud800",
        f"{folder}/model.txt: the model failed on the article 'model' (ValueError: cannot)",
        f"{folder}/utf16.txt: UTF-16, not UTF-8; convert it: iconv",
        f"{folder}/missing.txt: not found",
        f"{folder}/empty.txt: warning: the text is empty",
        f"{folder}/lines.jsonl:6: warning: an id that another article had before: 'a'",
    ]
    for beginning in expected:
        assert sum(line.startswith(beginning) for line in outcome.errors) == 1, beginning
    assert outcome.errors[-1] == "5 articles, 0 facts, 9 failed"
    assert outcome.errors[-2].startswith("skipped: 1 ")
    assert len(outcome.errors) == len(expected) + 2


@pytest.mark.parametrize("arguments", [["missing.txt"], ["empty"], ["*.txt"], ["broken.jsonl"], ["--batch", "0", "x"]])
def test_nothing_to_read_or_bad_arguments_exit_with_2(quanhe, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.jsonl").write_text("{\n")
    (tmp_path / "facts.jsonl").write_text("of an earlier run")
    outcome = quanhe(*arguments, "-o", "facts.jsonl")
    assert outcome.code == 2
    assert outcome.err
    assert (tmp_path / "facts.jsonl").read_text() == "of an earlier run"
    assert not list(tmp_path.glob("*.part*"))


def test_arguments_are_checked_before_the_model_is_loaded(quanhe, loaded, tmp_path):
    (tmp_path / "bad.yaml").write_text("nonsense: 1\n")
    (tmp_path / "old.jsonl.part").write_text("")
    for arguments in (
        ["missing.txt"],
        [SEEDS, "--resume"],
        [SEEDS, "-o", tmp_path],
        [SEEDS, "-o", tmp_path / "no" / "x.jsonl"],
        [SEEDS, "-o", tmp_path / "old.jsonl"],
        [SEEDS, "--config", tmp_path / "bad.yaml"],
        [SEEDS / "000_3016b4915d3f1670.txt", "-o", SEEDS / "000_3016b4915d3f1670.txt"],
    ):
        outcome = quanhe(*arguments)
        assert outcome.code == 2, arguments
        assert outcome.err.startswith("quanhe: ")
        assert outcome.out == ""
    assert loaded == []


def test_model_and_config_reach_the_loader(quanhe, loaded, tmp_path):
    (tmp_path / "c.yaml").write_text("device: cpu\nrelations: {threshold: 0.9}\n")
    quanhe(SEEDS)
    quanhe(SEEDS, "--model", tmp_path, "--config", tmp_path / "c.yaml")
    assert loaded[0] == (Path("models/shipped"), {})
    folder, options = loaded[1]
    assert folder == tmp_path
    assert (options["config"].device, options["config"].relations.threshold) == ("cpu", 0.9)


def test_field_names(quanhe, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"nr": 1, "body": "Anh"}\n')
    outcome = quanhe(tmp_path, "--id-field", "nr", "--text-field", "body")
    assert [(found["id"], found["text"]) for found in outcome.objects] == [("1", "Anh")]


@pytest.mark.parametrize(
    ("data", "ids"), [(b'{"id": "a", "text": "Anh"}\n{"text": "Anh"}', ["a", "stdin-2"]), (b"Anh\n", ["stdin"])]
)
def test_stdin(quanhe, monkeypatch, data, ids):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert [found["id"] for found in quanhe("-").objects] == ids


def test_the_output_in_the_input_folder_is_not_read(quanhe, tmp_path):
    (tmp_path / "a.txt").write_text("Anh")
    first = quanhe(tmp_path, "-o", tmp_path / "facts.jsonl")
    second = quanhe(tmp_path, "-o", tmp_path / "facts.jsonl")
    assert (first.code, second.code) == (0, 0)
    assert len((tmp_path / "facts.jsonl").read_text().splitlines()) == 1


def test_a_pipe_as_output(quanhe, tmp_path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", str(fifo)], stdout=subprocess.PIPE) as reader:
        try:
            outcome = quanhe(SEEDS, "-o", fifo)
            written = reader.communicate(timeout=20)[0]
        finally:
            reader.kill()
    assert outcome.code == 0
    assert len(written.splitlines()) == 5


def test_resume_without_a_stopped_run_begins_at_the_beginning_and_says_so(quanhe, tmp_path):
    outcome = quanhe(SEEDS, "-o", tmp_path / "facts.jsonl", "--resume")
    assert outcome.code == 0
    assert "starts at the beginning" in outcome.errors[0]
    assert len((tmp_path / "facts.jsonl").read_text(encoding="utf-8").splitlines()) == 5


def test_another_model_does_not_go_on_with_a_stopped_run(quanhe, tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_text('{"text": "Anh"}\n' * 8)
    output = tmp_path / "facts.jsonl"
    calls = iter(range(100))

    def stops(self, documents):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return list(documents)

    with monkeypatch.context() as patch:
        patch.setattr(FindsAnh, "extract", stops)
        assert quanhe(tmp_path / "a.jsonl", "-o", output, "--batch", 2).code != 0
    assert not output.exists()
    again = quanhe(tmp_path / "a.jsonl", "-o", output)
    assert again.code == 2
    assert "--resume, or delete it" in again.err
    other = quanhe(tmp_path / "a.jsonl", "-o", output, "--resume", "--model", tmp_path)
    assert other.code == 2
    assert "models/shipped" in other.err
    same = quanhe(tmp_path / "a.jsonl", "-o", output, "--resume")
    assert same.code == 0
    assert same.errors[-1] == "8 articles, 0 facts, 0 failed"


def test_the_plain_function(tmp_path):
    reported: list[str] = []
    done: list[int] = []
    output = tmp_path / "facts.jsonl"
    summary = extract(
        [str(SEEDS), "missing"], InProcess(FindsAnh()), output, batch=2, report=reported.append, advance=done.append
    )
    assert (summary.articles, summary.failed, summary.exit_code) == (5, 1, 1)
    assert reported == ["missing: not found; check the path and its permissions"]
    assert done == [2, 2, 1]
    with pytest.raises(QuanheError, match="not found"):
        extract(["missing"], InProcess(FindsAnh()), output)


# A slow model in a process of its own, killed again and again.
SLOW_RUN = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from pipeline.commands.extract import extract
    from pipeline.document import number_mentions
    from pipeline.outputs.work import InProcess

    class Slow:
        def extract(self, documents):
            time.sleep(float(sys.argv[3]))
            for document in documents:
                if "hỏng" in document.text:
                    raise ValueError("cannot")
                document.mentions = number_mentions(document.text, [(0, 3, "COUNTRY", 0.5)])
            return list(documents)

    print("ready", flush=True)
    extract([sys.argv[1]], InProcess(Slow()), Path(sys.argv[2]), resume="--resume" in sys.argv, batch=4)
    """
)


def slow_run(source: Path, output: Path, seconds: float, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SLOW_RUN, str(source), str(output), str(seconds), *options]
    return subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_run_killed_at_random_points_goes_on_without_loss_or_repeats(tmp_path):
    source = tmp_path / "tin.jsonl"
    with source.open("w", encoding="utf-8") as stream:
        for number in range(600):
            text = "hỏng" if number % 97 == 0 else f"Anh {number} " + "Việt Nam " * (number % 200)
            stream.write("broken\n" if number % 89 == 1 else json.dumps({"id": f"a{number}", "text": text}) + "\n")
    whole, output = tmp_path / "whole.jsonl", tmp_path / "facts.jsonl"
    assert slow_run(source, whole, 0).wait() == 0

    chance = random.Random(5)
    state = output.with_name("facts.jsonl.part.state")
    kept = []
    for attempt in range(5):
        process = slow_run(source, output, 0.02, "--resume")
        with process:
            process.stdout.readline()
            while attempt > 1 and not state.exists():  # the first ones may be killed before their first checkpoint
                time.sleep(0.01)
            time.sleep(chance.uniform(0.02, 0.2))
            process.kill()
        assert process.wait() == -signal.SIGKILL, f"attempt {attempt} ended before it was killed"
        assert not output.exists()
        kept.append(json.loads(state.read_text())["items"] if state.exists() else 0)
    assert kept == sorted(kept)
    assert kept[-1] > 0

    last = slow_run(source, output, 0, "--resume")
    _, err = last.communicate()
    assert last.returncode == 0
    assert "resumed after" in err
    assert output.read_bytes() == whole.read_bytes()
    ids = [json.loads(line)["id"] for line in output.read_text(encoding="utf-8").splitlines()]
    assert len(ids) == len(set(ids)) == 600 - 7 - 7
    failures = tmp_path / "facts.jsonl.failed.jsonl"
    assert failures.read_bytes() == (tmp_path / "whole.jsonl.failed.jsonl").read_bytes()
    assert len(failures.read_bytes().splitlines()) == 14
    assert not list(tmp_path.glob("*.part*"))


def test_a_folder_as_output_is_written_in_parts_and_not_read(quanhe, tmp_path):
    source = tmp_path / "a.jsonl"
    source.write_text('{"text": "Anh"}\n' * 5 + "broken\n")
    for number, options in enumerate(([f"{tmp_path}/out1/"], [tmp_path / "out2", "--parts", "1000"])):
        outcome = quanhe(source, "-o", *options)
        assert (outcome.code, outcome.errors[-1]) == (1, "5 articles, 0 facts, 1 failed")
        names = sorted(path.name for path in (tmp_path / f"out{number + 1}").iterdir())
        assert names == ["failed.jsonl", "manifest.json", "part-00000.jsonl"]
    settings = json.loads((tmp_path / "out1" / "manifest.json").read_text())["settings"]
    assert settings["model"] == "models/shipped"
    assert len(settings["sha256"]) == 64
    assert quanhe(source, "-o", tmp_path / "out1").code == 2
    assert quanhe(source, "-o", tmp_path / "out1", "--resume").code == 1
    assert quanhe(tmp_path / "out1", "-o", tmp_path / "out1", "--resume").code == 2


def test_tables_as_output(quanhe, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    (tmp_path / "a.jsonl").write_text('{"id": "x", "text": "Anh", "url": "u"}\n')
    assert quanhe(tmp_path / "a.jsonl", "-o", tmp_path / "f.parquet").code == 0
    assert quanhe(tmp_path / "a.jsonl", "-o", tmp_path / "out", "--format", "parquet").code == 0
    for path in (tmp_path / "f.parquet", tmp_path / "out" / "part-00000.parquet"):
        (row,) = parquet.read_table(path).to_pylist()
        assert (row["id"], row["fields"], row["mentions"][0]["text"]) == ("x", '{"url": "u"}', "Anh")
    assert not list(tmp_path.glob("*.part*"))


def test_what_failed_can_be_mended_and_given_again(quanhe, tmp_path):
    source = tmp_path / "a.jsonl"
    lines = [b'{"id": 1, "text": "h\xe1"}', b'{"id": "m", "text": "h\\u1ecfng", "url": "u"}', b'{"id": "n", "body": 1}']
    source.write_bytes(b"\n".join([*lines, b'{"text": "Anh"}']))
    failed = tmp_path / "f.jsonl.failed.jsonl"
    assert quanhe(source, "-o", tmp_path / "f.jsonl").code == 1
    bad, model, nameless = (json.loads(line) for line in failed.open())
    assert base64.b64decode(bad["record_base64"]) == lines[0]
    assert (model["line"], model["id"], model["record"]) == (2, "m", {"url": "u", "id": "m", "text": "hỏng"})
    assert (nameless["id"], nameless["record"]) == ("n", {"id": "n", "body": 1})
    source.write_text('{"text": "Anh"}\n')
    assert quanhe(source, "-o", tmp_path / "f.jsonl").code == 0
    assert not failed.exists()


@pytest.mark.parametrize(
    "options", [["--parts", "5"], ["--format", "x", "-o", "out"], ["--runner", "x"], ["--runner", "ray", "-"]]
)
def test_options_that_make_no_sense(quanhe, loaded, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("Anh")
    assert quanhe("a.txt", *options).code == 2
    assert loaded == []


def test_workers_as_the_input_is_large(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.outputs.workers.cores", lambda: 4)
    monkeypatch.setattr("pipeline.outputs.workers.glob.glob", lambda pattern: [])
    for size, expected in ((10, 1), (1_200_000, 2), (9_000_000, 4)):
        (tmp_path / "a.txt").write_bytes(b"x" * size)
        assert worth([str(tmp_path)]) == expected
    assert worth(["-"]) == 1
    monkeypatch.setattr("pipeline.outputs.workers.glob.glob", lambda pattern: ["/dev/nvidia0"])
    assert worth([str(tmp_path)]) == 1


def test_ctrl_c_leaves_a_checkpoint_and_ends_with_130(quanhe, tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_text('{"text": "Anh"}\n' * 80)
    calls = iter(range(100))
    real = FindsAnh.extract

    def interrupts(self, documents):
        if next(calls) == 4:
            raise KeyboardInterrupt
        return real(self, documents)

    with monkeypatch.context() as patch:
        patch.setattr(FindsAnh, "extract", interrupts)
        outcome = quanhe(tmp_path / "a.jsonl", "-o", tmp_path / "f.jsonl")
    assert (outcome.code, outcome.errors) == (130, ["stopped; go on with --resume"])
    assert json.loads((tmp_path / "f.jsonl.part.state").read_text())["items"] == 64
    assert quanhe(tmp_path / "a.jsonl", "-o", tmp_path / "f.jsonl", "--resume").code == 0
