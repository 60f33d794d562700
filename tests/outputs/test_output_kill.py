"""A run of worker processes, killed again and again at random moments: nothing is lost, nothing stands twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds worker processes in /proc")
ROOT = Path(__file__).parents[2]

RUN = """
import sys
from pathlib import Path
import stub_model
from pipeline.commands.extract import Parts, extract
from pipeline.outputs.pool import WorkerPool

if __name__ == "__main__":
    source, output, parts = sys.argv[1:]
    with WorkerPool(stub_model.load_slow, 2) as pool:
        print("ready", *pool.pids, flush=True)
        parts = Parts(int(parts)) if int(parts) else None
        extract([source], pool, Path(output), parts=parts, resume=True, batch=4, report=lambda line: None)
"""


def start(source: Path, output: Path, parts: int) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    command = [sys.executable, "-c", RUN, str(source), str(output), str(parts)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True)


def contents(output: Path) -> dict[str, bytes]:
    paths = output.iterdir() if output.is_dir() else output.parent.glob(f"{output.name}*")
    return {path.name.removeprefix(output.name): path.read_bytes() for path in paths}


@pytest.mark.parametrize("parts", [0, 20])
def test_a_run_with_workers_killed_at_random_points(tmp_path, parts):
    source = tmp_path / "tin.jsonl"
    with source.open("w", encoding="utf-8") as stream:
        for number in range(200):
            text = "hỏng" if number % 47 == 0 else f"Anh {number} " + "Việt Nam " * (number % 90)
            stream.write("broken\n" if number % 41 == 1 else json.dumps({"id": f"a{number}", "text": text}) + "\n")
    assert start(source, tmp_path / "whole", parts).wait() == 0
    whole = contents(tmp_path / "whole")

    chance = random.Random(parts)
    output = tmp_path / "killed"
    kills = 0
    code = None
    while code is None:
        process = start(source, output, parts)
        with process:
            pids = [int(pid) for pid in process.stdout.readline().split()[1:]]
            while process.poll() is None and kills < 6:
                time.sleep(chance.uniform(0.0, 0.4))
                victim = chance.choice([process.pid, process.pid, *pids])
                try:
                    os.kill(victim, signal.SIGKILL)
                    kills += 1
                except ProcessLookupError:  # a worker that was killed before
                    continue
                if victim == process.pid:
                    break
        code = None if process.wait() == -signal.SIGKILL else process.returncode
    assert code == 0
    assert contents(output) == whole
    lines = [line for name, data in whole.items() if "failed" not in name and "json" in name + "json" for line in data]
    assert lines
