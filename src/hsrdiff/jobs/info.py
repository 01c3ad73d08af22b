"""`info`: what a file holds, in one look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from rasterio.crs import CRS

from hsrdiff.cubes import open_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.cubes.spectral_axis import band_numbers
from hsrdiff.jobs.images import take_cube
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class CubeInfo:
    """What `info` found.

    Attributes:
        path: The file.
        bands: Number of bands.
        height: Rows.
        width: Columns.
        wavelengths_nm: First and last band centre, or None.
        fwhm_nm: Smallest and largest band width, or None.
        bad_bands: Bands marked as bad, counted from 1.
        empty_bands: Bands without a valid pixel, counted from 1.
        band_names: Names of the bands, or none.
        stored_type: Number type in the file.
        scale: What a stored number is multiplied by, and what is added then; None where they differ by band.
        nodata: Stored value of an invalid pixel, or None.
        minimum: Smallest valid value.
        maximum: Largest valid value.
        mean: Mean of the valid values.
        valid_percent: Share of values that are valid, %.
        crs: The coordinate system in words, or None.
        pixel_size: Pixel width and height in the unit of the CRS, or None.
        map_unit: That unit, such as ``"m"`` or ``"degrees"``; empty where it is not known.
        bounds: Left, bottom, right, top in the unit of the CRS, or None.
        notes: What the reader remarked, by topic.
    """

    path: str
    bands: int
    height: int
    width: int
    wavelengths_nm: tuple[float, float] | None
    fwhm_nm: tuple[float, float] | None
    bad_bands: tuple[int, ...]
    empty_bands: tuple[int, ...]
    band_names: tuple[str, ...]
    stored_type: str
    scale: tuple[float, float] | None
    nodata: float | None
    minimum: float
    maximum: float
    mean: float
    valid_percent: float
    crs: str | None
    pixel_size: tuple[float, float] | None
    map_unit: str
    bounds: tuple[float, float, float, float] | None
    notes: dict[str, str]


def info(path: PathLike, *, variable: str | None = None) -> CubeInfo:
    """Read a cube and say what it is.

    Args:
        path: A file or folder of a known format.
        variable: What to read of it, as `hsrdiff.open_cube` takes it.

    Returns:
        Sizes, bands, values and place on the map.

    Raises:
        CubeFormatError: The file cannot be read as a cube.
        InvalidValueError: Not one value is valid.
    """
    return cube_info(take_cube(open_cube(path, variable=variable), f"'{path}'"), str(path))


def cube_info(cube: xr.DataArray, name: str) -> CubeInfo:
    """Say what a cube in memory is.

    Args:
        cube: (band, y, x), with at least one valid value.
        name: What it is called, such as its path.

    Returns:
        Sizes, bands, values and place on the map.
    """
    values = cube.values
    finite = np.isfinite(values)
    wavelengths_nm, fwhm_nm = band_numbers(cube, "wavelength"), band_numbers(cube, "fwhm")
    good = np.asarray(cube["good_band"].values, dtype=bool) if "good_band" in cube.coords else None
    names = cube["band_name"].values if "band_name" in cube.coords else ()
    encoding = cube.encoding
    factor, offset = encoding.get("scale_factor", 1.0), encoding.get("add_offset", 0.0)
    fill = encoding.get("_FillValue")
    crs, transform = georeference_of(cube)
    bounds = pixel_size = None
    if transform is not None:
        height, width = values.shape[1:]
        corners = [transform @ corner for corner in ((0, 0), (width, 0), (0, height), (width, height))]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        bounds = (min(xs), min(ys), max(xs), max(ys))
        pixel_size = (float(np.hypot(transform.a, transform.d)), float(np.hypot(transform.b, transform.e)))
    return CubeInfo(
        path=name,
        bands=values.shape[0],
        height=values.shape[1],
        width=values.shape[2],
        wavelengths_nm=None if wavelengths_nm is None else _ends(wavelengths_nm),
        fwhm_nm=None if fwhm_nm is None else _ends(fwhm_nm),
        bad_bands=() if good is None else tuple(int(i) + 1 for i in np.flatnonzero(~good)),
        empty_bands=tuple(int(i) + 1 for i in np.flatnonzero(~finite.any(axis=(1, 2)))),
        band_names=tuple(str(name) for name in names),
        stored_type=str(encoding.get("dtype", cube.dtype)),
        scale=(float(factor), float(offset)) if np.ndim(factor) == 0 and np.ndim(offset) == 0 else None,
        nodata=None if fill is None else float(fill),
        minimum=float(values.min(where=finite, initial=np.inf)),
        maximum=float(values.max(where=finite, initial=-np.inf)),
        mean=float(values.mean(where=finite, dtype=np.float64)),
        valid_percent=100.0 * float(finite.mean()),
        crs=None if crs is None else (crs.to_string()),
        pixel_size=pixel_size,
        map_unit=_map_unit(crs),
        bounds=bounds,
        notes={str(key): str(value) for key, value in cube.attrs.items()},
    )


def _ends(numbers: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> tuple[float, float]:
    return float(numbers.min()), float(numbers.max())


def _map_unit(crs: CRS | None) -> str:
    """Return the unit of a coordinate system; empty where it is not known."""
    if crs is None:
        return ""
    if crs.is_geographic:
        return "degrees"
    named = str(crs.linear_units) if crs.is_projected else ""
    return "m" if named.lower() in {"metre", "meter"} else "" if named.lower() == "unknown" else named
