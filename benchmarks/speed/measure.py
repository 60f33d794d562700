"""Times a system from outside: start, single articles, all articles, memory of its process with all children."""

from __future__ import annotations

import contextlib
import json
import os
import select
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from pipeline.errors import QuanheError
from speed.catalogue import System
from speed.texts import spread, words

_WORKER = Path(__file__).parent / "worker.py"
_LOOK = 0.1  # seconds between two looks at the memory
_LOOKS_A_FAMILY = 5  # between two searches for children, which take longer
_TRIED = 12  # articles on which settings are compared
_CLEARED = ("OMP_", "MKL_", "KMP_", "OPENBLAS_", "GOTO_", "TOKENIZERS_", "PYTHONPATH")


class Process:
    """One worker; leave it as a ``with`` block and it is gone with all its children.

    Args:
        folder: where its model is.
        log: gets what it writes to stderr.
        threads: for systems that let themselves be told; 0 leaves it to them: all cores.
        patience: seconds to wait for an answer.
    """

    def __init__(self, python: Path, system: System, folder: Path, log: Path, threads: int, patience: float) -> None:
        command = [str(python), str(_WORKER), str(system.path), str(folder), json.dumps(dict(system.options))]
        self._log, self._patience = log, patience
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=_environment(threads)
            )
        self._memory = _Memory(self._process.pid)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        family = _family(self._process.pid)
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10 if error is None else 0)
        for member in family:
            if member.is_running():
                member.kill()
        self._process.wait()
        self._process.stdout.close()
        self._memory.stop()

    @property
    def peak(self) -> int:
        """The most resident memory so far of the process and its children together, in bytes."""
        return self._memory.peak or sum(map(_resident, _family(self._process.pid)))  # gone before the first look

    def ask(self, do: str, texts: Sequence[str] = (), setting: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something (see ``worker``) and wait for the answer.

        Raises:
            QuanheError: it failed, died, or took too long.
        """
        assert self._process.stdin and self._process.stdout
        question = {"do": do, "texts": list(texts), "setting": dict(setting or {})}
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise QuanheError(self._last_words()) from None
        ready, _, _ = select.select([self._process.stdout], [], [], self._patience)
        if not ready:
            raise QuanheError(f"no answer in {self._patience:.0f} s")
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": self._last_words()}
        if "error" in answer:
            raise QuanheError(str(answer["error"]))
        return dict(answer)

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"its process ended: {lines[-1][:200] if lines else 'without a word'}"


class _Memory:
    """Looks at the memory of a process and its children from time to time, seldom enough to take no time from them."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid, self._end = pid, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        family: list[psutil.Process] = []
        looks = 0
        while not self._end.wait(_LOOK):
            if looks % _LOOKS_A_FAMILY == 0:
                family = _family(self._pid)
            looks += 1
            self.peak = max(self.peak, sum(map(_resident, family)))

    def stop(self) -> None:
        self._end.set()
        self._thread.join()


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _resident(member: psutil.Process) -> int:
    try:
        return int(member.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def _environment(threads: int) -> dict[str, str]:
    """A clean shell's: no settings of this machine's, none of the caller's, and no model hub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_CLEARED)}
    kept |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    return {**kept, "OMP_NUM_THREADS": str(threads)} if threads else kept


def measure(
    process: Process, begin: float, texts: Sequence[str], single: int, choice: Mapping[str, Any]
) -> dict[str, Any]:
    """All figures of one round.

    Args:
        process: fresh; ``begin`` is ``time.perf_counter()`` before it was started.
        single: articles that are read one by one; 0 skips this and the start.
        choice: the setting.

    Returns:
        ``startup`` and ``latency`` (seconds), ``seconds`` and ``words`` of all articles, ``memory`` (bytes), ``found``.
    """
    figures: dict[str, Any] = {}
    if single:
        process.ask("run", texts[:1], choice)
        figures["startup"] = time.perf_counter() - begin
        one_by_one = spread(texts, single)
        process.ask("each", one_by_one[:2], choice)
        figures["latency"] = process.ask("each", one_by_one, choice)["seconds"]
    all_at_once = process.ask("run", texts, choice)
    figures |= {"seconds": all_at_once["seconds"], "words": all_at_once.get("words", words(texts))}
    figures |= {key: all_at_once[key] for key in ("found", "gflops") if key in all_at_once}
    return {**figures, "memory": process.peak}


def choose(
    process: Process, texts: Sequence[str], choices: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The fastest setting on a few articles, and what each of them took (words a second)."""
    if len(choices) == 1:
        return dict(choices[0]), []
    few = spread(texts, _TRIED)
    process.ask("run", few[:2], choices[0])
    tried = []
    for choice in choices:
        seconds = process.ask("run", few, choice)["seconds"]
        tried.append({"setting": dict(choice), "words_per_second": round(words(few) / seconds, 1)})
    return max(tried, key=lambda one: one["words_per_second"])["setting"], tried


def quantile(values: Sequence[float], share: float) -> float:
    """Of a few values, between the two nearest ones."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
