"""A model without weights for worker processes: what an article's text says happens to whoever reads it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.document import Document, Fact, number_mentions
from pipeline.errors import QuanheError


class Stub:
    """Finds every ``Anh``; fails on ``hỏng``, dies on ``chết``, and on ``chết TỆP`` only when TỆP is not there yet."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def extract(self, documents: Sequence[Document]) -> list[Document]:
        time.sleep(self.seconds)
        for document in documents:
            if "hỏng" in document.text:
                raise ValueError("cannot")
            if "chết" in document.text:
                _die(document.text.partition("chết ")[2])
            found = re.finditer("Anh", document.text)
            document.mentions = number_mentions(document.text, [(*match.span(), "COUNTRY", 0.9) for match in found])
            document.facts = [Fact("PARTY_TO", "E1", "E2", 0.9, (("T1", "T2"),))]
        return list(documents)


def _die(mark: str) -> None:
    if mark and Path(mark).exists():
        return
    if mark:
        Path(mark).touch()
    os.kill(os.getpid(), signal.SIGKILL)


def load(threads: int) -> Stub:
    assert os.environ["OMP_NUM_THREADS"] == str(threads) == "1"
    return Stub()


def load_slow(threads: int) -> Stub:
    return Stub(0.03)


def load_nothing(threads: int) -> Stub:
    raise QuanheError("model x: no such folder")


def load_and_die(threads: int) -> Stub:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


class Mixes(Stub):
    def extract(self, documents: Sequence[Document]) -> list[Document]:
        return list(reversed(super().extract(documents)))


def load_mixing(threads: int) -> Stub:
    return Mixes()
