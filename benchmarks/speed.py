"""quanhe beside what one would take instead: words a second, latency, memory, sizes, start.

Usage: python benchmarks/speed.py [--systems quanhe transformers …] [--rounds 3] [--texts 0] [--single 40]
           [--threads 0] [--cache runs/speed] [--output benchmarks/results] [--pages README.md docs/performance.md]

All of it runs on the processor of this machine, each system alone in a process of its own, round by round: A B C A B C.
Competitors get a virtual environment each in the cache folder, with the packages of ``benchmarks/speed/pins``; what
cannot be installed or run is a row that says so. Each finished measurement is kept: stopped, the same command goes on
where it was. At the end come ``speed.json`` and ``speed.svg``, and the tables between the marks of the pages.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speed.catalogue import SYSTEMS, System
from speed.machine import describe
from speed.plot import draw
from speed.report import full_block, rewrite, short_block, summarise, table
from speed.rounds import Options, Rounds
from speed.texts import ROOT, load_texts, words

from pipeline.errors import QuanheError


def main(arguments: Sequence[str] | None = None, systems: Sequence[System] = SYSTEMS) -> None:
    """Measure, print the table, write results, plot and pages."""
    parser = _parser([system.key for system in systems])
    given = parser.parse_args(arguments)
    chosen = [system for system in systems if not given.systems or system.key in given.systems]
    texts = load_texts(given.texts)
    options = Options(given.rounds, given.single, given.threads, given.cache, given.patience)
    machine = describe()
    rounds = Rounds(chosen, texts, options, lambda line: print(line, file=sys.stderr, flush=True))
    measured = rounds.run()
    results = {
        "machine": machine,
        "versions": {system.key: rounds.versions(system) for system in chosen if measured[system.key]},
        "texts": {"articles": len(texts), "words": words(texts)},
        "options": {"rounds": options.rounds, "single": options.single, "threads": options.threads},
        "command": _command(given),
        **summarise(chosen, measured, rounds.failed),
        "measurements": measured,
    }
    print(table(results, full=True))
    if not results["rows"]:
        raise QuanheError("not one system was measured")
    _write(results, given.output, given.pages)


def _write(results: dict[str, Any], output: Path, pages: Sequence[Path]) -> None:
    output.mkdir(parents=True, exist_ok=True)
    picture = output / "speed.svg"
    text = json.dumps(results, ensure_ascii=False, indent=1)
    (output / "speed.json").write_text(text + "\n", encoding="utf-8")
    draw(results, picture)
    for page in pages:
        block = short_block if page.name == "README.md" else full_block
        rewrite(page, block(results, os.path.relpath(picture, page.parent)))


def _command(given: argparse.Namespace) -> str:
    """How to get figures like these: what was asked for beside the usual, without places on this machine."""
    usual = _parser([])
    names = ("systems", "rounds", "texts", "single", "threads")
    changed = {name: value for name in names if (value := getattr(given, name)) != usual.get_default(name)}
    if not changed:
        return "make benchmark"
    words = (f"--{name} {' '.join(value) if isinstance(value, list) else value}" for name, value in changed.items())
    return " ".join(["python benchmarks/speed.py", *words])


def _parser(keys: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=keys, metavar="KEY", help=f"of {', '.join(keys)}")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each")
    parser.add_argument("--texts", type=int, default=0, metavar="N", help="articles, evenly spaced; 0: all")
    parser.add_argument("--single", type=int, default=40, metavar="N", help="articles that are read one by one")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="0: each system's own choice, all cores")
    parser.add_argument("--cache", type=Path, default=ROOT / "runs" / "speed", help="environments, models, rounds")
    parser.add_argument("--patience", type=float, default=3600, metavar="S", help="seconds to wait for an answer")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--pages", type=Path, nargs="*", default=[ROOT / "README.md", ROOT / "docs" / "performance.md"])
    return parser


if __name__ == "__main__":
    try:
        main()
    except QuanheError as error:
        print(f"speed: {error}", file=sys.stderr)
        sys.exit(2)
