"""Options that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

SensorOption = Annotated[
    str | None,
    typer.Option(
        "--sensor",
        metavar="NAME",
        help="Multispectral sensor and its bands, such as sentinel2:B2,B3,B4,B8 or landsat8:B2,B3,B4,B5,B6,B7 (a wrong "
        "name lists them all); without bands all of the sensor's.",
    ),
]
SrfOption = Annotated[
    str | None,
    typer.Option(
        "--srf", metavar="CSV", help="Table of measured spectral responses (docs/formats.md), in place of --sensor."
    ),
]
BandsOption = Annotated[
    str | None,
    typer.Option("--bands", metavar="B2,B3,...", help="The image's bands by the sensor's names, in its order."),
]
PsfOption = Annotated[
    str | None,
    typer.Option(
        "--psf",
        metavar="FILE",
        help="Point spread function (PSF): how a coarse pixel weighs the fine ones, a matrix of weights in fine "
        "pixels, .npy or .csv; a Gaussian when left out.",
    ),
]
PsfFwhmOption = Annotated[
    float | None,
    typer.Option(
        "--psf-fwhm",
        metavar="PIXELS",
        help="Full width at half maximum of the Gaussian PSF, in coarse pixels; 1 when left out.",
    ),
]
HsiVariableOption = Annotated[
    str | None,
    typer.Option(
        "--hsi-variable",
        metavar="NAME",
        help="What to read of HSI where its file holds several things: an array's name; of products 'unmasked', which "
        "keeps pixels under clouds and the like.",
    ),
]
MsiVariableOption = Annotated[
    str | None,
    typer.Option(
        "--msi-variable",
        metavar="NAME",
        help="Likewise of MSI; of Sentinel-2 10m, 20m, 60m or 10m+20m (20 m is sharpened first), of PRISMA pan.",
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Number that decides everything random.")]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", help="Processor threads to use; as many as torch takes when left out.")
]


def split_names(text: str | None) -> list[str] | None:
    """Split ``"B2,B3"`` into names.

    Args:
        text: What the user wrote, or None.

    Returns:
        The names, or None.
    """
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def read_value(text: str) -> object:
    """Read the value of an option: TOML, or text where it is none.

    Args:
        text: What stands behind the equals sign.
    """
    import tomllib

    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text.strip()
