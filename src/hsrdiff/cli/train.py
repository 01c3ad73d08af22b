"""`hsrdiff train`."""

from __future__ import annotations

from typing import Annotated

import typer

from hsrdiff.cli.options import ThreadsOption

HELP = "Train a network as a recipe says; the same command goes on where a run was stopped."
EXAMPLE = (
    "Example: hsrdiff train indian-pines-x4 -o runs/pines --minutes 30\n\n"
    "Example: hsrdiff train my-recipe.toml -o runs/mine --data my-scenes --set training.steps=2000"
)


def command(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="A TOML file, or a shipped recipe such as indian-pines-x4 (a wrong name lists them all).",
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", metavar="FOLDER", help="Checkpoint, logs and weights go here.")],
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FOLDER", help="Data folder, in place of HSRDIFF_DATA, or your own scenes."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", metavar="MINUTES", help="Stop cleanly after so many minutes.")
    ] = None,
    threads: ThreadsOption = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a value of the recipe; repeatable.")
    ] = None,
) -> None:
    """Parse, call `hsrdiff.jobs.train`, print."""
    from rich.markup import escape

    from hsrdiff.cli.screen import console
    from hsrdiff.jobs.train import train
    from hsrdiff.training.loop import end_processes, is_main_process

    changes = _pairs(change or [])
    try:
        result = train(recipe, out=out, data=data, minutes=minutes, threads=threads, overrides=changes)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_whence(out)) from None
    if is_main_process():
        console().print(f"[bold]{escape(str(result.weights))}[/bold]: {escape(result.message)}")
    end_processes()


def _whence(out: str) -> str:
    """Say where the same command goes on behind a stop."""
    from pathlib import Path

    from hsrdiff.training.checkpoints import CHECKPOINT

    if (Path(out) / CHECKPOINT).exists():
        return "the same command goes on from the last checkpoint"
    return "there was no checkpoint yet, and the same command begins anew"


def _pairs(changes: list[str]) -> dict[str, str]:
    """Split ``key=value`` entries."""
    from hsrdiff.errors import InputError

    pairs: dict[str, str] = {}
    for entry in changes:
        key, sign, value = entry.partition("=")
        if not sign or not key.strip():
            raise InputError(f"--set got '{entry}'", expected="KEY=VALUE", do="write it like --set training.steps=2000")
        pairs[key.strip()] = value.strip()
    return pairs
