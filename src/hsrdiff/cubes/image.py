"""Plain PNG images, read only: grey or RGB values without wavelengths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hsrdiff.cubes.formats import no_variables, only_read
from hsrdiff.cubes.raster import read_raster

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "PNG"
suffixes: tuple[str, ...] = (".png",)
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file begins as a PNG."""
    return head.startswith(b"\x89PNG\r\n\x1a\n")


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read a PNG: one cube band for each channel; fully transparent pixels are invalid.

    Args:
        path: The file.
        chunks: As for `open_cube`.
        variable: Must be None.

    Returns:
        The cube, of the stored numbers (0..255 or 0..65535), without wavelengths.

    Raises:
        CubeFormatError: The file is damaged or holds palette entries.
    """
    no_variables(path, variable)
    return read_raster(path, "PNG", chunks)


write = only_read(title)
