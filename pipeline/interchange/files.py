"""Outputs that are there completely or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import QuanheError


@contextlib.contextmanager
def staged(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Give a place to write each target to, and move all of them to their own places when the block has ended well.

    A target that is a file is replaced, and one that is a symbolic link is written through; a folder must not be there
    yet, or be empty. When one target cannot be moved, those before it are put back as they were.

    Raises:
        QuanheError: a target cannot be written; what stood there before still does.
    """
    for target in targets:
        check_target(target)
    try:
        with contextlib.ExitStack() as stack:
            places = []
            real = [target.resolve() for target in targets]
            for path, target in zip(real, targets, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=path.parent, prefix=".quanhe-"))
                (Path(scratch) / "new").mkdir()
                places.append(Path(scratch) / "new" / target.name)
            yield places
            _move(places, real)
    except OSError as error:
        raise QuanheError(
            f"{targets[0]}: cannot be written ({error.strerror or error}); check the folder and the free space"
        ) from error


def _move(places: Sequence[Path], targets: Sequence[Path]) -> None:
    """Move each to its target: all, or none."""
    with contextlib.ExitStack() as undo:
        for place, target in zip(places, targets, strict=True):
            if target.is_dir():
                target.rmdir()
                undo.callback(target.mkdir)
            if target.exists() and len(targets) > 1:  # a single file is replaced in one step, or not at all
                # A copy, so that a file is there at every moment, whatever ends the process.
                before = shutil.copy2(target, place.parents[1] / "before")
                os.replace(place, target)
                undo.callback(os.replace, before, target)
            else:
                os.replace(place, target)
                undo.callback(os.replace, target, place)
        undo.pop_all()


def check_target(target: Path) -> None:
    """Refuse a target that is a folder with something in it.

    Raises:
        QuanheError: it is.
    """
    if target.is_dir() and any(target.iterdir()):
        raise QuanheError(f"{target}: a folder that is not empty; name another, or delete it first")
