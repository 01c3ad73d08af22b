"""`hsrdiff info`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hsrdiff.jobs.info import CubeInfo

HELP = "Say what a cube holds: size, bands, wavelengths, values, place on the map."
EXAMPLE = "Example: hsrdiff info enmap.tif"
LONGEST_NOTE = 100
OWN = "hsrdiff_"


def command(
    cube: Annotated[str, typer.Argument(metavar="CUBE", help="A file or folder of a known format.")],
    variable: Annotated[
        str | None,
        typer.Option(
            "--variable",
            metavar="NAME",
            help="What to read of a file that holds several things: an array's name; of products 'unmasked', which "
            "keeps pixels under clouds and the like; of Sentinel-2 10m, 20m, 60m or 10m+20m, of PRISMA pan.",
        ),
    ] = None,
) -> None:
    """Parse, ask `hsrdiff.jobs.info`, print."""
    from hsrdiff.cli.screen import console, facts
    from hsrdiff.jobs.info import info

    console().print(facts(_rows(info(cube, variable=variable))))


def _rows(found: CubeInfo) -> list[tuple[str, str]]:
    """Put what was found into words; what the file does not say is left out, wavelengths excepted."""
    count = "1 band" if found.bands == 1 else f"{found.bands} bands"
    rows = [
        ("file", found.path),
        ("size", f"{count}, {found.height} × {found.width} pixels (rows × columns)"),
    ]
    if found.wavelengths_nm is None:
        rows.append(("wavelengths", "not in the file"))
    else:
        rows.append(("wavelengths", f"{found.wavelengths_nm[0]:g} to {found.wavelengths_nm[1]:g} nm"))
    if found.fwhm_nm is not None:
        rows.append(("band widths", f"{found.fwhm_nm[0]:.4g} to {found.fwhm_nm[1]:.4g} nm (FWHM)"))
    if found.band_names and len(found.band_names) <= 16:
        rows.append(("band names", ", ".join(found.band_names)))
    for name, numbers in (("bad bands", found.bad_bands), ("empty bands", found.empty_bands)):
        if numbers:
            rows.append((name, f"{len(numbers)}: {ranges(numbers)}"))
    rows.append(("values", f"{found.minimum:.6g} to {found.maximum:.6g}, mean {found.mean:.6g}"))
    rows.append(("valid", f"{found.valid_percent:.4g} % of all values"))
    rows.append(("stored as", _stored(found)))
    rows.append(("map", found.crs or "no coordinate system"))
    if found.bounds is not None and found.pixel_size is not None:
        unit = f" {found.map_unit}" if found.map_unit else ""
        rows.append(("pixel", f"{found.pixel_size[0]:.8g} × {found.pixel_size[1]:.8g}{unit}"))
        rows.append(("extent", "{:.10g}, {:.10g} to {:.10g}, {:.10g}".format(*found.bounds) + unit))
    # our own record is sentences to be read; others put whole documents into one entry
    long = [name for name, value in found.notes.items() if not name.startswith(OWN) and len(value) > LONGEST_NOTE]
    rows += [(name, value) for name, value in found.notes.items() if name not in long]
    if long:
        rows.append(("not shown", f"{', '.join(long)}: longer than {LONGEST_NOTE} characters"))
    return rows


def _stored(found: CubeInfo) -> str:
    words = [found.stored_type]
    if found.scale is None:
        words.append("a scale for each band")
    elif found.scale != (1.0, 0.0):
        words.append(f"times {found.scale[0]:g}, plus {found.scale[1]:g}")
    if found.nodata is not None:
        words.append(f"nodata {found.nodata:g}")
    return ", ".join(words)


def ranges(numbers: tuple[int, ...]) -> str:
    """Write 1, 2, 3, 7 as ``"1-3, 7"``.

    Args:
        numbers: Whole numbers in increasing order.

    Returns:
        Text.
    """
    runs: list[list[int]] = []
    for value in numbers:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
