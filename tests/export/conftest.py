"""Models with ONNX files beside their weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.commands.export import export


@pytest.fixture(scope="session")
def exported(tiny_model: Path, tiny_data: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with its ONNX files; tests must not change it."""
    folder = Path(shutil.copytree(tiny_model, tmp_path_factory.mktemp("exported") / "tiny"))
    return export(folder, texts=[tiny_data["test"]])


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(exported, tmp_path / "model"))
