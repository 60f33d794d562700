"""The batch run: order, isolation, counts, warnings, and going on after a stop."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.document import Document, Fact, number_mentions
from pipeline.errors import Problem, QuanheError
from pipeline.inputs.records import DEFAULT_NAMES, Item, Record, Skipped, make_record
from pipeline.outputs.batch import BatchRun, BatchSummary
from pipeline.outputs.work import InProcess
from pipeline.outputs.writer import Checkpoint, FileWriter

SETTINGS = {"model": "m"}


class FindsAnh:
    """A model that finds every ``Anh``, gives one fact an article, and fails on articles that hold ``hỏng``."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def extract(self, documents: Sequence[Document]) -> list[Document]:
        self.batches.append([document.id for document in documents])
        for document in documents:
            found = re.finditer("Anh", document.text)
            document.mentions += number_mentions(document.text, [(*match.span(), "COUNTRY", 0.9) for match in found])
            document.facts += [Fact("PARTY_TO", "E1", "E2", 0.9, (("T1", "T2"),))]
            if "hỏng" in document.text:
                raise IndexError("index 5 is out of bounds\nfor axis 0")
        return list(documents)


class Lines:
    """A writer that keeps the lines."""

    part = 0

    def __init__(self) -> None:
        self.done = Checkpoint()
        self.lines: list[dict] = []
        self.failures: list[dict] = []
        self.finished = False

    def write(self, line: bytes) -> None:
        self.lines.append(json.loads(line))

    def fail(self, line: bytes) -> None:
        self.failures.append(json.loads(line))

    def checkpoint(self, reached: object) -> None: ...

    def finish(self) -> None:
        self.finished = True


def article(number: int, text: str = "Anh và Pháp", **fields: object) -> Record:
    record = make_record({"id": f"a{number}", "text": text, **fields}, "tin.jsonl", number, DEFAULT_NAMES)
    assert isinstance(record, Record)
    return record


def run(items: Sequence[Item], size: int = 4, model: FindsAnh | None = None):
    """Returns the written objects, the summary and what was reported."""
    writer, reported = Lines(), []
    summary = BatchRun(InProcess(model or FindsAnh()), writer, size, report=reported.append)(iter(items))
    assert writer.finished
    return writer.lines, summary, reported


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_articles_come_out_in_input_order_whatever_the_batch(size):
    items = [article(number, text=f"Anh {number}") for number in range(1, 11)]
    written, summary, reported = run(items, size)
    assert [line["id"] for line in written] == [f"a{number}" for number in range(1, 11)]
    assert [line["mentions"][0]["text"] for line in written] == ["Anh"] * 10
    assert summary == BatchSummary(articles=10, facts=10, failed=0, skipped=0)
    assert str(summary) == "10 articles, 10 facts, 0 failed"
    assert summary.exit_code == 0
    assert reported == []


def test_problems_and_skipped_files_are_told_and_counted():
    items = [
        Problem("x.txt", 3, "not UTF-8"),
        article(1),
        Skipped("notes.md"),
        Skipped("leer.csv", "holds no records"),
        article(2),
        Problem("y.txt", 0, "not found"),
    ]
    written, summary, reported = run(items)
    assert len(written) == 2
    assert summary == BatchSummary(articles=2, facts=2, failed=2, skipped=2)
    assert summary.exit_code == 1
    assert reported == ["x.txt:3: not UTF-8", "leer.csv: holds no records", "y.txt: not found"]


def test_an_article_that_the_model_fails_on_costs_only_itself():
    items = [article(number, text="hỏng Anh" if number in (2, 7) else "Anh") for number in range(1, 9)]
    model = FindsAnh()
    written, summary, reported = run(items, size=4, model=model)
    assert [line["id"] for line in written] == ["a1", "a3", "a4", "a5", "a6", "a8"]
    assert all(len(line["mentions"]) == 1 for line in written)
    assert (summary.articles, summary.failed) == (6, 2)
    assert len(reported) == 2
    assert reported[0].startswith("tin.jsonl:2: the model failed on the article 'a2' (IndexError: index 5")
    assert "\n" not in reported[0]
    assert max(len(batch) for batch in model.batches) == 4


