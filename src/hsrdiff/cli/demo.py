"""`hsrdiff demo`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from hsrdiff.cli.options import SeedOption

if TYPE_CHECKING:
    from rich.table import Table

    from hsrdiff.jobs.demo import DemoResult

HELP = "Sharpen a real scene (AVIRIS Indian Pines) by 4 with five methods and compare them with the truth."
EXAMPLE = "Example: hsrdiff demo"
FOLDER = "hsrdiff-demo"


def command(
    out: Annotated[str, typer.Option("--out", "-o", metavar="FOLDER", help="Cubes and figure go here.")] = FOLDER,
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="FILE", help="Other weights of hsr-diff than the shipped ones.")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Sampling steps of hsr-diff; 100 when left out.")] = None,
    seed: SeedOption = 0,
) -> None:
    """Parse, call `hsrdiff.jobs.demo`, print."""
    from hsrdiff.cli.screen import console, facts, steps_shown
    from hsrdiff.jobs.demo import demo

    with steps_shown("reading the scene") as report:
        result = demo(out, weights=weights, steps=steps, seed=seed, progress=report)
    screen = console()
    screen.print(
        "AVIRIS Indian Pines, 176 bands at about 20 m. A part that the weights never saw was blurred to pixels 4 times "
        "coarser and fused with a six-band Landsat-like image of the fine grid."
    )
    screen.print()
    screen.print(_table(result))
    screen.print(result.rows[0].convention, style="dim", markup=False)
    screen.print(f"hsr-diff, the paper's mode, used {result.weights}.", style="dim", markup=False)
    screen.print()
    screen.print(facts([(name, str(path)) for name, path in result.files.items()]))
    screen.print()
    screen.print(_next_steps(result, out), markup=False)


def _table(result: DemoResult) -> Table:
    from rich.table import Table

    from hsrdiff.cli.screen import number

    table = Table(header_style="bold")
    table.add_column("method")
    for heading in ("PSNR dB ↑", "SSIM ↑", "SAM ° ↓", "ERGAS ↓", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("told beside the pair")
    for row in result.rows:
        table.add_row(
            row.method,
            number(row.psnr_db, 2),
            number(row.ssim, 4),
            number(row.sam_deg, 2),
            number(row.ergas, 2),
            number(row.seconds, 1),
            row.told,
        )
    return table


def _next_steps(result: DemoResult, out: str) -> str:
    hsi, msi, truth = (shlex.quote(str(result.files[name])) for name in ("hsi", "msi", "truth"))
    mine = shlex.quote(f"{out}/mine.tif")
    return "\n".join(
        [
            f"Look at {result.files['figure']}, then try:",
            f"  hsrdiff info {hsi}",
            f"  hsrdiff fuse {hsi} {msi} -o {mine} --psf-fwhm 1.2",
            f"  hsrdiff evaluate {mine} {truth} --factor 4 --peak 1",
            "  hsrdiff fuse YOUR-HSI.tif YOUR-MSI.tif -o fused.tif",
        ]
    )
