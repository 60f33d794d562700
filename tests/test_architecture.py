"""The order of the stages, held by the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pipeline"
STAGES = ["text", "windows", "mentions", "relations", "facts", "outputs"]
# Beside the stages: what each of them may know of the others.
BESIDE = {
    "inputs": set(),
    "data": {"text"},
    "evaluation": {"text"},
    "distil": {"text", "windows"},
    "export": {"windows", "mentions", "relations"},
    "interchange": {"text", "data", "inputs", "outputs"},
    "commands": {*STAGES, "inputs", "data", "evaluation", "distil", "interchange", "export"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of the package that a module imports anywhere, in functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found & MODULES.keys())


def reaches(module: str) -> set[str]:
    """Everything that importing a module imports of the package, and what its functions import."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        for found in imports(waiting.pop()) - seen:
            seen.add(found)
            waiting.append(found)
    return seen


def folder_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else ""


def test_every_folder_has_its_place():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders == {*STAGES, *BESIDE}


@pytest.mark.parametrize("module", [name for name in MODULES if folder_of(name) in STAGES])
def test_a_stage_knows_only_the_stages_before_it(module):
    own = folder_of(module)
    earlier = set(STAGES[: STAGES.index(own) + 1])
    if own == "outputs":
        earlier.add("inputs")  # a batch run is a stream from inputs to outputs
    # Through top-level modules too: a stage cannot import the model, which imports every stage.
    known = {folder_of(found) for found in reaches(module)} - {""}
    assert known <= earlier


@pytest.mark.parametrize("module", [name for name in MODULES if folder_of(name) in BESIDE])
def test_what_stands_beside_knows_the_stages_it_needs(module):
    own = folder_of(module)
    assert {folder_of(found) for found in imports(module)} - {"", own} <= BESIDE[own]


def test_nothing_but_the_command_line_knows_the_commands():
    importers = {name for name in MODULES if any(folder_of(found) == "commands" for found in imports(name))}
    assert {folder_of(name) for name in importers} <= {"commands", ""}
    assert not any(folder_of(name) == "" and name != "pipeline.cli" for name in importers)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_modules_stay_short_and_say_what_they_are(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < 400
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize(
    "module", ["pipeline", "pipeline.cli", "pipeline.commands.extract", "pipeline.commands.validate"]
)
def test_what_needs_no_model_does_not_wait_for_torch(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'transformers', 'datasets') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_imports_do_nothing():
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                assert path.name == "__main__.py", f"{path}:{node.lineno} calls at import"
            assert not isinstance(node, ast.For | ast.While | ast.With), f"{path}:{node.lineno} works at import"
