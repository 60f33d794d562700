"""YAML files checked by pydantic models, with every mistake reported at once at its file and line.

YAML 1.2 through ruamel.yaml: ``1e-5`` is a number and ``no`` (Norway) a string, which PyYAML's YAML 1.1 gets
wrong, and each key knows its line.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.errors import Problem, ProblemsError, QuanheError, read_utf8

Location = tuple[str | int, ...]
Place = tuple[str, int]
ModelT = TypeVar("ModelT", bound=BaseModel)


def read_yaml(path: str | Path) -> tuple[dict[str, Any], dict[Location, Place]]:
    """Read a mapping and where each of its keys and items stands.

    Returns:
        The data as plain Python values, and key path → (file, line counted from 1).

    Raises:
        QuanheError: the file cannot be read, is no YAML, or holds no mapping.
    """
    text = read_utf8(path)
    try:
        data = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ProblemsError([Problem(str(path), line, f"not valid YAML: {error.problem}")]) from error
    except YAMLError as error:
        raise QuanheError(f"{path}: not valid YAML: {error}") from error
    if data is None:
        data = CommentedMap()
    if not isinstance(data, dict):
        raise QuanheError(f"{path}:1: a mapping of keys to values is needed here, not {type(data).__name__}")
    places: dict[Location, Place] = {(): (str(path), 1)}
    return _plain(data, (), str(path), places), places


def _plain(node: Any, location: Location, path: str, places: dict[Location, Place]) -> Any:
    """Copy ruamel's containers to dict and list, noting the line of each key and item."""
    if isinstance(node, CommentedMap):
        for key in node:
            places[(*location, str(key))] = (path, node.lc.key(key)[0] + 1)
        return {str(key): _plain(value, (*location, str(key)), path, places) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            places[(*location, index)] = (path, node.lc.item(index)[0] + 1)
        return [_plain(value, (*location, index), path, places) for index, value in enumerate(node)]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)  # ruamel's scalars are subclasses that remember their formatting
    return str(node)


def validate(model: type[ModelT], data: Mapping[str, Any], places: Mapping[Location, Place]) -> ModelT:
    """Build a pydantic model from data, translating its errors to file, line and nearest known name.

    Raises:
        ProblemsError: everything that is wrong with the data.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [_problem(model, details, places) for details in error.errors(include_url=False)]
        raise ProblemsError(problems) from error


def load_model(path: Path, model: type[ModelT]) -> ModelT:
    """Read a YAML file straight into a pydantic model."""
    data, places = read_yaml(path)
    return validate(model, data, places)


def _problem(model: type[BaseModel], details: Any, places: Mapping[Location, Place]) -> Problem:
    location: Location = tuple(details["loc"])
    path, line = _nearest_place(location, places)
    name = ".".join(str(part) for part in location)
    if details["type"] == "extra_forbidden":
        message = f"unknown key {name}{_suggest(str(location[-1]), _fields_at(model, location[:-1]))}"
    elif details["type"] == "missing":
        message = f"{name} is missing"
    elif details["type"] == "value_error":
        message = f"{name + ': ' if name else ''}{details['ctx']['error']}"
    else:
        reason = details["msg"][0].lower() + details["msg"][1:]
        message = f"{name}: {reason} (found {details['input']!r})"
    return Problem(path, line, message)


def _nearest_place(location: Location, places: Mapping[Location, Place]) -> Place:
    """The place of the key, or of the innermost enclosing key that stands in a file."""
    for length in range(len(location), -1, -1):
        if location[:length] in places:
            return places[location[:length]]
    return ("config", 0)


def _suggest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _fields_at(model: type[BaseModel], location: Location) -> list[str]:
    """Names of the fields of the (nested) model at a location, empty when it holds no model."""
    current: Any = model
    for part in location:
        field = current.model_fields.get(str(part)) if _is_model(current) else None
        if field:  # else the part is an index, or a key of a mapping, of models
            current = _inner_model(field.annotation)
    return [field.alias or name for name, field in current.model_fields.items()] if _is_model(current) else []


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inner_model(annotation: Any) -> Any:
    """The model inside ``Model``, ``Model | None`` or ``list[Model]``."""
    if _is_model(annotation):
        return annotation
    finder: Callable[[Any], Any] = _inner_model
    return next((found for found in map(finder, get_args(annotation)) if found is not None), None)
