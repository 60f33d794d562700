"""Kill a batch run with SIGKILL again and again, and check that nothing is lost and nothing written twice.

Usage: python benchmarks/kill.py [--kills 100] [--articles 400] [--workers 2] [--parts N] [--stub [SECONDS]] [--seed 1]
       [--mean SECONDS]

The articles are those of this repository, repeated with new ids, with broken lines between them. Each kill hits, at a
random moment, the run itself or one of its worker processes; a run that was hit is started again with --resume, and a
finished one is followed by another from the beginning, until all kills are used up. In the end every output must equal
that of an unbroken run, byte for byte. With --stub a model that only waits SECONDS a batch takes the real one's place.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

AT_WORK = 0.8  # the share of kills that come after the run has written something; the others may hit its start
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--articles", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parts", type=int)
    parser.add_argument("--stub", type=float, nargs="?", const=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mean", type=float, default=3.0, help="seconds from one kill to the next")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "articles.jsonl"
        write_articles(source, arguments.articles, broken=17)
        options = ["--workers", str(arguments.workers)]
        options += ["--parts", str(arguments.parts)] if arguments.parts else []
        command = run_command(arguments.stub, source, options)
        began = time.monotonic()
        whole = finish(command, folder / "whole")
        print(f"unbroken run: {time.monotonic() - began:.0f} s", flush=True)
        chance = random.Random(arguments.seed)
        kills: Counter[str] = Counter()
        outputs = 0
        while kills.total() < arguments.kills:
            outputs += 1
            output = folder / "killed"
            kill_until_done(command, output, chance, kills, arguments.kills, arguments.mean)
            check(output, whole)
            remove(output)
            print(f"{outputs} outputs, {kills.total()} kills", flush=True)
        every = ", ".join(f"{count} of {who}" for who, count in sorted(kills.items()))
        print(f"{kills.total()} SIGKILLs ({every}) over {outputs} outputs of {arguments.articles} articles: ", end="")
        print("every record exactly once, every byte as in the unbroken run")


def write_articles(path: Path, count: int, broken: int = 0) -> None:
    """Articles of this repository, repeated with new ids; with ``broken``, each so-manieth line is no JSON."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("annotations/authored/*.txt"))]
    with path.open("w", encoding="utf-8") as stream:
        for number in range(count):
            line = json.dumps({"id": f"a{number}", "text": texts[number % len(texts)]}, ensure_ascii=False)
            stream.write("{broken\n" if broken and number % broken == broken - 1 else f"{line}\n")


def run_command(stub: float | None, source: Path, options: Sequence[str]) -> list[str]:
    """The start of a command line; the output comes behind ``-o`` or by itself."""
    if stub is None:
        return [sys.executable, "-m", "pipeline", "extract", str(source), *options, "-o"]
    return [sys.executable, "benchmarks/stub_extract.py", str(source), *options, "--seconds", str(stub)]


def start(command: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
    with log_of(output).open("wb") as log:
        return subprocess.Popen([*command, str(output), "--resume"], cwd=ROOT, stdout=log, stderr=log)


def log_of(output: Path) -> Path:
    """What the latest run has said."""
    return output.with_name("log.txt")


def finish(command: Sequence[str], output: Path) -> dict[str, bytes]:
    """Run to the end; returns what was written."""
    if start(command, output).wait() not in (0, 1):
        sys.exit(f"the run failed:\n{log_of(output).read_text()}")
    return dict(contents(output))


def contents(output: Path) -> Iterator[tuple[str, bytes]]:
    """Each file of an output by what comes after its name."""
    if output.is_dir():
        yield from ((path.name, path.read_bytes()) for path in output.iterdir())
    else:
        paths = output.parent.glob(f"{output.name}*")
        yield from ((path.name.removeprefix(output.name), path.read_bytes()) for path in paths)


def kill_until_done(
    command: Sequence[str], output: Path, chance: random.Random, kills: Counter[str], most: int, mean: float
) -> None:
    """Start, kill and start again, until the output is complete."""
    while True:
        process = start(command, output)
        while kills.total() < most:
            if chance.random() < AT_WORK:
                wait_until_at_work(process, output)
            try:
                process.wait(chance.expovariate(1 / mean))
                break
            except subprocess.TimeoutExpired:
                if hit(process, chance, kills):
                    break
        code = process.wait()
        if code in (0, 1):
            return
        if code != -9:
            sys.exit(f"the run failed:\n{log_of(output).read_text()}")


def wait_until_at_work(process: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until the run has written something: most of its life it is at work, however long it takes to start."""
    before = written(output)
    while process.poll() is None and written(output) == before:
        time.sleep(0.01)


def written(output: Path) -> list[tuple[str, int]]:
    """Sizes of all that is there."""
    sizes = []
    for path in output.iterdir() if output.is_dir() else output.parent.glob(f"{output.name}*"):
        with contextlib.suppress(OSError):  # moved away in this moment
            sizes.append((path.name, path.stat().st_size))
    return sorted(sizes)


def hit(process: subprocess.Popen[bytes], chance: random.Random, kills: Counter[str]) -> bool:
    """Kill the run or one of its workers; returns whether it was the run."""
    workers = []
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                workers.append(child)
    if workers and chance.random() < 0.5:
        with contextlib.suppress(psutil.NoSuchProcess):
            chance.choice(workers).kill()
            kills["workers"] += 1
        return False
    process.kill()
    process.wait()
    kills["the run itself"] += 1
    return True


def check(output: Path, whole: dict[str, bytes]) -> None:
    found = dict(contents(output))
    ids = [json.loads(line)["id"] for name, data in found.items() if not is_other(name) for line in data.splitlines()]
    twice = [identifier for identifier, count in Counter(ids).items() if count > 1]
    if twice or found != whole:
        names = sorted(name for name in found.keys() | whole.keys() if found.get(name) != whole.get(name))
        sys.exit(f"FAILED: {len(twice)} ids twice; different: {names}; kept in {shutil.move(output, '.')}")


def is_other(name: str) -> bool:
    return name.endswith("failed.jsonl") or name == "manifest.json"


def remove(output: Path) -> None:
    if output.is_dir():
        shutil.rmtree(output)
    else:
        for path in output.parent.glob(f"{output.name}*"):
            path.unlink()


if __name__ == "__main__":
    main()
