"""`hsrdiff quality`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hsrdiff.cli.options import (
    BandsOption,
    HsiVariableOption,
    MsiVariableOption,
    SensorOption,
    SrfOption,
    split_names,
)

if TYPE_CHECKING:
    from hsrdiff.jobs.quality import Quality

HELP = "Judge a fused cube without truth, by the two images that it was made from."
EXAMPLE = "Example: hsrdiff quality fused.tif enmap.tif sentinel2.tif --reduced --json quality.json"


def command(
    fused: Annotated[str, typer.Argument(metavar="FUSED", help="The fused cube.")],
    hsi: Annotated[str, typer.Argument(metavar="HSI", help="The hyperspectral image that it was made from.")],
    msi: Annotated[str, typer.Argument(metavar="MSI", help="The multispectral image that it was made from.")],
    sensor: SensorOption = None,
    srf: SrfOption = None,
    bands: BandsOption = None,
    psf: Annotated[
        str | None,
        typer.Option(
            "--psf",
            metavar="FILE",
            help="Point spread function (PSF): a matrix of weights in fine pixels, .npy or .csv, or 'gaussian'; what "
            "FUSED remembers when left out.",
        ),
    ] = None,
    psf_fwhm: Annotated[
        float | None,
        typer.Option(
            "--psf-fwhm",
            metavar="PIXELS",
            help="Full width at half maximum of the Gaussian PSF, in coarse pixels; what FUSED remembers when left "
            "out.",
        ),
    ] = None,
    hsi_variable: HsiVariableOption = None,
    msi_variable: MsiVariableOption = None,
    reduced: Annotated[
        bool,
        typer.Option("--reduced", help="Also run the method on the pair degraded once more, and score it against HSI."),
    ] = False,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            "-m",
            metavar="NAME",
            help="Method to run on the degraded pair; the one that made FUSED when left out.",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="FILE",
            help="Weights of that method, or a shipped name; those that made FUSED when left out.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help="Its sampling steps; those that made FUSED when left out.")
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="JSON file for all that was found.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of what it draws; what FUSED remembers when left out.")
    ] = None,
) -> None:
    """Parse, call `hsrdiff.jobs.quality`, print."""
    from hsrdiff.cli.screen import console, facts
    from hsrdiff.jobs.quality import quality

    found = quality(
        fused,
        hsi,
        msi,
        sensor=sensor,
        srf=srf,
        bands=split_names(bands),
        psf=psf,
        psf_fwhm=psf_fwhm,
        hsi_variable=hsi_variable,
        msi_variable=msi_variable,
        reduced=reduced,
        method=method,
        weights=weights,
        steps=steps,
        seed=seed,
        json_out=json,
    )
    screen = console()
    screen.print(facts(_full_rows(found)))
    for text in (found.full.convention, *found.full.remarks):
        screen.print(text, style="dim", markup=False)
    if found.reduced is not None:
        screen.print(f"\n{found.reduced.method} at reduced resolution, by {found.reduced.factor}", markup=False)
        screen.print(facts(_reduced_rows(found)))
        for text in (found.reduced.convention, *found.reduced.remarks, *found.reduced.scores.remarks):
            screen.print(text, style="dim", markup=False)


def _full_rows(found: Quality) -> list[tuple[str, str]]:
    """Lay out what the cube itself shows."""
    import numpy as np

    from hsrdiff.cli.screen import number

    full = found.full
    rows = [
        ("HQNR", number(full.hqnr, 4)),
        ("D_lambda", number(full.d_lambda, 4)),
        ("D_s", number(full.d_s, 4)),
    ]
    for label, agreement, names in (
        ("R Z against MSI", full.spectral, found.msi_bands),
        ("Z D against HSI", full.spatial, _centres(found)),
    ):
        errors = agreement.relative_rmse
        text = f"{number(100 * agreement.mean_relative_rmse, 3)} %, correlation {number(agreement.mean_correlation, 4)}"
        if np.isfinite(errors).any():
            worst = int(np.nanargmax(errors))
            text += f"; worst band {names[worst]}, {number(100 * float(errors[worst]), 3)} %"
        rows.append((label, text))
    if full.ndvi is not None:
        ndvi = full.ndvi
        numbers = f"correlation {number(ndvi.correlation, 4)}, bias {number(ndvi.bias, 4)}, RMSE {number(ndvi.rmse, 4)}"
        at = "bands at {:.0f} and {:.0f} nm".format(*ndvi.fused_nm)
        rows.append(("NDVI", f"{numbers}; {at}"))
    rows += [(topic.replace("psf", "PSF"), text) for topic, text in found.told.items()]
    return rows


def _centres(found: Quality) -> list[str]:
    """Name the cube's bands by wavelength, else by number."""
    if found.wavelengths_nm is None:
        return [str(band + 1) for band in range(len(found.full.spatial.correlation))]
    return [f"{nm:.4g} nm" for nm in found.wavelengths_nm]


def _reduced_rows(found: Quality) -> list[tuple[str, str]]:
    """Lay out what its method reaches on the degraded pair."""
    from hsrdiff.cli.screen import number

    if found.reduced is None:
        return []
    scores = found.reduced.scores
    return [
        ("PSNR", f"{number(scores.psnr_db, 2)} dB"),
        ("SAM", f"{number(scores.sam_deg, 3)}°"),
        ("ERGAS", number(scores.ergas, 3)),
        ("Q2n", number(found.reduced.q2n, 4)),
        ("RMSE", f"{number(scores.rmse, 5)} of the peak"),
    ]
