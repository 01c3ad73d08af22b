"""`hsrdiff fuse`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hsrdiff.cli.options import (
    BandsOption,
    HsiVariableOption,
    MsiVariableOption,
    PsfFwhmOption,
    SeedOption,
    SensorOption,
    SrfOption,
    ThreadsOption,
    read_value,
    split_names,
)

if TYPE_CHECKING:
    import xarray as xr

HELP = "Fuse two images of one place into one georeferenced cube with its wavelengths."
EXAMPLE = (
    "Example: hsrdiff fuse enmap.tif sentinel2.tif -o fused.tif\n\n"
    "Example: hsrdiff fuse hsi.tif msi.tif -o fused.hdr --method hsr-diff --weights mine.safetensors"
)
# Facts of the computing, kept in the file, and what a note says in words; the rest of the record is told on the screen.
UNTOLD = ("method", "version", "seed", "factor", "told", "peak", "dropped_bands", "bend")
DIGEST = "_digest"


def command(
    hsi: Annotated[str, typer.Argument(metavar="HSI", help="Hyperspectral image: many bands, coarse pixels.")],
    msi: Annotated[str, typer.Argument(metavar="MSI", help="Multispectral image: few bands, fine pixels.")],
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="FILE", help="Cube to write; the ending names the format.")
    ],
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            "-m",
            metavar="NAME",
            help="auto, the default, compares methods on the pair itself, degraded once more, and uses the best, or "
            "of those too close to tell the preferred; or a name such as regression, kriging or hsr-diff (a wrong "
            "name lists them all).",
        ),
    ] = None,
    sensor: SensorOption = None,
    srf: SrfOption = None,
    bands: BandsOption = None,
    psf: Annotated[
        str | None,
        typer.Option(
            "--psf",
            metavar="FILE",
            help="Point spread function (PSF): how a coarse pixel weighs the fine ones, a matrix of weights in fine "
            "pixels, .npy or .csv; 'estimated' finds it from the pair; a Gaussian when left out.",
        ),
    ] = None,
    psf_fwhm: PsfFwhmOption = None,
    factor: Annotated[
        int | None, typer.Option("--factor", help="Ratio of the pixel sizes; found from the images when left out.")
    ] = None,
    hsi_variable: HsiVariableOption = None,
    msi_variable: MsiVariableOption = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="FILE",
            help="Weights of a learned method, or a shipped name; auto compares the method that they are for.",
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            help="Sampling steps of hsr-diff (100 when left out) or hsr-diff-residual (1, of several samples 25); "
            "of ual, of its adaptor.",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="An option of the method that is named, such as samples=8 of hsr-diff-residual; repeatable.",
        ),
    ] = None,
    adapt: Annotated[
        float | None,
        typer.Option(
            "--adapt",
            metavar="SECONDS",
            help="Train hsr-diff-residual so long on this pair, degraded once more; auto compares it with the others.",
        ),
    ] = None,
    interpolate_bands: Annotated[
        bool,
        typer.Option(
            "--interpolate-bands",
            help="Use weights trained on other bands: the spectra are interpolated to these, and the result back.",
        ),
    ] = False,
    peak: Annotated[
        float | None,
        typer.Option(
            "--peak",
            help="Value of HSI that counts as full scale, 1 to the method; found from the images when left out.",
        ),
    ] = None,
    noise_hsi: Annotated[
        float | None,
        typer.Option(
            "--noise-hsi",
            metavar="SIGMA",
            help="Standard deviation of the noise of HSI, in its unit; estimated when left out, 0 for none.",
        ),
    ] = None,
    noise_msi: Annotated[
        float | None,
        typer.Option("--noise-msi", metavar="SIGMA", help="Standard deviation of the noise of MSI, likewise."),
    ] = None,
    std: Annotated[
        str | None,
        typer.Option(
            "--std",
            metavar="FILE",
            help="Cube for how large the error of each value is likely to be, a standard deviation: of residual mode "
            "and the kriging methods; auto compares only these.",
        ),
    ] = None,
    dtype: Annotated[
        str,
        typer.Option("--dtype", metavar="TYPE", help="Numbers of the file: float32, int16 or uint16 with a scale."),
    ] = "float32",
    dtype_scale: Annotated[
        float | None,
        typer.Option(
            "--dtype-scale",
            metavar="STEP",
            help="What one step of an integer means, such as 1e-4: the same for scenes that are to fit together; what "
            "loses least when left out.",
        ),
    ] = None,
    non_negative: Annotated[
        bool,
        typer.Option("--non-negative", help="Cut values below 0, keeping what both images see of the result."),
    ] = False,
    block: Annotated[
        int | None,
        typer.Option(
            "--block",
            metavar="PIXELS",
            help="Fuse in overlapping blocks of so many fine pixels a side (32 coarse ones at least), so that memory "
            "holds one block rather than the result; 0 for the whole at once. When left out, a result of 256 MiB or "
            "more is made in blocks.",
        ),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            "--json",
            "--report",
            metavar="FILE",
            help="JSON file for what was done, and for the comparison that auto makes.",
        ),
    ] = None,
    register: Annotated[
        bool,
        typer.Option(
            "--register/--no-register",
            help="Measure a shift between the images and mend it where it is certain, or fuse them as they lie.",
        ),
    ] = True,
    match: Annotated[
        bool,
        typer.Option(
            "--match/--no-match",
            help="With a known sensor, bring multispectral bands of another unit or calibration to the hyperspectral "
            "image by a gain and an offset each, or take them as they are.",
        ),
    ] = True,
    force: Annotated[
        bool,
        typer.Option("--force", help="Mend also a shift of more than 2 coarse pixels, which is refused otherwise."),
    ] = False,
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
) -> None:
    """Parse, call `hsrdiff.jobs.fuse`, print."""
    from rich.markup import escape

    from hsrdiff.choice import AUTO
    from hsrdiff.cli.screen import console, steps_shown
    from hsrdiff.jobs.fuse import fuse

    chosen = AUTO if method is None else method
    with steps_shown(f"fusing with {chosen}") as show:
        cube = fuse(
            hsi,
            msi,
            method=chosen,
            sensor=sensor,
            srf=srf,
            bands=split_names(bands),
            psf=psf,
            psf_fwhm=psf_fwhm,
            factor=factor,
            hsi_variable=hsi_variable,
            msi_variable=msi_variable,
            weights=weights,
            steps=steps,
            options=_options(option or []),
            adapt=adapt,
            interpolate_bands=interpolate_bands,
            seed=seed,
            peak=peak,
            noise_hsi=noise_hsi,
            noise_msi=noise_msi,
            out=out,
            std_out=std,
            dtype=dtype,
            dtype_scale=dtype_scale,
            non_negative=non_negative,
            block=block,
            json_out=json,
            register=register,
            match=match,
            force=force,
            threads=threads,
            progress=lambda done, in_all: show("", done, in_all),
        )
    screen = console()
    screen.print(f"[bold]{escape(out)}[/bold]: {_summary(cube)}")
    for topic, text in cube.attrs.items():
        name = str(topic).removeprefix("hsrdiff_")
        if name != topic and name not in UNTOLD and not name.endswith(DIGEST):
            topic_of_note = name.removeprefix("note_")
            said = name.replace("_", " ") if topic_of_note == name else f"note on {topic_of_note.replace('_', ' ')}"
            screen.print(f"  {said}: {text}", markup=False)
    if std is not None:
        screen.print(f"[bold]{escape(std)}[/bold]: how large its errors are likely to be, as a standard deviation")


def _options(entries: list[str]) -> dict[str, object]:
    """Split ``key=value`` entries."""
    from hsrdiff.errors import InputError

    options: dict[str, object] = {}
    for entry in entries:
        key, sign, text = entry.partition("=")
        if not (sign and key.strip()):
            raise InputError(f"--set got '{entry}'", expected="KEY=VALUE", do="write it like --set views=8")
        options[key.strip()] = read_value(text)
    return options


def _summary(cube: xr.DataArray) -> str:
    words = f"{cube.sizes['band']} bands, {cube.sizes['y']} × {cube.sizes['x']} pixels, "
    words += f"{cube.attrs['hsrdiff_factor']} times finer, by {cube.attrs['hsrdiff_method']}"
    if "hsrdiff_dropped_bands" in cube.attrs:
        words += f"; bad bands left out: {cube.attrs['hsrdiff_dropped_bands']}"
    return words
