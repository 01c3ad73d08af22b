"""How the `hsrdiff` command begins: it takes part of a second to load, and may be stopped in it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STOPPED = 130  # 128 + SIGINT, as shells have it


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 when done, 2 for an error of the user, 130 for Ctrl-C, 1 for a bug.

    Args:
        arguments: What follows ``hsrdiff``; the process's own arguments when None.
    """
    try:
        from hsrdiff.cli.app import run

        run(arguments)
    except KeyboardInterrupt:  # while it loads; of a command that runs, `OneSentence` speaks
        sys.stderr.write("hsrdiff: stopped; nothing half-written.\n")
        sys.exit(STOPPED)
