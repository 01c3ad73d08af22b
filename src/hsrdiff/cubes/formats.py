"""What every file format offers: the protocol behind the table of formats, and the options of a written file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

FIELDS = frozenset(
    {
        "wavelength",  # band centres
        "fwhm",  # band widths
        "good_band",  # which bands are good
        "band_name",  # a name for each band
        "crs",  # coordinate reference system
        "transform",  # pixels to map coordinates, rotated or not
        "nodata",  # invalid pixels
        "packing",  # number type, scale, offset and fill value of `.encoding`
        "band_packing",  # a scale and an offset for each band
        "attributes",  # `hsrdiff_*`, texts and numbers: how the cube was made
    }
)


@dataclass(frozen=True)
class CreationOptions:
    """Options of a written file; None leaves the choice to the format.

    Args:
        cog: Write a cloud-optimised GeoTIFF, with overviews.
        compress: GeoTIFF: ``deflate``, ``zstd``, ``lzw`` or ``none``; NetCDF: ``deflate`` or ``none``.
        interleave: ENVI: ``bsq``, ``bil`` or ``bip``; GeoTIFF: ``band`` or ``pixel``.
        byte_order: ENVI: ``little`` or ``big``.
    """

    cog: bool | None = None
    compress: str | None = None
    interleave: str | None = None
    byte_order: str | None = None

    def given(self) -> set[str]:
        """Return the names of the options that were given."""
        return {field.name for field in fields(self) if getattr(self, field.name) is not None}


class CubeFormat(Protocol):
    """One file format: a module of this shape, listed in `hsrdiff.cubes.FORMATS`.

    One that cannot hold every cube has ``refuse(cube)`` too, which raises CubeFormatError by the cube's shape, place
    and bands, without a look at its values, so that it can be asked before the values are made (`check_holds`).
    """

    title: str
    suffixes: tuple[str, ...]  # endings of file names, with their dot; the first is the usual one
    options: dict[str, tuple[object, ...]]  # the creation options it takes, with the values of each; empty: read only
    can_write: bool
    can_keep: frozenset[str]  # the FIELDS that survive writing and reading

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether `path`, whose first bytes are `head` (empty for a folder), is of this format."""

    def read(self, path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
        """Read a cube."""

    def write(self, cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
        """Write a checked cube to `path`, which does not exist yet."""


def only_read(title: str) -> Callable[[xr.DataArray, Path, CreationOptions], None]:
    """Return the `write` of a format that is only read.

    Args:
        title: What the format is called.

    Returns:
        A function that raises CubeFormatError whatever it is given.
    """

    def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
        raise CubeFormatError(f"{title} is only read", do="write .tif, .hdr, .mat, .nc, .zarr or .npy instead")

    return write


def no_variables(path: Path, variable: str | None) -> None:
    """Refuse `variable` for a format that holds one cube a file.

    Args:
        path: The file.
        variable: What the caller asked for.

    Raises:
        CubeFormatError: A variable was asked for.
    """
    if variable is not None:
        raise CubeFormatError(f"{path} has no named variables", do=f"leave out variable='{variable}'")
