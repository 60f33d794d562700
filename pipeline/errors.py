"""Errors that a user can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class QuanheError(Exception):
    """Something is wrong with the input, and the message says what, where and what to do next.

    The command line prints it as one line on stderr and ends with exit code 2; a library user gets an
    ordinary exception.
    """


class MissingExtraError(QuanheError):
    """An optional dependency is needed that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package}: pip install 'quanhe[{extra}]'")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong at one place; ``line`` counts from 1, 0 when the whole file is meant."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


class ProblemsError(QuanheError):
    """Several problems, reported together so that one run shows them all."""

    def __init__(self, problems: Iterable[Problem], remedy: str = "") -> None:
        self.problems = tuple(sorted(problems))
        lines = [str(problem) for problem in self.problems]
        super().__init__("\n".join([*lines, remedy] if remedy else lines))


def read_utf8(path: str | Path) -> str:
    """Read a text file exactly as stored (no newline translation).

    Raises:
        QuanheError: the file cannot be read, or it is not UTF-8.
    """
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise QuanheError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    except UnicodeDecodeError as error:
        raise QuanheError(
            f"{path}: not UTF-8 (byte {error.start}); convert it first, e.g. iconv -f UTF-16 -t UTF-8"
        ) from error
