"""The command ``quanhe``: one sub-command a file under ``pipeline/commands``."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

import pipeline
from pipeline.errors import MissingExtraError, QuanheError

COMMANDS = ("train", "extract", "evaluate", "crossval", "validate", "distil", "convert", "suggest", "export")


_TRAINING = frozenset({"torch", "transformers", "datasets", "accelerate", "sklearn", "scipy"})


class _LazyCommands(TyperGroup):
    """Imports only the module of the command that runs: ``quanhe validate`` must not wait for torch."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        single = typer.Typer(add_completion=False)
        try:
            module = importlib.import_module(f"pipeline.commands.{cmd_name}")
        except ImportError as error:
            if (error.name or "").split(".")[0] not in _TRAINING:
                raise
            return _refusing(cmd_name, MissingExtraError(error.name or "torch", "train", f"quanhe {cmd_name}"))
        single.command(cmd_name)(getattr(module, f"{cmd_name}_cli"))
        command = typer.main.get_command(single)
        command.name = cmd_name
        return command


def _refusing(name: str, error: QuanheError) -> Any:
    """A command that cannot run here; the others must still be listed and run."""
    single = typer.Typer(add_completion=False)

    def refuse() -> None:
        raise error

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    single.command(name, help=str(error), context_settings=settings)(refuse)
    return typer.main.get_command(single)


app = typer.Typer(cls=_LazyCommands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"quanhe {pipeline.__version__}")
        raise typer.Exit


@app.callback()
def _quanhe(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Facts from Vietnamese defence-diplomacy news: who holds which rank and office, who met whom, which agreements."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; an error of the input is one clear message on stderr and exit code 2."""
    try:
        app(arguments)
    except QuanheError as error:
        print(f"quanhe: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
