"""Time and memory of a batch run as its input grows: the time must grow with it, the memory must not.

Usage: python benchmarks/growth.py -o FOLDER [--articles 100] [--factors 1 10 100] [--workers 2] [--form jsonl]
       [--stub [SECONDS]] [--parts N]

The input is the articles of this repository, repeated with new ids, as one JSONL or Parquet file in a temporary folder.
Peaks are of resident memory, read from the system five times a second: of the process that reads and writes, and of the
largest worker. Writes growth.jsonl (a line a run), growth.md and growth.svg into FOLDER. With --stub a model that costs
nothing takes the real one's place, so that a million articles are done in minutes and all memory seen is the runner's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from kill import ROOT, run_command, write_articles

SECONDS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=100)
    parser.add_argument("--factors", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--form", choices=["jsonl", "parquet"], default="jsonl")
    parser.add_argument("--stub", type=float, nargs="?", const=0.0)
    parser.add_argument("--parts", type=int)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    options = ["--workers", str(arguments.workers)]
    options += ["--parts", str(arguments.parts)] if arguments.parts else []
    rows = []
    with (arguments.output / "growth.jsonl").open("w", encoding="utf-8") as log:
        for factor in arguments.factors:
            rows.append(measure(arguments.articles * factor, arguments.form, arguments.stub, options))
            print(json.dumps(rows[-1]), file=log, flush=True)
            print(rows[-1], flush=True)
    (arguments.output / "growth.md").write_text(table(rows), encoding="utf-8")
    draw(rows, arguments.output / "growth.svg")


def measure(articles: int, form: str, stub: float | None, options: list[str]) -> dict[str, Any]:
    """One run; sizes in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "articles.jsonl"
        write_articles(source, articles)
        size = source.stat().st_size
        source = to_table(source) if form == "parquet" else source
        began = time.monotonic()
        with (Path(scratch) / "log.txt").open("w+b") as log:
            command = [*run_command(stub, source, options), str(Path(scratch) / "out")]
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
            parent, worker = watch(process)
            seconds = time.monotonic() - began
            if process.returncode not in (0, 1):
                log.seek(0)
                sys.exit(f"the run failed:\n{log.read().decode()}")
    return {
        "articles": articles,
        "megabytes": round(size / 1e6, 1),
        "seconds": round(seconds, 1),
        "parent": round(parent / 1e6),
        "worker": round(worker / 1e6),
    }


def watch(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Peaks of the run and of its largest worker, in bytes, once it has ended."""
    parent = worker = 0
    known = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            parent = max(parent, known.memory_info().rss)
            worker = max([worker, *(child.memory_info().rss for child in known.children())])
        except psutil.Error:
            pass
        time.sleep(SECONDS)
    return parent, worker


def to_table(source: Path) -> Path:
    """The same articles as a Parquet file, in row groups of 1000."""
    import pyarrow.json
    import pyarrow.parquet

    target = source.with_suffix(".parquet")
    schema = pyarrow.schema({"id": pyarrow.string(), "text": pyarrow.string()})
    with pyarrow.json.open_json(source) as reader, pyarrow.parquet.ParquetWriter(target, schema) as writer:
        for batch in reader:
            writer.write_table(pyarrow.Table.from_batches([batch]), row_group_size=1000)
    source.unlink()
    return target


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| articles | input, MB | seconds | articles/s | peak of parent, MB | peak of a worker, MB |"]
    lines.append("| ---: " * 6 + "|")
    for row in rows:
        rate = row["articles"] / row["seconds"]
        cells = (f"{row['articles']:,}", row["megabytes"], row["seconds"], f"{rate:.1f}", row["parent"], row["worker"])
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    articles = [row["articles"] for row in rows]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.loglog(articles, [row["seconds"] for row in rows], "o-")
    left.set(xlabel="articles", ylabel="seconds", title="time")
    for name, label in (("parent", "parent"), ("worker", "largest worker")):
        right.semilogx(articles, [row[name] for row in rows], "o-", label=label)
    right.set(xlabel="articles", ylabel="MB", title="peak memory", ylim=(0, None))
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
