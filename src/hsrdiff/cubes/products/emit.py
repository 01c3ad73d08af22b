"""EMIT level 2A: surface reflectance of 285 bands at 60 m, in NetCDF-4, brought onto its map grid by its lookup table.

NASA LP DAAC, EMIT L2A reflectance user guide: the swath `reflectance` (downtrack, crosstrack, bands), the lookup table
`location/glt_x` and `glt_y` (counted from 1, 0 for none), -9999 for no data and -0.01 in bands that are not good.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.hdf5 import damaged, is_hdf5
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.products.product_files import UNMASKED, chosen_words
from hsrdiff.cubes.spectral_axis import SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr
    from affine import Affine
    from rasterio.crs import CRS

    from hsrdiff.cubes.cube import Chunks
    from hsrdiff.typing import BoolArray

title = "EMIT L2A"
suffixes: tuple[str, ...] = (".nc",)
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

_CUBE = "reflectance"
_BANDS = "sensor_band_parameters"
_FILL = -9999.0
_BAD_BAND = np.float32(-0.01)
_FLAGS = ("cloud", "cirrus", "spacecraft")  # in the names of the mask file's layers


class EmitBands:
    """The reflectance on the map grid, gathered from the swath when sliced.

    Args:
        path: The file.
        glt: For each pixel of the map its (row, column) in the swath, counted from 1, 0 for none; (2, y, x).
        good: Which bands are good, or None.
        bands: The number of bands.
        mask: The file with flags of the same swath, and the flags that mask a pixel; or None.
    """

    ndim = 3
    dtype = np.dtype(np.float32)

    def __init__(
        self,
        path: Path,
        glt: npt.NDArray[np.int32],
        good: BoolArray | None,
        bands: int,
        mask: tuple[Path, tuple[int, ...]] | None,
    ) -> None:
        self.path, self.glt, self.good, self.mask = path, glt, good, mask
        self.shape = (bands, *glt.shape[1:])

    def __getitem__(self, key: tuple[slice, slice, slice]) -> npt.NDArray[Any]:
        import h5py

        bands = slice(*key[0].indices(self.shape[0]))
        glt = self.glt[:, key[1], key[2]]
        there = (glt > 0).all(axis=0)
        out = np.full((bands.stop - bands.start, *there.shape), _FILL, self.dtype)
        if not there.any():
            return out
        rows, columns = glt[:, there] - 1
        top, left = int(rows.min()), int(columns.min())
        window = (slice(top, int(rows.max()) + 1), slice(left, int(columns.max()) + 1))
        try:
            with h5py.File(self.path, "r") as file:
                swath = file[_CUBE][(*window, bands)].transpose(2, 0, 1)
            if self.mask is not None:
                with h5py.File(self.mask[0], "r") as file:
                    flags = np.stack([file["mask"][(*window, flag)] for flag in self.mask[1]])
                swath = np.where((flags == 1).any(axis=0), np.float32(_FILL), swath)
        except (OSError, RuntimeError, KeyError) as error:
            raise damaged(self.path, error) from error
        if self.good is not None:
            bad = ~self.good[bands]
            swath[bad] = np.where(swath[bad] == _BAD_BAND, np.float32(_FILL), swath[bad])
        out[:, there] = swath[:, rows - top, columns - left]
        return out


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file is HDF5 with EMIT's reflectance and band parameters inside."""
    if not is_hdf5(head):
        return False
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _CUBE in file and f"{_BANDS}/wavelengths" in file
    except (OSError, RuntimeError):  # a damaged file, reported by the reader of plain HDF5
        return False


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the reflectance, each pixel of the map grid taken from the swath by the lookup table.

    Where the file EMIT_L2A_MASK of the scene is beside it, pixels flagged as cloud, dilated cloud, cirrus or
    spacecraft are invalid.

    Args:
        path: The file EMIT_L2A_RFL.
        chunks: As for `open_cube`.
        variable: ``"unmasked"`` to leave the file with flags out, or None.

    Returns:
        The cube, in longitude and latitude.

    Raises:
        CubeFormatError: The file is damaged, or lacks the lookup table or its place on the map.
    """
    import h5py

    words = chosen_words(path, variable, (UNMASKED,))
    try:
        with h5py.File(path, "r") as file:
            shape = file[_CUBE].shape
            for name in ("location/glt_x", "location/glt_y", f"{_BANDS}/fwhm"):
                if name not in file:
                    raise CubeFormatError(
                        f"{path} has no '{name}'", expected="EMIT L2A reflectance as delivered", do="download it again"
                    )
            if len(shape) != 3:
                raise CubeFormatError(f"'{_CUBE}' in {path} is {shape}", expected="downtrack x crosstrack x bands")
            glt = np.stack([np.nan_to_num(file[f"location/glt_{axis}"][()]) for axis in "yx"]).astype(np.int32)
            parameters = file[_BANDS]
            centres, widths = (np.asarray(parameters[name][()], np.float64) for name in ("wavelengths", "fwhm"))
            good = np.asarray(parameters["good_wavelengths"][()]) == 1 if "good_wavelengths" in parameters else None
            crs, transform = _place(path, dict(file.attrs))
    except (OSError, RuntimeError) as error:
        raise damaged(path, error) from error
    if (glt.reshape(2, -1).max(axis=1) > shape[:2]).any():
        raise CubeFormatError(
            f"the lookup table of {path} points beyond its swath of {shape[0]} x {shape[1]}", do="download it again"
        )
    mask = None if UNMASKED in words else _mask_beside(path, shape)
    return build_cube(
        EmitBands(path, glt, good, shape[2], mask),
        Packing.of(np.float32, fill_value=_FILL),
        axis=SpectralAxis(centres, widths, good),
        crs=crs,
        transform=transform,
        chunks=chunks,
        attrs={
            "hsrdiff_quantity": "reflectance",
            "masked_by": f"flags of {mask[0].name}" if mask else "nothing but nodata",
        },
    )


write = only_read(title)


def _place(path: Path, attributes: dict[str, Any]) -> tuple[CRS, Affine]:
    """Return the coordinate system of `spatial_ref` and the transform of `geotransform`."""
    from affine import Affine
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    numbers = np.asarray(attributes.get("geotransform", ()), np.float64).reshape(-1)
    text = attributes.get("spatial_ref", "")
    if numbers.size != 6 or not text:
        raise CubeFormatError(
            f"{path} has no place on the map",
            expected="the attributes 'geotransform' of six numbers and 'spatial_ref'",
            do="download it again",
        )
    try:
        crs = CRS.from_wkt(text.decode() if isinstance(text, bytes) else str(text))
    except CRSError:
        raise CubeFormatError(f"'spatial_ref' in {path} is not known", expected="WKT", do="download it again") from None
    code = crs.to_epsg()
    return CRS.from_epsg(code) if code else crs, Affine.from_gdal(*numbers.tolist())


def _mask_beside(path: Path, shape: tuple[int, ...]) -> tuple[Path, tuple[int, ...]] | None:
    """Return the scene's file with flags and the places of those that mask a pixel, or None where it is not there."""
    import h5py

    beside = path.with_name(re.sub(r"(?i)_RFL_", "_MASK_", path.name))
    if beside == path or not beside.is_file():
        return None
    try:
        with h5py.File(beside, "r") as file:
            if "mask" not in file or f"{_BANDS}/mask_bands" not in file:
                return None
            if file["mask"].shape[:2] != shape[:2]:
                raise CubeFormatError(
                    f"the mask in {beside} is {file['mask'].shape[:2]}",
                    expected=f"{shape[:2]} as the reflectance",
                    do="keep the files of one scene together",
                )
            names = [
                name.decode() if isinstance(name, bytes) else str(name) for name in file[f"{_BANDS}/mask_bands"][()]
            ]
    except (OSError, RuntimeError) as error:
        raise damaged(beside, error) from error
    flags = tuple(place for place, name in enumerate(names) if any(word in name.lower() for word in _FLAGS))
    return (beside, flags) if flags else None
