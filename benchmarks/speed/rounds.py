"""Goes through all systems, round by round, and remembers each measurement: stopped, it goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.errors import QuanheError
from speed.catalogue import System
from speed.environments import find_python, install_bytes, packages_folder, pins_digest
from speed.machine import versions
from speed.measure import Process, choose, measure
from speed.texts import ROOT, SHIPPED, digest, load_texts


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure.

    Attributes:
        single: articles that are read one by one.
        threads: told to every system; 0: each takes what it takes by itself.
        cache: holds environments, models and measurements.
        patience: seconds after which a system is given up.
    """

    rounds: int = 3
    single: int = 40
    threads: int = 0
    cache: Path = Path("runs/speed")
    patience: float = 3600


class Rounds:
    """Measures systems on texts."""

    def __init__(self, systems: Sequence[System], texts: Sequence[str], options: Options, say: Callable[[str], None]):
        self.systems, self.texts, self.options, self._say = systems, texts, options, say
        self._file = options.cache / "rounds.jsonl"
        self._failed: dict[str, str] = {}

    def run(self) -> dict[str, list[dict[str, Any]]]:
        """All measurements of each system, and for one that cannot be measured why, under ``failed``.

        A round has every system once, so that a slow quarter of an hour hits all of them alike.
        """
        for number in range(1, self.options.rounds + 1):
            for system in self.systems:
                if len(self.done(system)) >= number or system.key in self._failed:
                    continue
                try:
                    figures = self._one(system)
                except QuanheError as error:
                    self._failed[system.key] = str(error)
                    self._say(f"{system.key}: left out: {error}")
                    continue
                self._keep(system, figures)
                self._say(f"round {number}, {system.key}: {_summary(figures)}")
        return {system.key: self.done(system)[: self.options.rounds] for system in self.systems}

    @property
    def failed(self) -> Mapping[str, str]:
        """Why systems are left out."""
        return self._failed

    def done(self, system: System) -> list[dict[str, Any]]:
        """Measurements so far of this system as it is now, on these texts, in this way."""
        if system.refused or not self._file.is_file():
            return []
        lines = (json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines())
        known = self._known(system)
        return [line["figures"] for line in lines if (line["system"], line["of"]) == (system.key, known)]

    def _keep(self, system: System, figures: Mapping[str, Any]) -> None:
        line = {"system": system.key, "of": self._known(system), "figures": dict(figures)}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def _known(self, system: System) -> str:
        """Digest of all that a measurement depends on and that can change between two runs of the command."""
        parts = [
            repr((system.options, system.choices, system.single)),
            system.path.read_text(encoding="utf-8"),
            pins_digest(system.pins),
            "" if system.pins else self._quanhe,
            digest(self.texts),
            repr((self.options.single, self.options.threads)),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    @cached_property
    def _quanhe(self) -> str:
        """Digest of quanhe's code and shipped model."""
        files = [*sorted((ROOT / "pipeline").rglob("*.py")), *sorted((ROOT / "models").rglob("*"))]
        seen = hashlib.sha256()
        for file in files:
            if file.is_file():
                seen.update(file.read_bytes())
        return seen.hexdigest()

    def _one(self, system: System) -> dict[str, Any]:
        """One measurement; the first one also makes environment and model, and finds the fastest setting."""
        if system.refused:
            raise QuanheError(system.refused)
        system = self._with_arguments(system)
        python = self._python(system)
        made = self._made(system, python)
        begin = time.perf_counter()
        with self._start(system, python) as process:
            single = self.options.single if system.single else 0
            figures = measure(process, begin, self.texts, single, made["choice"])
        return {**figures, **made, "at": datetime.now(UTC).isoformat(timespec="seconds")}

    def _made(self, system: System, python: Path) -> dict[str, Any]:
        """Write the model, once; its size, that of what must be installed, and the fastest setting."""
        folder = self._folder(system)
        notes = folder.with_name(f"{folder.name}.json")
        if notes.is_file():
            return dict(json.loads(notes.read_text(encoding="utf-8")))
        shutil.rmtree(folder.parent, ignore_errors=True)  # models of other settings
        folder.mkdir(parents=True)
        with self._start(system, python) as process:
            made = process.ask("prepare", load_texts())
            size = process.ask("size")["bytes"]
        with self._start(system, python) as process:
            choice, tried = choose(process, self.texts, system.choices)
        install = install_bytes(system.packages, packages_folder(python))
        made = {**made, "model": size, "install": install, "choice": choice, "tried": tried}
        notes.write_text(json.dumps(made), encoding="utf-8")
        return made

    def _start(self, system: System, python: Path) -> Process:
        log = self.options.cache / "logs" / f"{system.key}.txt"
        options = self.options
        return Process(python, system, self._folder(system), log, options.threads, options.patience)

    def _folder(self, system: System) -> Path:
        return (self.options.cache / "models" / system.key / self._known(system)).absolute()

    def _python(self, system: System) -> Path:
        return find_python(system.pins, self.options.cache.absolute(), self._say)

    def versions(self, system: System) -> dict[str, str]:
        """Of the packages that a system stands on."""
        return versions(system.packages, packages_folder(self._python(system)))

    def _with_arguments(self, system: System) -> System:
        """The system with what this quanhe's ``extract`` understands.

        Raises:
            QuanheError: something that it needs is not there.
        """
        if not system.needs and not system.optional_arguments:
            return system
        missing = [need for need in system.needs if need not in self._help]
        if missing:
            raise QuanheError(f"this quanhe has no {' and no '.join(missing)}")
        options = dict(system.options)
        given = [part for pair in system.optional_arguments.items() if pair[0] in self._help for part in pair]
        if given:
            options["arguments"] = [*options.get("arguments", ()), *given]
        if system.exported:
            options["exported"] = str(self._exported())
        return replace(system, options=options)

    def _exported(self) -> Path:
        """The shipped model as ONNX files, made once for all systems that read it.

        Raises:
            QuanheError: ``quanhe export`` failed.
        """
        folder = self.options.cache.absolute() / "models" / "exported" / self._quanhe[:12]
        if not folder.is_dir():
            self._say("exporting the shipped model to ONNX")
            shutil.rmtree(folder.parent, ignore_errors=True)
            folder.parent.mkdir(parents=True)
            command = [sys.executable, "-m", "pipeline", "export", str(SHIPPED), "--output", str(folder)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                raise QuanheError(f"quanhe export failed: {done.stderr.strip().splitlines()[-1:]}")
        return folder

    @cached_property
    def _help(self) -> set[str]:
        """The commands of quanhe and the options of ``extract``."""
        import typer
        from typer.main import get_command

        from pipeline.cli import COMMANDS
        from pipeline.commands.extract import extract_cli

        single = typer.Typer()
        single.command()(extract_cli)
        return {*COMMANDS, *(name for parameter in get_command(single).params for name in parameter.opts)}


def _summary(figures: Mapping[str, Any]) -> str:
    if "gflops" in figures:
        return ", ".join(f"{name} {rate:,.0f} GFLOP/s" for name, rate in figures["gflops"].items())
    parts = [f"{figures['words'] / figures['seconds']:,.0f} words/s", f"{figures['memory'] / 1e6:,.0f} MB"]
    if "startup" in figures:
        parts.append(f"start {figures['startup']:.1f} s")
    return ", ".join([*parts, f"found {figures['found']}"])
