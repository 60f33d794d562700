"""`quanhe extract` with a model that costs nothing: what reading, passing on, writing and resuming take by themselves.

Usage: python benchmarks/stub_extract.py INPUT OUT [--workers N] [--parts N] [--resume] [--seconds S]

The stub finds every "Việt Nam" and waits S seconds a batch. Other benchmarks start it in place of the real command.
"""

from __future__ import annotations

import argparse
import functools
import re
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.commands.extract import Parts, extract
from pipeline.document import Document, number_mentions
from pipeline.outputs.pool import WorkerPool
from pipeline.outputs.work import InProcess


class Stub:
    """Finds every "Việt Nam"; fails on articles without one."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def extract(self, documents: Sequence[Document]) -> list[Document]:
        time.sleep(self.seconds)
        for document in documents:
            found = re.finditer("Việt Nam", document.text)
            document.mentions = number_mentions(document.text, [(*match.span(), "COUNTRY", 0.9) for match in found])
            if not document.mentions:
                raise ValueError("no country")
        return list(documents)


def load(seconds: float, threads: int) -> Stub:
    return Stub(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parts", type=int)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seconds", type=float, default=0.0)
    arguments = parser.parse_args()
    parts = Parts(arguments.parts) if arguments.parts else None
    loading = functools.partial(load, arguments.seconds)
    quiet = {"report": lambda line: None, "parts": parts, "resume": arguments.resume}
    if arguments.workers == 1:
        summary = extract([arguments.input], InProcess(loading(0)), arguments.output, **quiet)
    else:
        with WorkerPool(loading, arguments.workers) as pool:
            summary = extract([arguments.input], pool, arguments.output, **quiet)
    print(summary)


if __name__ == "__main__":
    main()
