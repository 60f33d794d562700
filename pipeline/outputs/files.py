"""Files that survive a kill at any moment: forced to the disk, replaced in one step, written by one run at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import QuanheError


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Say what an error of the file system means for the run.

    Raises:
        QuanheError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        reason = f"{path}: cannot be written ({error.strerror})"
        raise QuanheError(f"{reason}; check the folder and the free space, then go on with --resume") from error


def replace_file(path: Path, data: bytes) -> None:
    """Write a file as a whole: whoever reads it finds the old one or the new one, after a power cut too."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(new, path)


def move(old: Path, new: Path) -> None:
    """Give a file that is safely on the disk its final name, in one step."""
    os.replace(old, new)
    sync_folder(new.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system has a way to."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(descriptor: int, path: Path) -> None:
    """Let no second run write the same file or folder; the lock ends with the process, however it ends.

    Raises:
        QuanheError: another run has it.
    """
    try:
        import fcntl
    except ImportError:  # not on this system: two runs at once are then the user's own care
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise QuanheError(f"{path}: another run is writing it; wait for its end, or name another output") from error
