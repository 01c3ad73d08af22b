"""How the `hsrdiff` command begins: it takes part of a second to load, and may be stopped in it."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

STOPPED = 130  # 128 + SIGINT, as shells have it
ENDED = 143  # 128 + SIGTERM, by which schedulers end a process


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 when done, 2 for an error of the user, 130 for Ctrl-C, 143 when it was ended.

    The verdict "do not fuse" of `check` is 3, and 1 is a bug.

    Args:
        arguments: What follows ``hsrdiff``; the process's own arguments when None.
    """
    # unwound like Ctrl-C, so that nothing half-written is left
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _ended)
    try:
        from hsrdiff.cli.app import run

        run(arguments)
    except KeyboardInterrupt:  # while it loads; of a command that runs, `OneSentence` speaks
        sys.stderr.write("hsrdiff: stopped; nothing half-written.\n")
        sys.exit(STOPPED)


def _ended(number: int, frame: object) -> NoReturn:
    sys.stderr.write("hsrdiff: ended by the system; nothing half-written.\n")
    sys.exit(ENDED)