def test_a_document_that_cannot_be_written_costs_only_itself():
    class GivesNan(FindsAnh):
        def extract(self, documents):
            for document in super().extract(documents):
                if document.id == "a2":
                    document.mentions = number_mentions(document.text, [(0, 3, "COUNTRY", float("nan"))])
            return list(documents)

    written, summary, reported = run([article(1), article(2), article(3)], model=GivesNan())
    assert [line["id"] for line in written] == ["a1", "a3"]
    assert summary.failed == len(reported) == 1


def test_a_model_that_mixes_up_documents_is_an_error_of_the_program():
    class Mixes(FindsAnh):
        def extract(self, documents):
            return list(reversed(documents))

    with pytest.raises(RuntimeError):
        run([article(1), article(2)], model=Mixes())


def test_nothing_comes_through():
    writer = Lines()
    with pytest.raises(QuanheError, match=r"no article came through \(2 failed, 0 skipped\)"):
        BatchRun(InProcess(FindsAnh()), writer, report=lambda line: None)(
            iter([Problem("x", 0, "gone"), article(1, "hỏng")])
        )
    assert not writer.finished


def test_duplicate_ids_are_kept_and_warned_of_up_to_a_number():
    items = [article(1, text=f"Anh {number}") for number in range(10)]
    written, summary, reported = run(items)
    assert len(written) == summary.articles == 10
    assert summary.exit_code == 0
    assert reported[0] == "tin.jsonl:1: warning: an id that another article had before: 'a1'"
    assert len(reported) == 6
    assert reported[-1].endswith("4 more articles")


def test_empty_texts_are_written_with_empty_lists_and_warned_of():
    written, summary, reported = run([article(1, text=""), article(2)])
    assert written[0] | {"facts": []} == {
        "id": "a1",
        "text": "",
        "mentions": [],
        "relations": [],
        "entities": [],
        "facts": [],
    }
    assert summary.failed == 0
    assert "empty" in reported[0]


def test_other_fields_are_kept():
    written, _, reported = run([article(1, url="u", tags=["x", {"y": None}], entities="theirs")])
    assert written[0]["url"] == "u"
    assert written[0]["tags"] == ["x", {"y": None}]
    assert written[0]["entities"] == []
    assert "'entities'" in reported[0]


def test_very_long_articles_make_small_batches():
    model = FindsAnh()
    run([article(number, text="x" * 40_000) for number in range(5)], size=100, model=model)
    assert [len(batch) for batch in model.batches] == [2, 2, 1]


def test_reading_does_not_run_ahead_of_writing():
    """Flat memory: no more than one batch is read before it is written."""
    writer = Lines()
    ahead = []

    def items() -> Iterator[Item]:
        for number in range(100):
            ahead.append(number - len(writer.lines))
            yield article(number)

    BatchRun(InProcess(FindsAnh()), writer, size=8)(items())
    assert max(ahead) <= 8


def test_a_report_is_one_line_whatever_a_file_name_holds():
    _, _, reported = run([Problem("a\nb\x1b[31m\udcff.txt", 0, "gone"), article(1)])
    assert reported == ["a\\nb\\x1b[31m\\udcff.txt: gone"]


# Going on after a stop: whatever the moment, the output is that of a run without a stop.


class Stop(BaseException):
    """Stands for a kill: nothing in the program catches it."""


class StopsAt(FindsAnh):
    def __init__(self, call: int) -> None:
        super().__init__()
        self.call = call

    def extract(self, documents):
        if len(self.batches) == self.call:
            raise Stop
        return super().extract(documents)


def mixed_items() -> list[Item]:
    items: list[Item] = []
    for number in range(1, 41):
        if number % 7 == 0:
            items.append(Problem("tin.jsonl", number, "broken"))
        elif number % 11 == 0:
            items.append(Skipped(f"{number}.md"))
        else:
            items.append(article(number, text="hỏng" if number % 13 == 0 else f"Anh {number}"))
    return items


