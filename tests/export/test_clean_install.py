"""``pip install quanhe[onnx]`` into an empty environment extracts. Needs the package index and some minutes:

QUANHE_NETWORK=1 python -m pytest tests/export/test_clean_install.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.commands.export import export

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "transformers", "datasets", "accelerate", "onnx"}


@pytest.mark.skipif(not os.environ.get("QUANHE_NETWORK"), reason="set QUANHE_NETWORK=1 to install from the index")
def test_an_environment_without_torch(tiny_model: Path, tiny_data: dict[str, str], tmp_path: Path) -> None:
    model = export(tiny_model, tmp_path / "model", texts=[tiny_data["test"]])
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", f"{ROOT}[onnx]"]
    subprocess.run(install, check=True)
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, check=True)
    assert not {package["name"].lower() for package in json.loads(listed.stdout)} & HEAVY
    article = sorted(Path(tiny_data["test"]).glob("*.txt"))[0]
    done = subprocess.run(
        [tmp_path / "venv" / "bin" / "quanhe", "extract", article, "--model", model],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["facts"]
