"""`hsrdiff simulate`."""

from __future__ import annotations

from typing import Annotated

import typer

from hsrdiff.cli.options import (
    BandsOption,
    PsfFwhmOption,
    PsfOption,
    SeedOption,
    SensorOption,
    SrfOption,
    split_names,
)

HELP = "Make from one cube the pair of images that two instruments would see of it."
EXAMPLE = "Example: hsrdiff simulate cube.tif --sensor sentinel2:10m --factor 4 --out-hsi hsi.tif --out-msi msi.tif"


def command(
    cube: Annotated[str, typer.Argument(metavar="CUBE", help="The cube taken as truth; it must have wavelengths.")],
    factor: Annotated[int, typer.Option("--factor", help="Ratio of the two pixel sizes, at least 2.")],
    out_hsi: Annotated[str, typer.Option("--out-hsi", metavar="FILE", help="Coarse hyperspectral image to write.")],
    out_msi: Annotated[str, typer.Option("--out-msi", metavar="FILE", help="Fine multispectral image to write.")],
    sensor: SensorOption = None,
    srf: SrfOption = None,
    bands: BandsOption = None,
    snr_hsi: Annotated[
        float | None,
        typer.Option("--snr-hsi", metavar="DB", help="Add noise to the coarse image: its signal-to-noise ratio."),
    ] = None,
    snr_msi: Annotated[
        float | None,
        typer.Option("--snr-msi", metavar="DB", help="Add noise to the fine image: its signal-to-noise ratio."),
    ] = None,
    psf: PsfOption = None,
    psf_fwhm: PsfFwhmOption = None,
    seed: SeedOption = 0,
) -> None:
    """Parse, call `hsrdiff.jobs.simulate`, print."""
    from rich.markup import escape

    from hsrdiff.cli.screen import console
    from hsrdiff.jobs.simulate import simulate

    pair = simulate(
        cube,
        sensor=sensor,
        factor=factor,
        out_hsi=out_hsi,
        out_msi=out_msi,
        srf=srf,
        bands=split_names(bands),
        snr_db_hsi=snr_hsi,
        snr_db_msi=snr_msi,
        psf=psf,
        psf_fwhm=psf_fwhm,
        seed=seed,
    )
    screen = console()
    for path, image in ((out_hsi, pair.hsi), (out_msi, pair.msi)):
        size = f"{image.sizes['band']} bands, {image.sizes['y']} × {image.sizes['x']} pixels"
        screen.print(f"[bold]{escape(path)}[/bold]: {size}")
    if "hsrdiff_left_out" in pair.hsi.attrs:
        screen.print(f"Left out, as they fill no coarse pixel: {pair.hsi.attrs['hsrdiff_left_out']}.")
    if "hsrdiff_dropped_bands" in pair.hsi.attrs:
        screen.print(f"Left out, as the file marks them as bad: bands {pair.hsi.attrs['hsrdiff_dropped_bands']}.")
