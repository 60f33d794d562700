"""A line on the terminal that shows how a long run is doing."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 2.0  # seconds before the line appears: a short run needs none


class ProgressLine:
    """Articles and articles a second on stderr, for a ``with`` block; silent when stderr is no terminal.

    Args:
        stdout_used: documents go to stdout; when that is the same terminal, they are progress enough.
    """

    def __init__(self, stdout_used: bool = False) -> None:
        self._wanted = sys.stderr.isatty() and not (stdout_used and sys.stdout.isatty())
        self._began = time.monotonic()
        self._articles = 0
        self._line: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line:
            self._line.stop()

    def advance(self, articles: int) -> None:
        """Count articles that are done."""
        self._articles += articles
        seconds = time.monotonic() - self._began
        if self._line is None and self._wanted and seconds > _PATIENCE:
            self._line = _start()
        if self._line:
            self._line.update(self._line.task_ids[0], completed=self._articles, rate=self._articles / seconds)

    def report(self, line: str) -> None:
        """Print a line on stderr, above the moving one."""
        if self._line:
            self._line.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr)


def _start() -> Progress:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed} articles, {task.fields[rate]:.1f} a second"),
        TimeElapsedColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
    progress.add_task("", total=None, rate=0.0)
    progress.start()
    return progress
