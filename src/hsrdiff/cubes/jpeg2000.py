"""JPEG 2000, read only: Sentinel-2 bands, and CAVE scenes packed without loss."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hsrdiff.cubes.formats import no_variables, only_read
from hsrdiff.cubes.raster import open_raster, read_raster

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "JPEG 2000"
suffixes: tuple[str, ...] = (".jp2", ".j2k", ".jpf")
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

_MAGIC = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file begins as JPEG 2000, boxed or a bare code stream."""
    return head.startswith(_MAGIC)


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read a JPEG 2000 image; the attribute ``compression`` says whether values were changed when it was packed.

    Args:
        path: The file.
        chunks: As for `open_cube`.
        variable: Must be None.

    Returns:
        The cube, of the stored numbers where the file states no scale.

    Raises:
        CubeFormatError: The file is damaged.
    """
    no_variables(path, variable)
    with open_raster(path, "JP2OpenJPEG") as dataset:
        kind = dataset.tags(ns="IMAGE_STRUCTURE").get("COMPRESSION_REVERSIBILITY", "not stated")
    return read_raster(path, "JP2OpenJPEG", chunks, {"compression": f"JPEG 2000, {kind.lower()}"})


write = only_read(title)
