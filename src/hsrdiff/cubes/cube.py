"""The cube: a DataArray with dims (band, y, x), built and checked in one place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import xarray as xr

from hsrdiff.cubes.declared import unpacked, without_mask
from hsrdiff.cubes.georeference import set_georeference
from hsrdiff.cubes.packed_cube import STRIP_BYTES, encoding_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.spectral_axis import BAND_COORDINATES, SpectralAxis
from hsrdiff.errors import InputError, ShapeError, WavelengthError

if TYPE_CHECKING:
    import numpy.typing as npt
    from affine import Affine

DIMS = ("band", "y", "x")
Chunks: TypeAlias = int | str | Mapping[str, int | str] | None

_ATTRIBUTES = {
    "wavelength": {"units": "nm", "long_name": "centre wavelength"},
    "fwhm": {"units": "nm", "long_name": "full width at half maximum"},
    "good_band": {"long_name": "band is good"},
    "band_name": {"long_name": "band name"},
}


def as_cube(
    array: Any,
    *,
    wavelengths_nm: npt.ArrayLike | None = None,
    fwhm_nm: npt.ArrayLike | None = None,
    crs: Any = None,
    transform: Affine | None = None,
) -> xr.DataArray:
    """Make a cube from an array, or complete and check one.

    Args:
        array: ``(band, y, x)``, or ``(y, x)`` for one band: NumPy, Dask, a CPU tensor, or a DataArray whose dims are
            band, y and x in any order. Physical values, NaN where invalid; or as rioxarray and masked arrays
            give them: what a mask hides becomes NaN, and nodata, scale and offset in the attributes are applied.
        wavelengths_nm: Band centres, shape (bands,), nm.
        fwhm_nm: Full widths at half maximum, shape (bands,), nm.
        crs: Anything `rasterio` takes for a CRS.
        transform: Pixel corners (column, row) to map coordinates.

    Returns:
        A float32 cube; the array given stays unchanged, and is shared where it was float32 already.

    Raises:
        ShapeError: The array is not two- or three-dimensional, is empty, or a vector does not have one entry a band.
        WavelengthError: Wavelengths or widths are not finite, not positive, or not in nm.
        InputError: The values are not real numbers, or may have been scaled already.
    """
    if isinstance(array, xr.DataArray):
        cube = _with_dims(array)
    else:
        array = without_mask(array)
        data = array if hasattr(array, "ndim") and hasattr(array, "chunks") else np.asarray(array)
        if data.ndim == 2:
            data = data[None]
        if data.ndim != 3:
            raise ShapeError(f"the array has shape {tuple(data.shape)}", expected="(band, y, x)")
        cube = xr.DataArray(data, dims=DIMS)
    if cube.dtype.kind not in "iufb":
        raise InputError(f"the values are of type {cube.dtype}", expected="real numbers")
    cube = unpacked(cube)
    if cube.dtype != np.float32:
        cube = cube.astype(np.float32, keep_attrs=True)
    cube = _with_axis(cube, {"wavelength": wavelengths_nm, "fwhm": fwhm_nm})
    cube = set_georeference(cube, crs, transform)
    check_cube(cube)
    return cube


def build_cube(
    raw: Any,
    packing: Packing,
    *,
    axis: SpectralAxis | None = None,
    crs: Any = None,
    transform: Affine | None = None,
    chunks: Chunks = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Make a cube from a file's raw numbers: physical values now, its own packing in `.encoding`.

    Args:
        raw: ``(band, y, x)`` NumPy or Dask array, or an object with shape, dtype, ndim and `[slices]` that reads
            from the file when asked; in strips of a multiple of its `rows_together` rows, where it has that.
        packing: How raw numbers become physical values.
        axis: What the file says about its bands.
        crs: The CRS, or None.
        transform: The transform, or None.
        chunks: None to read all now; a number, ``"auto"`` or sizes by dim for a Dask-backed cube.
        attrs: Attributes of the cube.

    Returns:
        The cube.

    Raises:
        HsrdiffError: As `as_cube`, where the file's parts do not fit together.
    """
    axis = axis or SpectralAxis()
    if chunks is not None:
        raw = _as_dask(raw, chunks)
    values = packing.decode(raw) if isinstance(raw, np.ndarray) or hasattr(raw, "chunks") else _read(raw, packing)
    cube = xr.DataArray(values, dims=DIMS, attrs={**(attrs or {}), **axis.notes})
    cube.name = None  # Dask arrays bring a random one
    cube = _with_axis(
        cube,
        {
            "wavelength": axis.wavelengths_nm,
            "fwhm": axis.fwhm_nm,
            "good_band": axis.good_band,
            "band_name": axis.band_names,
        },
    )
    cube = set_georeference(cube, crs, transform)
    check_cube(cube)
    cube.encoding = {**cube.encoding, **encoding_of(packing, cube.coords)}
    return cube


