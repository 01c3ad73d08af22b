"""An MSI on the grid of an HSI divided by a whole number, in its CRS."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform as to_crs
from scipy import ndimage

from hsrdiff.cubes.georeference import georeference_of, set_georeference
from hsrdiff.errors import InputError
from hsrdiff.typing import FloatArray

MARGIN = 3  # LR pixels of the MSI kept around the HSI when it is resampled, so that a shift can be mended
_WHOLE = 1.0 - 1e-5  # share of valid pixels in a resampled one, but for rounding
_SOME_CRS = CRS.from_epsg(3857)  # stands for any where both images are in one that no file names


def resample(
    hsi: xr.DataArray,
    msi: xr.DataArray,
    factor: int,
    place: tuple[CRS | None, Affine],
    coarse_place: tuple[CRS | None, Affine],
) -> tuple[xr.DataArray, tuple[int, int]]:
    """Return the MSI on the HSI's grid divided by the factor, as far as it reaches, and where the HSI begins there.

    Args:
        hsi: LR-HSI (B, h, w).
        msi: HR-MSI (b, H, W), NaN where invalid; a pixel invalid in one band is invalid in all.
        factor: s, fine pixels along a side of an LR pixel.
        place: CRS and transform of the MSI.
        coarse_place: CRS and transform of the HSI.

    Returns:
        The MSI, NaN where a pixel is not wholly made of valid ones, up to `MARGIN` LR pixels beyond the HSI; and the
        row and column in it of the first fine pixel of the HSI, which may be negative.

    Raises:
        InputError: The two do not overlap.
    """
    (crs, transform), (coarse_crs, coarse_transform) = place, coarse_place
    source, target = crs or _SOME_CRS, coarse_crs or _SOME_CRS
    (top, bottom), (left, right) = _reach(hsi, msi, (source, transform), (target, coarse_transform))
    fine = coarse_transform @ Affine.translation(left, top) @ Affine.scale(1 / factor)
    # bilinear weights keep masks exact; GDAL's warper would read places off by up to an eighth of a pixel
    places = _places_in_msi((top, bottom), (left, right), factor, (source, transform), (target, coarse_transform))
    values = np.asarray(msi.values, dtype=np.float32)
    valid = np.isfinite(values).all(axis=0).astype(np.float32)
    planes = (*np.where(valid > 0, values, np.float32(0.0)), valid)
    found = np.stack(
        [ndimage.map_coordinates(plane, places, order=1, mode="grid-constant", output=np.float32) for plane in planes]
    )
    whole = np.greater_equal(found[-1], _WHOLE)
    if not whole.any():
        raise apart(hsi, msi)
    cube = xr.DataArray(
        np.where(whole, found[:-1], np.float32(np.nan)),
        dims=msi.dims,
        coords={name: value for name, value in msi.coords.items() if value.dims == ("band",)},
        attrs=dict(msi.attrs),
        name=msi.name,
    )
    # LR pixels of the region at its edges that the MSI does not reach are none
    blocks = whole.reshape(bottom - top, factor, right - left, factor).max(axis=(1, 3))
    rows, columns = (np.flatnonzero(np.any(blocks, axis=axis)) for axis in (1, 0))
    first, last = (rows[0], columns[0]), (rows[-1] + 1, columns[-1] + 1)
    cube = cube.isel(
        y=slice(first[0] * factor, last[0] * factor),
        x=slice(first[1] * factor, last[1] * factor),
    )
    cube = set_georeference(cube, coarse_crs, fine @ Affine.translation(first[1] * factor, first[0] * factor))
    return cube, (-int(top + first[0]) * factor, -int(left + first[1]) * factor)


def _places_in_msi(
    rows: tuple[int, int],
    columns: tuple[int, int],
    factor: int,
    place: tuple[CRS, Affine],
    coarse_place: tuple[CRS, Affine],
) -> FloatArray:
    """Return the row and column in the MSI, counted between pixel centres, of every fine pixel centre, (2, H, W).

    They are carried from one CRS to the other at the corners of the LR pixels and are linear in between.
    """
    (crs, transform), (coarse_crs, coarse_transform) = place, coarse_place
    corners = np.meshgrid(np.arange(rows[0], rows[1] + 1.0), np.arange(columns[0], columns[1] + 1.0), indexing="ij")
    x, y = (np.asarray(values) for values in coarse_transform @ (corners[1], corners[0]))
    if crs != coarse_crs:
        x, y = (np.reshape(values, x.shape) for values in carried(coarse_crs, crs, [*x.flat], [*y.flat]))
    u, v = ~transform @ (x, y)
    fine = [(np.arange((end - begin) * factor) + 0.5) / factor for begin, end in (rows, columns)]
    at = np.meshgrid(*fine, indexing="ij")
    return np.stack([ndimage.map_coordinates(plane, at, order=1) - 0.5 for plane in (v, u)])


def _reach(
    hsi: xr.DataArray, msi: xr.DataArray, place: tuple[CRS, Affine], coarse_place: tuple[CRS, Affine]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first and last rows and columns, LR pixels of the HSI's grid, that the MSI reaches near the HSI."""
    (crs, transform), (coarse_crs, coarse_transform) = place, coarse_place
    along: FloatArray = np.linspace(0.0, 1.0, 21)
    rim = [(t, edge) for t in along for edge in (0.0, 1.0)] + [(edge, t) for t in along for edge in (0.0, 1.0)]
    at = [transform @ (u * msi.sizes["x"], v * msi.sizes["y"]) for u, v in rim]
    x, y = [place[0] for place in at], [place[1] for place in at]
    if crs != coarse_crs:
        x, y = carried(crs, coarse_crs, x, y)
    pixels = np.array([~coarse_transform @ place for place in zip(x, y, strict=True)])
    reach = []
    for axis, name in ((1, "y"), (0, "x")):
        first = max(-MARGIN, math.floor(pixels[:, axis].min()))
        last = min(hsi.sizes[name] + MARGIN, math.ceil(pixels[:, axis].max()))
        if min(last, hsi.sizes[name]) <= max(first, 0):
            raise apart(hsi, msi)
        reach.append((first, last))
    return reach[0], reach[1]


