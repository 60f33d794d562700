"""What a run needs before it can train, and whether a stored run is the one that is asked for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from pipeline.distil.checkpoint import LAST
from pipeline.distil.config import DistilConfig, LayerPair
from pipeline.distil.corpus import Corpus
from pipeline.encoders import copy_tokenizer, find_folder, find_phobert
from pipeline.errors import QuanheError

STUDENT = (
    "student"  # folder of a run: configuration and vocabulary of its student, and weights when they were made here
)
ENCODER = "encoder"  # folder of a run: the exported encoder
# What may change when a run goes on: the rates and weights that are looked up at each step, and housekeeping.
_FREE = ("device", "run", "data.cache", "loss.cosine", "loss.mse", "loss.mlm", "optim.")
_PASSES = "optim.accumulate"
_FIXED = (_PASSES,)


class _Sized(Protocol):
    depth: int
    room: int


def find_teacher(name: str) -> Path:
    """The teacher's folder, fetched from the hub when no such folder exists."""
    folder = find_folder(name)
    if not (folder / "config.json").is_file():
        raise QuanheError(f"teacher {folder}: config.json missing; it must be a folder that transformers loads")
    return folder


def prepare_student(
    config: DistilConfig, teacher: Path, corpus: Corpus, run: Path, *, say: Callable[[str], None]
) -> Path:
    """The folder that the student's first weights come from; configuration and vocabulary are kept in the run.

    Raises:
        QuanheError: the student cannot be found or made.
    """
    kept = run / STUDENT
    if config.student is not None:
        folder = find_phobert(config.student)
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "config.json", kept / "config.json")
        copy_tokenizer(folder, kept)
        return folder
    if not (kept / "config.json").is_file():
        from pipeline.distil.start import make_student

        make_student(config, teacher, corpus, kept, say=say)
    return kept


def check_folder(run: Path) -> bool:
    """Whether a folder holds a run already.

    Raises:
        QuanheError: it holds something else.
    """
    if run.exists() and not run.is_dir():
        raise QuanheError(f"{run}: is no folder; name another with --output")
    known = {LAST, STUDENT, "cache", "metrics.jsonl", f"{LAST}.tmp"}
    if run.is_dir() and any(run.iterdir()) and not any((run / name).exists() for name in known):
        raise QuanheError(f"{run}: exists and is no distillation run; name another folder with --output")
    return (run / LAST).is_file()


def branch(source: Path, target: Path) -> None:
    """Start a run from another's checkpoint, which stays as it is; a branch that has begun already goes on.

    Raises:
        QuanheError: the other run has no checkpoint.
    """
    if (target / LAST).is_file():
        return
    if not (source / LAST).is_file():
        raise QuanheError(f"{source}: holds no checkpoint to branch from; name the folder of a run")
    shutil.copytree(source / STUDENT, target / STUDENT, dirs_exist_ok=True)
    shutil.copyfile(source / LAST, target / LAST)


def check_same_run(state: Mapping[str, Any], config: DistilConfig, processes: int, run: Path) -> None:
    """Refuse to go on with a run whose data, model or steps would not be the same.

    Args:
        state: the checkpoint, with the settings and the number of processes that it was made with.

    Raises:
        QuanheError: names the settings that differ.
    """
    old, new = dict(_flat(state["config"])), dict(_flat(config.model_dump(mode="json")))
    # A step is learnt from so many passes, shared out among the processes.
    old[_PASSES] *= state.get("processes", 1)
    new[_PASSES] *= processes
    changed = [
        key
        for key in sorted({*old, *new})
        if json.dumps(old.get(key)) != json.dumps(new.get(key)) and not _is_free(key)
    ]
    if changed:
        values = ", ".join(f"{key} ({old.get(key)!r}, now {new.get(key)!r})" for key in changed)
        raise QuanheError(f"{run}: this run was begun with other settings: {values}; set them back or name another -o")


def _is_free(key: str) -> bool:
    return key not in _FIXED and any(key == free or key.startswith(free.rstrip(".") + ".") for free in _FREE)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield prefix + key, item


def layer_pairs(config: DistilConfig, student: int, teacher: int) -> tuple[LayerPair, ...]:
    """The layer pairs to compare: those of the settings, else last with last and middle with middle.

    Args:
        student, teacher: their numbers of layers.

    Raises:
        QuanheError: a pair names a layer that is not there.
    """
    pairs = config.loss.pairs or (
        LayerPair(student=student, teacher=teacher),
        LayerPair(student=max(1, student // 2), teacher=max(1, teacher // 2)),
    )
    for pair in pairs:
        if pair.student > student or pair.teacher > teacher:
            there = f"the student has {student} layers, the teacher {teacher}"
            raise QuanheError(f"loss.pairs: {pair.student} with {pair.teacher}: {there}")
    return pairs


def check_sizes(config: DistilConfig, student: _Sized, teacher: _Sized) -> None:
    """Refuse sequences that a model cannot take.

    Raises:
        QuanheError: says which setting to lower.
    """
    for key, wanted, room in (
        ("max_tokens", config.data.max_tokens, student.room),
        ("teacher_max_tokens", config.data.teacher_max_tokens, teacher.room),
    ):
        if wanted > room:
            raise QuanheError(f"data.{key}: {wanted} is more than the {room} pieces that the encoder takes; lower it")
