"""A virtual environment for each competitor, made when it is first needed, so that quanhe's own stays as it is."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.errors import QuanheError

PINS_FOLDER = Path(__file__).parent / "pins"


def find_python(pins: str, cache: Path, say: Callable[[str], None]) -> Path:
    """The interpreter of the environment with these pins; made if it is not there.

    Args:
        pins: file in ``pins/``; empty: the environment that this runs in.

    Raises:
        QuanheError: the packages cannot be installed.
    """
    if not pins:
        return Path(sys.executable)
    file = PINS_FOLDER / pins
    folder = cache / "environments" / file.stem
    python, stamp = folder / "bin" / "python", folder / "made-from"
    digest = pins_digest(pins)
    if stamp.is_file() and stamp.read_text() == digest:
        return python
    say(f"making an environment from {file.name} (some minutes)")
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], file.name)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--requirement", str(file)], file.name)
    stamp.write_text(digest)
    return python


def pins_digest(pins: str) -> str:
    """Of what is installed, to know whether an environment or a measurement is out of date."""
    return hashlib.sha256((PINS_FOLDER / pins).read_bytes() if pins else b"").hexdigest()[:12]


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("ERROR")]
        reason = errors[0].removeprefix("ERROR: ") if errors else f"exit code {done.returncode}"
        raise QuanheError(f"{name} cannot be installed: {reason[:200]}")


def packages_folder(python: Path) -> Path:
    """Where an interpreter's packages lie."""
    if python == Path(sys.executable):
        return Path(sysconfig.get_paths()["purelib"])
    return next((python.parent.parent / "lib").glob("python3*")) / "site-packages"


def install_bytes(packages: Iterable[str], folder: Path) -> int:
    """Bytes of packages and of everything that they require, as far as it is installed in the folder.

    Args:
        packages: requirements such as ``spacy`` or ``quanhe[html]``.
    """
    installed = {canonicalize_name(found.name): found for found in distributions(path=[str(folder)])}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(package) for package in packages]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name not in installed:
            continue
        for extra in ("", *wanted.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _requirements(installed[name], extra)
    return sum(_bytes(installed[name]) for name in {name for name, _ in seen})


def _requirements(found: Distribution, extra: str) -> list[Requirement]:
    wanted = (Requirement(line) for line in found.requires or ())
    return [need for need in wanted if need.marker is None or need.marker.evaluate({"extra": extra})]


def _bytes(found: Distribution) -> int:
    places = (Path(str(found.locate_file(file))) for file in found.files or ())
    return sum(place.stat().st_size for place in places if place.is_file())
