"""Runs one system in a process of its own, in whatever environment it needs: nothing but the standard library here.

Usage: python worker.py SYSTEM_FILE FOLDER OPTIONS   (FOLDER: where its model is; OPTIONS: JSON)

A line of JSON on stdin asks for something, a line on stdout answers. The module of a system has

* ``prepare(folder, texts, **options)``, if it must write a model first (fresh weights), once; it gets all texts;
* ``load(folder, **options)``, which gives an object with ``run(texts, **setting)``: reads the texts and returns what it
  found, a number of entities, or a dictionary with ``found`` and, if not all time counts, ``seconds``;
* if its model is not FOLDER, ``model_bytes(folder, **options)``: bytes on the disk.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any


def main(file: str, folder: str, options: str) -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    sys.path[:1] = []  # the folder of this file: its names are not for the system
    worker = _Worker(_module(Path(file)), Path(folder), json.loads(options))
    for line in sys.stdin:
        try:
            answer = worker.answer(**json.loads(line))
        except BaseException as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}".split("\n")[0][:300]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"speed_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: no Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Worker:
    def __init__(self, module: ModuleType, folder: Path, options: dict[str, Any]) -> None:
        self._module, self._folder, self._options = module, folder, options
        self._run: Callable[..., Any] | None = None

    def answer(self, do: str, texts: list[str] | None = None, setting: dict[str, Any] | None = None) -> dict[str, Any]:
        """``prepare``: write the model; ``run``: all texts at once; ``each``: one by one; ``size``: of the model."""
        texts, setting = texts or [], setting or {}
        if do == "prepare":
            if not hasattr(self._module, "prepare"):
                return {}
            return self._module.prepare(self._folder, texts, **self._options) or {}
        if do == "size":
            return {"bytes": self._model_bytes()}
        if self._run is None:
            self._run = self._module.load(self._folder, **self._options).run
        if do == "run":
            return self._timed(texts, setting)
        return {"seconds": [self._timed([text], setting)["seconds"] for text in texts]}

    def _timed(self, texts: list[str], setting: dict[str, Any]) -> dict[str, Any]:
        assert self._run
        begin = time.perf_counter()
        found = self._run(texts, **setting)
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, **(found if isinstance(found, dict) else {"found": found})}

    def _model_bytes(self) -> int:
        if hasattr(self._module, "model_bytes"):
            return int(self._module.model_bytes(self._folder, **self._options))
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    main(*sys.argv[1:])
