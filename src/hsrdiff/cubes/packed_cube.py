"""A cube and its packing: what `.encoding` asks for, whether it still fits the bands, and raw numbers by strips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.packing import Packing

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

STRIP_BYTES = 64 * 2**20
_SCALED_BANDS = "scaled_bands"  # of the encoding: whose the scales of the bands are, in their order


def encoding_of(packing: Packing, coordinates: Mapping[Any, xr.DataArray]) -> dict[str, Any]:
    """Return the entries of `.encoding` that restore a packing, and say whose the scales are where bands differ.

    Args:
        packing: The packing of a cube's file.
        coordinates: Those of the cube.

    Returns:
        The entries.
    """
    entries = packing.encoding()
    return entries | {_SCALED_BANDS: _told_apart(coordinates)} if packing.per_band else entries


def packing_of(cube: xr.DataArray) -> Packing:
    """Return the packing that a cube is to be written with, as its `.encoding` asks.

    Scales of bands that were picked or put in another order since the file was opened are not used: xarray takes the
    encoding along as it was.

    Args:
        cube: ``(band, y, x)``.

    Returns:
        The packing; float32 with NaN where nothing is asked for, or the scales are those of other bands.

    Raises:
        CubeFormatError: The number type is neither integer nor real.
    """
    packing = Packing.from_encoding(cube.encoding, cube.sizes["band"])
    before = cube.encoding.get(_SCALED_BANDS)
    if before is None or not packing.per_band:
        return packing
    now = _told_apart(cube.coords)
    shared = before.keys() & now.keys()
    # without wavelengths and names only the values can tell
    moved = any(before[name] != now[name] for name in shared) if shared else _clips(cube, packing)
    return Packing.of(np.float32, fill_value=np.nan) if moved else packing


def _told_apart(coordinates: Mapping[Any, xr.DataArray]) -> dict[str, list[Any]]:
    """Return what tells the bands of a cube apart."""
    return {name: coordinates[name].values.tolist() for name in ("wavelength", "band_name") if name in coordinates}


def _clips(cube: xr.DataArray, packing: Packing) -> bool:
    """Tell whether a valid value of any band lies beyond what its integers reach."""
    for band in range(cube.sizes["band"]):
        low, high = packing.of_band(band).reach()
        values = np.asarray(cube[band].values)
        if (values < low).any() or (values > high).any():  # NaN is neither
            return True
    return False


def packed_strips(cube: xr.DataArray, packing: Packing, multiple: int = 1) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
    """Yield a cube's raw numbers strip by strip, so that a cube larger than memory is never whole in it.

    Args:
        cube: ``(band, y, x)``.
        packing: How to pack.
        multiple: Strips begin at multiples of this many rows (the tile height of the file).

    Yields:
        The rows, and their raw numbers ``(bands, rows, x)``.
    """
    bands, height, width = cube.shape
    rows = max(1, STRIP_BYTES // max(1, bands * width * 4))
    if cube.chunks is not None:
        rows = min(rows, max(cube.chunks[1]))
    rows = -(-rows // multiple) * multiple
    for start in range(0, height, rows):
        strip = slice(start, min(start + rows, height))
        yield strip, packing.encode(np.asarray(cube[:, strip, :].values))


def packed_bands(cube: xr.DataArray, packing: Packing, multiple: int) -> Iterator[tuple[int, slice, npt.NDArray[Any]]]:
    """Yield the raw numbers of strips band by band: a strip of whole tiles with all its bands may be large.

    Args:
        cube: ``(band, y, x)`` in memory or mapped to it.
        packing: How to pack.
        multiple: Strips begin at multiples of this many rows (the tile height of the file).

    Yields:
        The band from 0, the rows, and their raw numbers ``(rows, x)``.
    """
    bands, height, width = cube.shape
    rows = -(-max(1, STRIP_BYTES // (width * 4)) // multiple) * multiple
    for start in range(0, height, rows):
        strip = slice(start, min(start + rows, height))
        for band in range(bands):
            yield band, strip, packing.of_band(band).encode(np.asarray(cube[band : band + 1, strip, :].values))[0]
