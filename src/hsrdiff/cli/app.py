"""The `hsrdiff` command: its table of commands, and how it ends when something is wrong."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hsrdiff._version import __version__
from hsrdiff.cli import benchmark, check, demo, evaluate, fuse, info, quality, reproduce, simulate, train
from hsrdiff.cli.start import STOPPED
from hsrdiff.errors import HsrdiffError
from hsrdiff.memory import is_out_of_memory, keep_memory

_NO_MEMORY = (
    "the work takes more memory than there is; fuse in smaller blocks with --block, "
    "or cut a smaller part of the images."
)


class OneSentence(TyperGroup):
    """A group whose commands end with one sentence on standard error when the user can do something about it."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; errors of the user become one sentence and exit code 2, Ctrl-C becomes 130."""
        # GDAL's remarks reach Python as log records; what matters of them is in our own sentences.
        logging.getLogger("rasterio").addHandler(logging.NullHandler())
        with warnings.catch_warnings():
            warnings.showwarning = _one_line_warning
            try:
                return super().invoke(ctx)
            except HsrdiffError as error:
                typer.echo(f"hsrdiff: {' '.join(str(error).split())}", err=True)
                raise typer.Exit(error.exit_code) from None
            except KeyboardInterrupt as stop:
                typer.echo(f"hsrdiff: stopped; {str(stop) or 'nothing half-written'}.", err=True)
                raise typer.Exit(STOPPED) from None
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                typer.echo(f"hsrdiff: {_NO_MEMORY}", err=True)
                raise typer.Exit(HsrdiffError.exit_code) from None


def _one_line_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Show our own warnings; those of the libraries speak to programmers."""
    if category.__module__.partition(".")[0] == "hsrdiff":
        typer.echo(f"hsrdiff: warning: {' '.join(str(message).split())}", err=True)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"hsrdiff {__version__}")
        raise typer.Exit


def _callback(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Fuse a hyperspectral and a multispectral image of one place into one with many bands and fine pixels."""


app = typer.Typer(
    name="hsrdiff",
    cls=OneSentence,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Start with: hsrdiff demo",
)
app.callback()(_callback)
for _name, _module in (
    ("demo", demo),
    ("info", info),
    ("check", check),
    ("simulate", simulate),
    ("fuse", fuse),
    ("evaluate", evaluate),
    ("quality", quality),
    ("train", train),
    ("benchmark", benchmark),
    ("reproduce", reproduce),
):
    app.command(_name, help=_module.HELP, epilog=_module.EXAMPLE)(_module.command)


def _from_home(argument: str) -> str:
    """Put the home folder for a leading ``~/``, which shells leave as it is in quotes and in ``--out=~/f.tif``."""
    option, sign, value = argument.rpartition("=")
    return option + sign + os.path.expanduser(value) if value.startswith("~/") else argument


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit, as `hsrdiff.cli.main` says.

    Args:
        arguments: What follows ``hsrdiff``; the process's own arguments when None.
    """
    keep_memory()
    # names of files and signs such as × go to terminals and pipes of any encoding
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(args=[_from_home(a) for a in (sys.argv[1:] if arguments is None else arguments)], prog_name="hsrdiff")
    except Exception:
        traceback.print_exc()
        typer.echo("hsrdiff: this is a bug in hsrdiff; please report it with the lines above.", err=True)
        sys.exit(1)
