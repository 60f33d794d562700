"""Outputs that are there completely or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import QuanheError


@contextlib.contextmanager
def staged(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Give a place to write each target to, and move all of them to their own places when the block has ended well.

    A target that is a file is replaced; a folder must not be there yet, or be empty.

    Raises:
        QuanheError: a target cannot be written; what stood there before still does.
    """
    for target in targets:
        check_target(target)
    try:
        with contextlib.ExitStack() as stack:
            places = []
            for target in targets:
                target.parent.mkdir(parents=True, exist_ok=True)
                scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=target.parent, prefix=".quanhe-"))
                places.append(Path(scratch) / target.name)
            yield places
            for place, target in zip(places, targets, strict=True):
                if target.is_dir():
                    target.rmdir()
                os.replace(place, target)
    except OSError as error:
        raise QuanheError(
            f"{targets[0]}: cannot be written ({error.strerror or error}); check the folder and the free space"
        ) from error


def check_target(target: Path) -> None:
    """Refuse a target that is a folder with something in it.

    Raises:
        QuanheError: it is.
    """
    if target.is_dir() and any(target.iterdir()):
        raise QuanheError(f"{target}: a folder that is not empty; name another, or delete it first")
