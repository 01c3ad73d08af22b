"""`hsrdiff benchmark`."""

from __future__ import annotations

from typing import Annotated

import typer

from hsrdiff.cli.options import SeedOption, ThreadsOption, read_value

HELP = "Run methods on a data set with known truth; print their mean scores beside the published ones."
EXAMPLE = (
    "Example: hsrdiff benchmark indian-pines --method bicubic --method regression\n\n"
    "Example: hsrdiff benchmark cave --method hsr-diff --set hsr-diff.weights=runs/cave/cave-x32-small.safetensors "
    "-o runs/cave-test\n\n"
    "Example: hsrdiff benchmark aviris-la --split train --factor 8 --sensor gaussian8 --method kriging"
)


def command(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="A data set, such as indian-pines or cave (a wrong name lists them all), or a folder of scenes.",
        ),
    ],
    method: Annotated[
        list[str], typer.Option("--method", metavar="NAME", help="A method of fuse, but not auto; repeatable.")
    ],
    split: Annotated[
        str, typer.Option("--split", help="Which scenes: train, its two parts fit and validation, or test.")
    ] = "test",
    factor: Annotated[
        int | None, typer.Option("--factor", help="Ratio of the pixel sizes; the data set's own when left out.")
    ] = None,
    sensor: Annotated[
        str | None,
        typer.Option(
            "--sensor",
            metavar="NAME",
            help="Multispectral sensor to simulate, or gaussian4 for four Gaussians over the bands; the data set's own "
            "when left out.",
        ),
    ] = None,
    scene: Annotated[
        list[str] | None, typer.Option("--scene", metavar="NAME", help="Only this scene; repeatable.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="METHOD.KEY=VALUE", help="An option of a method, such as hsr-diff.steps=10; repeatable."
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="FOLDER", help="Data folder, in place of HSRDIFF_DATA.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Keep rows and table here (rows.jsonl, rows.csv, table.md); the same command goes on behind them.",
        ),
    ] = None,
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
) -> None:
    """Parse, call `hsrdiff.jobs.benchmark`, print each row as it is there, then the table."""
    from hsrdiff.cli.screen import console, number
    from hsrdiff.evaluation import Row
    from hsrdiff.jobs.benchmark import benchmark

    screen = console()

    def show(row: Row) -> None:
        scores = f"{number(row.psnr_db, 2)} dB  SSIM {number(row.ssim, 4)}  SAM {number(row.sam_deg, 2)}°"
        words = f"{row.method}  {row.scene}  {scores}  ERGAS {number(row.ergas, 3)}  {number(row.seconds, 1)} s"
        screen.print(words, markup=False)

    result = benchmark(
        dataset,
        method,
        split=split,
        factor=factor,
        sensor=sensor,
        scenes=scene or (),
        options=_options(option or [], method),
        data=data,
        out=out,
        seed=seed,
        threads=threads,
        on_row=show,
    )
    screen.print("\n" + result.markdown, markup=False)


def _options(entries: list[str], methods: list[str]) -> dict[str, dict[str, object]]:
    """Split ``method.key=value`` entries; values are TOML, or text where they are not."""
    from hsrdiff.errors import InputError, did_you_mean

    options: dict[str, dict[str, object]] = {}
    for entry in entries:
        key, sign, text = entry.partition("=")
        method, dot, name = key.strip().partition(".")
        if not (sign and dot and name):
            raise InputError(
                f"--set got '{entry}'", expected="METHOD.KEY=VALUE", do="write it like --set hsr-diff.steps=10"
            )
        if method not in methods:
            raise InputError(f"--set got an option for '{method}', which is not run", do=did_you_mean(method, methods))
        options.setdefault(method, {})[name] = read_value(text)
    return options
