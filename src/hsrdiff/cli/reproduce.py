"""`hsrdiff reproduce`."""

from __future__ import annotations

from typing import Annotated

import typer

from hsrdiff.cli.options import SeedOption, ThreadsOption

HELP = "Run an experiment of the documents again, row by row; print its tables."
EXAMPLE = (
    "Example: hsrdiff reproduce kriging-scenes -o runs/kriging-scenes --threads 1\n\n"
    "Example: hsrdiff reproduce table1 --dataset cave --budget 45 -o runs/table1 --threads 1"
)


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="An experiment such as cave-x32 or robustness (a wrong name lists them all).",
        ),
    ],
    data: Annotated[
        str | None, typer.Option("--data", metavar="FOLDER", help="Data folder, in place of HSRDIFF_DATA.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Keep rows, report (NAME.md) and trained weights here; the same command goes on behind them.",
        ),
    ] = None,
    threads: ThreadsOption = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset", metavar="NAME", help="Which data set, where an experiment has several; else its first."
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            metavar="MINUTES",
            help="Processor minutes meant for each training, where an experiment trains: it takes as large a part of "
            "its recipe's steps; else all of them.",
        ),
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Parse, call `hsrdiff.reproduce`, print each row as it is there, then the report."""
    from hsrdiff.cli.screen import console, number
    from hsrdiff.evaluation import Row
    from hsrdiff.experiments import reproduce

    screen = console()

    def show(row: Row) -> None:
        scores = f"{number(row.psnr_db, 2)} dB  SAM {number(row.sam_deg, 2)}°  {number(row.seconds, 1)} s"
        screen.print(f"{row.scene}  {row.method}  {scores}", markup=False)

    try:
        result = reproduce(
            name, out=out, data=data, threads=threads, dataset=dataset, budget=budget, seed=seed, on_row=show
        )
    except KeyboardInterrupt:
        if out is None:
            raise
        raise KeyboardInterrupt("the same command goes on behind the rows and trainings that are there") from None
    screen.print("\n" + result.markdown, markup=False)