def carried(source: CRS, target: CRS, x: list[float], y: list[float]) -> tuple[list[float], list[float]]:
    """Return map coordinates in another CRS.

    Args:
        source: Their CRS.
        target: The other.
        x: Eastings or longitudes.
        y: Northings or latitudes.

    Returns:
        x and y in the other.

    Raises:
        InputError: A place cannot be expressed in it.
    """
    found = to_crs(source, target, x, y)
    if not np.isfinite(found[:2]).all():
        raise InputError(
            f"the place of an image in {crs_name(source)} cannot be expressed in {crs_name(target)}",
            expected="two images of one place",
            do="check their coordinate systems",
        )
    return found[0], found[1]


def apart(hsi: xr.DataArray, msi: xr.DataArray) -> InputError:
    """Say that two images have not one whole HSI pixel in common, and where they lie.

    Args:
        hsi: LR-HSI.
        msi: HR-MSI.
    """
    places = [f"the {name} one {_where(cube)}" for name, cube in (("hyperspectral", hsi), ("multispectral", msi))]
    return InputError(
        f"the two images do not overlap by one whole hyperspectral pixel: {' and '.join(places)}",
        expected="two images of one place",
        do="check which images were given and their coordinates",
    )


def _where(cube: xr.DataArray) -> str:
    """Return the range of a cube on the map, in words."""
    crs, transform = georeference_of(cube)
    if transform is None:
        return f"has {cube.sizes['y']} x {cube.sizes['x']} pixels"
    rim = [transform @ (u * cube.sizes["x"], v * cube.sizes["y"]) for u in (0, 1) for v in (0, 1)]
    (x, x_end), (y, y_end) = ((min(values), max(values)) for values in zip(*rim, strict=True))
    return f"covers x {x:.10g} to {x_end:.10g}, y {y:.10g} to {y_end:.10g} in {crs_name(crs)}"


def crs_name(crs: CRS | None) -> str:
    """Return what to call a CRS.

    Args:
        crs: The CRS, or None.
    """
    code = None if crs is None else crs.to_epsg()
    return f"EPSG:{code}" if code is not None else "another coordinate system"
