"""What the commands show: results on standard output, progress on standard error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

# A file or a pipe has no width of its own; tables and sentences are not to be broken there.
PIPE_WIDTH = 160


def console() -> Console:
    """Return a console on standard output."""
    screen = Console(highlight=False, soft_wrap=True)
    return screen if screen.is_terminal else Console(highlight=False, soft_wrap=True, width=PIPE_WIDTH)


@contextmanager
def steps_shown(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on standard error while a job runs.

    Args:
        title: What is shown until the job speaks for the first time.

    Yields:
        A function of words, steps done and steps in all.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def report(words: str, done: int, steps: int) -> None:
            progress.update(task, description=words or title, completed=done, total=steps)

        yield report


def facts(rows: Sequence[tuple[str, str]]) -> Table:
    """Lay out facts as two columns.

    Args:
        rows: Name and value, as they are to be read: brackets in them are no markup.

    Returns:
        A table without lines.
    """
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(name), Text(value))
    return grid


def number(value: float, digits: int) -> str:
    """Write a score, or a dash where it is not defined.

    Args:
        value: The score.
        digits: Digits after the point.

    Returns:
        Text.
    """
    return "–" if math.isnan(value) else f"{value:.{digits}f}"