def file_run(output: Path, items: Sequence[Item], model: FindsAnh | None = None, resume: bool = False) -> BatchSummary:
    with FileWriter(output, resume, SETTINGS) as writer:
        return BatchRun(InProcess(model or FindsAnh()), writer, 3, SETTINGS, report=lambda line: None)(iter(items))


@pytest.fixture
def eager_checkpoints(monkeypatch):
    monkeypatch.setattr("pipeline.outputs.writer._CHECKPOINT_SHARE", float("inf"))
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # stands for a kill, not for a power cut: may be slow


@pytest.mark.parametrize("rubbish", [b"", b'{"id": "half', b'{"id": "whole"}\n{"id'])
def test_a_run_stopped_at_any_batch_goes_on_without_loss_or_repeats(tmp_path, eager_checkpoints, rubbish):
    whole = tmp_path / "whole.jsonl"
    summary = file_run(whole, mixed_items())
    for call in range(1, 14):
        output = tmp_path / f"stopped-{call}.jsonl"
        with pytest.raises(Stop):
            file_run(output, mixed_items(), StopsAt(call))
        assert not output.exists()
        part = output.with_name(f"{output.name}.part")
        if part.exists():
            part.write_bytes(part.read_bytes() + rubbish)
        model = FindsAnh()
        assert file_run(output, mixed_items(), model, resume=True) == summary
        assert output.read_bytes() == whole.read_bytes()
    assert len(model.batches) < 8  # what was done is not done again


def test_a_run_killed_between_any_two_steps_on_the_disk_goes_on(tmp_path, eager_checkpoints, monkeypatch):
    whole = tmp_path / "whole.jsonl"
    file_run(whole, mixed_items())
    real = {name: getattr(os, name) for name in ("replace", "fsync")}
    for name in real:
        for after in (False, True):
            for call in range(11):
                output = tmp_path / f"{name}-{after}-{call}.jsonl"
                count = iter(range(1000))

                def step(*arguments, name=name, after=after, call=call, count=count):
                    stop = next(count) == call
                    if stop and not after:
                        raise Stop
                    real[name](*arguments)
                    if stop:
                        raise Stop

                with monkeypatch.context() as patch:
                    patch.setattr(f"os.{name}", step)
                    with pytest.raises(Stop):
                        file_run(output, mixed_items())
                file_run(output, mixed_items(), resume=True)
                assert output.read_bytes() == whole.read_bytes()
                assert not list(tmp_path.glob("*.part*"))


def change_text(items):
    items[0] = article(1, text="Anh đã sửa")


def change_id(items):
    items[1] = Record(Document("other", items[1].document.text), "tin.jsonl", 2)


def repair(items):
    items[6] = article(7)


def break_elsewhere(items):
    items[6] = Problem("tin.jsonl", 99, "broken")


def shorten(items):
    del items[8:]


def put_in_front(items):
    items.insert(0, article(99))


@pytest.mark.parametrize("change", [change_text, change_id, repair, break_elsewhere, shorten, put_in_front])
def test_changed_inputs_are_told_and_nothing_is_lost(tmp_path, eager_checkpoints, change):
    output = tmp_path / "facts.jsonl"
    with pytest.raises(Stop):
        file_run(output, mixed_items(), StopsAt(6))
    items = mixed_items()
    change(items)
    with pytest.raises(QuanheError, match=r"not those of the stopped run, which had come to tin\.jsonl:\d+"):
        file_run(output, items, resume=True)
    assert not output.exists()
    model = FindsAnh()
    file_run(output, mixed_items(), model, resume=True)
    assert "a1" not in model.batches[0]
    file_run(tmp_path / "whole.jsonl", mixed_items())
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_more_articles_at_the_end_are_taken_in(tmp_path, eager_checkpoints):
    output = tmp_path / "facts.jsonl"
    with pytest.raises(Stop):
        file_run(output, mixed_items(), StopsAt(6))
    file_run(output, [*mixed_items(), article(41)], resume=True)
    assert json.loads(output.read_text().splitlines()[-1])["id"] == "a41"
