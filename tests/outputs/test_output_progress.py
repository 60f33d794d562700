"""The progress line: only on a terminal, only for long runs, and never in the way of what is reported."""

from __future__ import annotations

import io
import sys

import pytest

from pipeline.outputs.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("pipeline.outputs.progress.time.monotonic", lambda: now[0])
    return now


def run(monkeypatch, clock: list[float], stderr: io.StringIO, seconds: float, stdout_used: bool = False) -> str:
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with ProgressLine(stdout_used) as progress:
        clock[0] += seconds
        progress.advance(30)
        progress.report("tin.txt:3: [not] UTF-8")
    return stderr.getvalue()


def test_a_long_run_on_a_terminal_shows_articles_a_second(monkeypatch, clock):
    shown = run(monkeypatch, clock, Terminal(), seconds=10.0)
    assert "30 articles, 3.0 a second" in shown
    assert "tin.txt:3: [not] UTF-8" in shown


def test_a_short_run_shows_nothing(monkeypatch, clock):
    assert run(monkeypatch, clock, Terminal(), seconds=1.0) == "tin.txt:3: [not] UTF-8\n"


def test_without_a_terminal_nothing_is_shown(monkeypatch, clock):
    assert run(monkeypatch, clock, io.StringIO(), seconds=10.0) == "tin.txt:3: [not] UTF-8\n"


def test_documents_on_the_same_terminal_are_progress_enough(monkeypatch, clock):
    monkeypatch.setattr(sys, "stdout", Terminal())
    shown = run(monkeypatch, clock, Terminal(), seconds=10.0, stdout_used=True)
    assert shown == "tin.txt:3: [not] UTF-8\n"
