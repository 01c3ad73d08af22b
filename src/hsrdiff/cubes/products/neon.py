"""NEON AOP surface reflectance, directional or bidirectional (DP3.30006.001, .002): 426 bands at 1 m, tiles in HDF5.

NEONScience/NEON-Data-Skills: intro-l3-refl-h5 (groups, shapes, number types, `Map_Info`, scale and ignored value),
Work-With-Hyperspectral-Data-In-R (the units of `Wavelength`), plot-spectral-signature (the windows of water vapour).
NEON's pages HSI_REFL/001 and 002 in google/earthengine-catalog: bands in these windows hold -100 and no valid value.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.envi_map import read_map
from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.hdf5 import Hdf5Bands, damaged, is_hdf5, number_of
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
    from hsrdiff.typing import BoolArray, FloatArray

title = "NEON AOP reflectance"
suffixes: tuple[str, ...] = ("_reflectance.h5",)
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

_CUBE = "Reflectance/Reflectance_Data"
_METADATA = "Reflectance/Metadata"
_WINDOWS = ("Band_Window_1_Nanometers", "Band_Window_2_Nanometers")
_NO_VALUE = -100  # in bands inside the windows


class NeonBands:
    """The stored numbers of a tile, read when sliced; -100 in bands without data becomes the ignored value.

    Args:
        stored: The dataset, its bands first.
        good: False for bands without data, shape (bands,).
        fill: The ignored value, or None where the number type cannot hold it.
        rows_together: Rows of a chunk in the file.
    """

    ndim = 3

    def __init__(self, stored: Hdf5Bands, good: BoolArray, fill: float | None, rows_together: int) -> None:
        self.stored, self.good, self.fill, self.rows_together = stored, good, fill, rows_together
        self.shape, self.dtype = stored.shape, stored.dtype

    def __getitem__(self, key: tuple[slice, slice, slice]) -> npt.NDArray[Any]:
        raw = self.stored[key]
        bad = ~self.good[key[0]]
        if self.fill is not None and bad.any():
            raw[bad] = np.where(raw[bad] == _NO_VALUE, self.dtype.type(self.fill), raw[bad])
        return raw


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file is HDF5 with the reflectance of a NEON site and its metadata inside."""
    if not is_hdf5(head):
        return False
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _site_of(file) is not None
    except (OSError, RuntimeError):  # a damaged file, reported by the reader of plain HDF5
        return False


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the reflectance ``raw / Scale_Factor``, bands in the windows of water vapour marked as bad.

    Args:
        path: The file.
        chunks: As for `open_cube`.
        variable: ``"unmasked"``, which changes nothing here, or None.

    Returns:
        The cube.

    Raises:
        CubeFormatError: The file is damaged, lacks a part or its place on the map.
    """
    import h5py

    chosen_words(path, variable, (UNMASKED,))
    try:
        with h5py.File(path, "r") as file:
            site = file[_site_of(file) or "/"]
            data, metadata = site[_CUBE], site[_METADATA]
            axis = _axis(path, site["Reflectance"], data.shape)
            crs, transform = _place(path, metadata["Coordinate_System"])
            scale, ignored = (_number(path, data, name) for name in ("Scale_Factor", "Data_Ignore_Value"))
            name, shape, dtype = data.name, data.shape, data.dtype
            rows_together = data.chunks[0] if data.chunks else 1
    except (OSError, RuntimeError) as error:
        raise damaged(path, error) from error
    except KeyError as error:
        raise CubeFormatError(
            f"{path} lacks a part of {title} ({' '.join(str(error).split())})",
            expected="the file as NEON delivers it",
            do="download it again",
        ) from error
    if not scale > 0:
        raise CubeFormatError(f"Scale_Factor in {path} is {scale:g}", expected="10000", do="download the file again")
    packing = Packing.of(dtype, 1.0 / scale, 0.0, ignored)
    good = np.ones(shape[2], np.bool_) if axis.good_band is None else axis.good_band
    stored = Hdf5Bands(path, name, shape, dtype, (0, 1, 2)).transpose((2, 0, 1))
    return build_cube(
        NeonBands(stored, good, packing.fill_value, rows_together),
        packing,
        axis=axis,
        crs=crs,
        transform=transform,
        chunks=chunks,
        attrs={"hsrdiff_quantity": "reflectance", "masked_by": "nothing but nodata"},
    )


write = only_read(title)


def _site_of(file: Any) -> str | None:
    """Return the group of the site, which is named by its code such as SERC, or None where there is no such group."""
    import h5py

    sites = (name for name, item in file.items() if isinstance(item, h5py.Group) and _CUBE in item)
    return next((name for name in sites if _METADATA in file[name]), None)


def _axis(path: Path, reflectance: Any, shape: tuple[int, ...]) -> SpectralAxis:
    """Return wavelengths, widths, and False for bands in the windows without data."""
    spectral = reflectance["Metadata/Spectral_Data"]
    if len(shape) != 3:
        raise CubeFormatError(f"Reflectance_Data in {path} is {shape}", expected="rows x columns x bands")
    centres, widths = (np.asarray(spectral[name][()], np.float64).reshape(-1) for name in ("Wavelength", "FWHM"))
    if not centres.size == widths.size == shape[2]:
        raise CubeFormatError(
            f"Wavelength in {path} has {centres.size} entries and FWHM {widths.size}",
            expected=f"{shape[2]}, one for each band of Reflectance_Data",
            do="download the file again",
        )
    axis = SpectralAxis.of_units(centres, _text(spectral["Wavelength"].attrs.get("Units", "nanometers")), widths)
    windows = [_window(path, name, reflectance.attrs[name]) for name in _WINDOWS if name in reflectance.attrs]
    if not windows or axis.wavelengths_nm is None:
        return axis
    outside = [(axis.wavelengths_nm < low) | (axis.wavelengths_nm > high) for low, high in windows]
    return replace(axis, good_band=np.all(outside, axis=0))


def _window(path: Path, name: str, value: Any) -> FloatArray:
    """Return the least and the largest wavelength of a window, nm."""
    try:
        ends = np.sort(np.asarray(value, np.float64).reshape(-1))
    except ValueError:
        ends = np.empty(0)
    if ends.size != 2 or not np.isfinite(ends).all():
        raise CubeFormatError(f"{name} in {path} is {value}", expected="two wavelengths", do="download the file again")
    return ends


def _place(path: Path, system: Any) -> tuple[CRS, Affine]:
    """Return the coordinate system of the EPSG code, else of the names or the text beside it, and the transform."""
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    code, text = (
        _text(system[name][()]) if name in system else "" for name in ("EPSG Code", "Coordinate_System_String")
    )
    header = {"map info": _text(system["Map_Info"][()])} | ({"coordinate system string": text} if not code else {})
    crs, transform = read_map(header, path)
    if code:
        try:
            crs = CRS.from_epsg(int(float(code)))
        except (CRSError, ValueError, OverflowError):
            raise CubeFormatError(
                f"the EPSG code of {path} is '{code}'", expected="the code of a UTM zone", do="download the file again"
            ) from None
    if crs is None or transform is None:
        raise CubeFormatError(
            f"{path} has no place on the map",
            expected="corner and pixel size in 'Map_Info', and 'EPSG Code' or 'Coordinate_System_String'",
            do="download it again",
        )
    return crs, transform


def _number(path: Path, data: Any, name: str) -> float:
    try:
        return number_of(data, name)
    except (ValueError, IndexError):
        raise CubeFormatError(
            f"{name} in {path} is '{_text(data.attrs[name])}'", expected="a number", do="download the file again"
        ) from None


def _text(value: Any) -> str:
    """Return a stored text or number as text, alone or in an array of one."""
    first = next(iter(np.asarray(value).reshape(-1)), "")
    return (first.decode(errors="replace") if isinstance(first, bytes) else str(first)).strip()
