"""`hsrdiff check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hsrdiff.cli.options import (
    BandsOption,
    HsiVariableOption,
    MsiVariableOption,
    PsfFwhmOption,
    PsfOption,
    SensorOption,
    SrfOption,
    split_names,
)

if TYPE_CHECKING:
    from rich.table import Table

    from hsrdiff.jobs.check import CheckReport

HELP = "Say whether two images fit together, before they are fused."
UNFIT = 3  # exit code of the verdict "do not fuse": 1 is a bug, 2 an error
MOST_BLOCKS = 16  # along a side, that a screen has room for
EXAMPLE = "Example: hsrdiff check enmap.tif sentinel2.tif --sensor sentinel2:B2,B3,B4,B8"


def command(
    hsi: Annotated[str, typer.Argument(metavar="HSI", help="Hyperspectral image: many bands, coarse pixels.")],
    msi: Annotated[str, typer.Argument(metavar="MSI", help="Multispectral image: few bands, fine pixels.")],
    sensor: SensorOption = None,
    srf: SrfOption = None,
    bands: BandsOption = None,
    psf: PsfOption = None,
    psf_fwhm: PsfFwhmOption = None,
    factor: Annotated[
        int | None, typer.Option("--factor", help="Ratio of the pixel sizes; found from the images when left out.")
    ] = None,
    hsi_variable: HsiVariableOption = None,
    msi_variable: MsiVariableOption = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="JSON file for all that was found.")
    ] = None,
    map_file: Annotated[
        str | None,
        typer.Option(
            "--map", metavar="FILE", help="Image, such as a .tif, of how far the pair disagrees in each block."
        ),
    ] = None,
) -> None:
    """Parse, call `hsrdiff.jobs.check`, print."""
    from rich.markup import escape

    from hsrdiff.cli.screen import console, facts, steps_shown
    from hsrdiff.jobs.check import check
    from hsrdiff.jobs.finding import Verdict

    with steps_shown("checking"):
        report = check(
            hsi,
            msi,
            sensor=sensor,
            srf=srf,
            bands=split_names(bands),
            psf=psf,
            psf_fwhm=psf_fwhm,
            factor=factor,
            hsi_variable=hsi_variable,
            msi_variable=msi_variable,
            json_out=json,
            map_out=map_file,
        )
    screen = console()
    screen.print(facts([(finding.topic, finding.words) for finding in report.findings]))
    screen.print(_bands(report))
    if max(map(len, (report.blocks, report.blocks[0]))) <= MOST_BLOCKS:
        screen.print(_blocks(report), markup=False)
    screen.print(f"[bold]verdict: {report.verdict.value}[/bold]")
    for reason in report.reasons:
        screen.print(f"  {reason}", markup=False)
    if map_file is not None:
        screen.print(f"[bold]{escape(map_file)}[/bold]: the disagreement of each block, as a share of the values")
    if json is not None:
        screen.print(f"[bold]{escape(json)}[/bold]: the same as numbers")
    if report.verdict is Verdict.NOT:
        raise typer.Exit(UNFIT)


def _blocks(report: CheckReport) -> str:
    """Lay out the disagreement of the blocks as a map."""
    side = report.block_side
    title = f"disagreement in blocks of {side} × {side} coarse pixels, %, with R and PSF estimated; – where unknown"
    rows = ("".join(f"{'–' if value is None else f'{100 * value:.2g}':>8}" for value in row) for row in report.blocks)
    return "\n".join((title, *rows))


def _bands(report: CheckReport) -> Table:
    """Lay out the multispectral bands as a table."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2))
    titles = ("MSI band", "disagreement %", "gain", "correlation", "with R and PSF estimated %")
    for title in titles:
        table.add_column(title, justify="left" if title == titles[0] else "right")
    for band in report.bands:
        table.add_row(
            escape(band.name),
            f"{band.disagreement:.3g}",
            f"{band.gain:.4g}",
            f"{band.correlation:.3f}",
            f"{band.estimated:.3g}",
        )
    return table