def check_cube(cube: xr.DataArray) -> None:
    """Check that a DataArray is a cube.

    Args:
        cube: What is said to be a cube.

    Raises:
        ShapeError: Dims, sizes or the coordinates along ``band`` are not those of a cube.
        WavelengthError: Wavelengths or widths are not finite, not positive, or not in nm.
        InputError: It is no DataArray, or its values are not real numbers.
    """
    if not isinstance(cube, xr.DataArray):
        raise InputError(f"got a {type(cube).__name__}", expected="a cube", do="make one with as_cube")
    if cube.dims != DIMS:
        raise ShapeError(f"the dims are {cube.dims}", expected=f"{DIMS}", do="make a cube with as_cube")
    if 0 in cube.shape:
        raise ShapeError(f"the cube is empty, shape {cube.shape}", expected="at least one band and pixel")
    if cube.dtype.kind not in "iufb":
        raise InputError(f"the values are of type {cube.dtype}", expected="real numbers")
    for name in BAND_COORDINATES:
        if name in cube.coords and cube.coords[name].dims != ("band",):
            raise ShapeError(f"the coordinate '{name}' has dims {cube.coords[name].dims}", expected="('band',)")
    if "wavelength" in cube.coords:
        _check_nanometres(cube.coords["wavelength"].values)
    if "fwhm" in cube.coords:
        widths = np.asarray(cube.coords["fwhm"].values, np.float64)
        if not np.isfinite(widths).all() or (widths < 0).any():
            raise WavelengthError("a band width (fwhm) is negative or not finite", expected="widths in nm")


def _check_nanometres(wavelengths: npt.ArrayLike) -> None:
    centres = np.asarray(wavelengths, np.float64)
    if not np.isfinite(centres).all() or (centres <= 0).any():
        raise WavelengthError("a wavelength is not finite or not positive", expected="band centres in nm")
    if centres.max() < 100:
        raise WavelengthError(
            f"the wavelengths run from {centres.min():g} to {centres.max():g}",
            expected="nanometres",
            do="multiply micrometres by 1000",
        )


def _with_dims(array: xr.DataArray) -> xr.DataArray:
    """Return a DataArray with dims (band, y, x)."""
    if set(array.dims) == {"y", "x"}:
        array = array.expand_dims("band")
    if set(array.dims) != set(DIMS):
        raise ShapeError(f"the dims are {array.dims}", expected=f"{DIMS}", do="rename them to band, y and x")
    encoding = dict(array.encoding)
    array = array.transpose(*DIMS)
    array.encoding = encoding
    return array


def _with_axis(cube: xr.DataArray, vectors: Mapping[str, Any]) -> xr.DataArray:
    """Return the cube with the coordinates that are given along ``band``."""
    bands = cube.sizes["band"]
    types: dict[str, Any] = {"wavelength": np.float64, "fwhm": np.float64, "good_band": bool, "band_name": str}
    coords: dict[Hashable, Any] = {}
    for name, vector in vectors.items():
        if vector is None:
            continue
        values = np.asarray(vector, types[name])
        if values.shape != (bands,):
            raise ShapeError(f"'{name}' has shape {values.shape}", expected=f"one entry for each of the {bands} bands")
        coords[name] = ("band", values.copy(), _ATTRIBUTES[name])
    return cube.assign_coords(coords)


def _read(raw: Any, packing: Packing) -> npt.NDArray[np.float32]:
    """Return the physical values of a file; the raw numbers beside them are at most a strip of it."""
    together = getattr(raw, "rows_together", None)
    if together is None:
        whole: npt.NDArray[np.float32] = packing.decode(raw[:, :, :], in_place=True)
        return whole
    bands, height, width = raw.shape
    values = np.empty(raw.shape, np.float32)
    strip = together * max(1, STRIP_BYTES // (bands * width * together * raw.dtype.itemsize))
    for first in range(0, height, strip):
        rows = slice(first, min(first + strip, height))
        values[:, rows] = packing.decode(raw[:, rows, :], in_place=True)
    return values


def _as_dask(raw: Any, chunks: Chunks) -> Any:
    """Return a Dask array over what reads from a file, in the chunks asked for."""
    import dask.array as da

    sizes = chunk_sizes(chunks)
    shape = tuple(sizes.get(dim, -1) for dim in DIMS)
    if isinstance(raw, da.Array):
        return raw.rechunk(shape)  # type: ignore[no-untyped-call]
    meta = np.empty((0, 0, 0), raw.dtype)
    return da.from_array(raw, chunks=shape, name=False, asarray=True, meta=meta)  # type: ignore[no-untyped-call]


def chunk_sizes(chunks: Chunks) -> dict[str, int | str]:
    """Return the chunk size asked for along each dim.

    Args:
        chunks: A number, ``"auto"``, or sizes by dim (-1 or absent: the whole dim).

    Returns:
        Sizes by dim.

    Raises:
        InputError: A dim is not one of band, y and x, or a size is not a positive number, -1 or ``"auto"``.
    """
    if chunks is None:
        return {}
    sizes = dict(chunks) if isinstance(chunks, Mapping) else dict.fromkeys(DIMS, chunks)
    for dim, size in sizes.items():
        fits = size == "auto" if isinstance(size, str) else size == -1 or size > 0
        if dim not in DIMS or not fits:
            raise InputError(f"chunks gives {size!r} for '{dim}'", expected="a size, -1 or 'auto' for band, y and x")
    return sizes
