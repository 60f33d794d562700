"""quanhe as its users run it: the command ``quanhe extract``, each time in a process of its own, JSON lines out.

One article after the other goes through the stdin of one warm process (``--batch 1``). All articles lie in a folder:
the time of a command on the first of them is taken from the time of a command on all of them, so that what remains is
the time of the rest, without the start of either.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]
_SHIPPED = _ROOT / "models" / "defence-diplomacy"
_COMMAND = (sys.executable, "-m", "pipeline")


def find_model(exported: str) -> Path:
    """The shipped model, or what ``quanhe export`` has made of it."""
    return Path(exported) if exported else _SHIPPED


def model_bytes(folder: Path, exported: str = "", numbers: str = "", **options: Any) -> int:
    """What is read of the model folder: weights of one engine in one kind of numbers, vocabulary, CRF, settings."""
    model = find_model(exported)
    unread = {file for file in model.glob("onnx/*") if not numbers or f".{numbers}." not in file.name}
    files = (file for file in model.rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files if file not in unread or file.suffix == ".json")


def load(
    folder: Path, exported: str = "", arguments: Sequence[str] = (), workers: int = 1, numbers: str = ""
) -> Command:
    """Nothing is loaded before it is asked for."""
    return Command([*arguments, "--model", str(find_model(exported))], workers)


class Command:
    """``quanhe extract`` with some arguments."""

    def __init__(self, arguments: Sequence[str], workers: int) -> None:
        self._arguments, self._workers = [*_COMMAND, "extract", *arguments], workers
        self._warm: subprocess.Popen[bytes] | None = None
        self._number = 0

    def run(self, texts: list[str]) -> dict[str, Any]:
        """Read the texts; one alone goes to the warm process."""
        return {"found": self._one(texts[0])} if len(texts) == 1 else self._all(texts)

    def _one(self, text: str) -> int:
        if self._warm is None:
            command = [*self._arguments, "-", "--batch", "1"]
            self._warm = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._warm.stdin and self._warm.stdout
        self._number += 1
        line = json.dumps({"id": str(self._number), "text": text}, ensure_ascii=False)
        self._warm.stdin.write(line.encode() + b"\n")
        self._warm.stdin.flush()
        answer = self._warm.stdout.readline()
        if not answer:
            raise RuntimeError(f"quanhe extract ended with exit code {self._warm.wait()}")
        return len(json.loads(answer)["mentions"])

    def _all(self, texts: list[str]) -> dict[str, Any]:
        if self._warm:
            assert self._warm.stdin
            self._warm.stdin.close()
            self._warm.wait()
            self._warm = None
        first = max(1, min(16 * self._workers, len(texts) // 4))
        start, _ = self._folder(texts[:first])
        seconds, found = self._folder(texts)
        if seconds <= start:
            raise RuntimeError("the machine is too busy: all articles took no longer than the first of them")
        rest = sum(len(text.split()) for text in texts[first:])
        return {"found": found, "seconds": seconds - start, "words": rest}

    def _folder(self, texts: Sequence[str]) -> tuple[float, int]:
        """Seconds of a command on these texts, from start to end, and the mentions found."""
        with tempfile.TemporaryDirectory() as scratch:
            articles, output = Path(scratch) / "articles", Path(scratch) / "facts.jsonl"
            articles.mkdir()
            for number, text in enumerate(texts):
                (articles / f"{number:05}.txt").write_bytes(text.encode())
            begin = time.perf_counter()
            command = [*self._arguments, str(articles), "-o", str(output)]
            subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - begin
            lines = output.read_text(encoding="utf-8").split("\n")
        return seconds, sum(len(json.loads(line)["mentions"]) for line in lines if line)
