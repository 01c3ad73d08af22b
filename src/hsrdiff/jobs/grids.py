"""Grids: two images with a place on the map, brought to nested grids on which a coarse pixel is whole fine ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import xarray as xr
from affine import Affine
from rasterio.crs import CRS

from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import FactorError, InputError
from hsrdiff.jobs.resampled import apart, carried, crs_name, resample

SMALL_MISFIT = 0.05  # LR pixels: grids that fit so well need no word
LEAST_RATIO = 1.2  # of the pixel sizes: below it there is next to nothing to sharpen
_ABSURD = 1000.0  # ratio of pixel sizes that no two instruments have
_SLIGHTLY_COARSER = 0.1  # a ratio may be rounded down by so much, rather than up by nearly 1


@dataclass(frozen=True, eq=False)
class Nested:
    """Two images on nested grids.

    Attributes:
        hsi: LR-HSI (B, h, w), what lies on the MSI.
        surround: HR-MSI on the fine grid, as far as it reaches, also beyond the HSI.
        corner: Row and column in `surround` of the first fine pixel of the HSI.
        factor: s; the fine pixels of an HSI pixel are s x s.
        crs: CRS of the grids, if known.
        transform: Pixel corners of `surround` to map coordinates.
        offset: (rows, columns) in fine pixels by which HSI pixels lie further down and to the right than the blocks
            that stand for them, at most half a pixel.
        notes: What was done, in words.
    """

    hsi: xr.DataArray
    surround: xr.DataArray
    corner: tuple[int, int]
    factor: int
    crs: CRS | None
    transform: Affine
    offset: tuple[float, float]
    notes: tuple[str, ...]


def nest(hsi: xr.DataArray, msi: xr.DataArray) -> Nested:
    """Find the common area of two georeferenced images, and a fine grid whose pixels divide those of the HSI.

    An MSI in the HSI's CRS whose pixels divide the HSI's is never resampled: both images are cut to whole coarse
    pixels, and a part of a fine pixel that is left between the grids is said as `offset`. Any other MSI, of a ratio
    such as 1.5, in another CRS or turned, is resampled bilinearly to the next finer grid that divides the HSI's
    pixels; a fine pixel that is not wholly made of valid ones becomes invalid. The HSI is never resampled.

    Args:
        hsi: LR-HSI (B, h, w) with a transform.
        msi: HR-MSI (b, H, W) with a transform.

    Returns:
        The two on nested grids.

    Raises:
        InputError: The images do not overlap, or the HSI has the finer pixels.
        FactorError: The MSI's pixels are not finer by a ratio of at least 1.2.
    """
    crs, transform = georeference_of(msi)
    coarse_crs, coarse_transform = georeference_of(hsi)
    if transform is None or coarse_transform is None:
        raise InputError("an image has no place on the map", expected="a transform in both")
    borrowed: tuple[str, ...] = ()
    if (crs is None) != (coarse_crs is None):
        lacks, has = ("multispectral", "hyperspectral") if crs is None else ("hyperspectral", "multispectral")
        borrowed = (f"the {lacks} image names no coordinate system and is taken to lie in that of the {has} one",)
    crs, coarse_crs = crs or coarse_crs, coarse_crs or crs
    into_msi = _into_msi(hsi, crs, transform, coarse_crs, coarse_transform)
    wide, tall = math.hypot(into_msi.a, into_msi.d), math.hypot(into_msi.b, into_msi.e)
    _check_ratio(wide, tall)
    height, width = hsi.sizes["y"], hsi.sizes["x"]
    factor = round(wide)
    drift = max(abs(into_msi.a - factor) * width, abs(into_msi.e - factor) * height)
    drift = max(drift, abs(into_msi.b) * height, abs(into_msi.d) * width)
    if crs == coarse_crs and factor >= 2 and drift <= SMALL_MISFIT * factor:
        middle = into_msi @ (width / 2, height / 2)
        begins = middle[1] - factor * height / 2, middle[0] - factor * width / 2
        rows, columns = (round(at) for at in begins)
        offset = begins[0] - rows, begins[1] - columns
        notes: tuple[str, ...] = ()
        if max(abs(part) for part in offset) <= SMALL_MISFIT * factor:
            offset = 0.0, 0.0
        else:
            notes = (
                f"hyperspectral pixels begin {offset[0]:+z.2f} rows and {offset[1]:+z.2f} columns of fine pixels from "
                "the edges of these, which the PSF was moved by",
            )
        surround, corner = msi, (rows, columns)
    else:
        factor = max(2, math.ceil(max(wide, tall) - _SLIGHTLY_COARSER))
        surround, corner = resample(hsi, msi, factor, (crs, transform), (coarse_crs, coarse_transform))
        why = f"as {_ratio(wide, tall)} of its pixels fit into one of these"
        if crs != coarse_crs:
            why += f", and from {crs_name(crs)} to {crs_name(coarse_crs)}"
        notes = (f"the multispectral image was resampled (bilinear) to 1/{factor} of the hyperspectral pixels, {why}",)
        crs, transform = coarse_crs, coarse_transform @ Affine.scale(1 / factor) @ Affine.translation(*_back(corner))
        offset = 0.0, 0.0
    cut_hsi, cut_msi, corner_of_cut, cut_off = cut(hsi, surround, corner, factor)
    said = {"hyperspectral": cut_off}
    if surround is msi:
        bottom, right = (
            surround.sizes[axis] - at - cut_msi.sizes[axis] for axis, at in zip("yx", corner_of_cut, strict=True)
        )
        said["multispectral"] = corner_of_cut[0], bottom, corner_of_cut[1], right
    parts = [f"the {name} image by {_sides(counts)}" for name, counts in said.items() if any(counts)]
    if parts:
        notes += (f"cut to the common area: {', and '.join(parts)}",)
    return Nested(cut_hsi, surround, corner_of_cut, factor, crs, transform, offset, borrowed + notes)


def cut(
    hsi: xr.DataArray, surround: xr.DataArray, corner: tuple[int, int], factor: int
) -> tuple[xr.DataArray, xr.DataArray, tuple[int, int], tuple[int, int, int, int]]:
    """Cut both images to the coarse pixels all of whose fine ones are there.

    Args:
        hsi: (B, h, w).
        surround: (b, H, W).
        corner: Row and column in `surround` of the first fine pixel of the HSI; may be negative.
        factor: s.

    Returns:
        HSI and MSI of the common area, views; the corner of the area; and the rows at the top and bottom and the
        columns at the left and right that the HSI lost.

    Raises:
        InputError: No coarse pixel is left.
    """
    parts = []
    for axis, begin in zip(("y", "x"), corner, strict=True):
        first = max(0, math.ceil(-begin / factor))
        last = min(hsi.sizes[axis], (surround.sizes[axis] - begin) // factor)
        parts.append((first, last, begin))
    if any(first >= last for first, last, _ in parts):
        raise apart(hsi, surround)
    (top, bottom, row), (left, right, column) = parts
    area = hsi.isel(y=slice(top, bottom), x=slice(left, right))
    fine = {
        axis: slice(begin + first * factor, begin + last * factor)
        for axis, (first, last, begin) in zip(("y", "x"), parts, strict=True)
    }
    lost = top, hsi.sizes["y"] - bottom, left, hsi.sizes["x"] - right
    return area, surround.isel(fine), (row + top * factor, column + left * factor), lost


def _back(corner: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows from the first pixel of the HSI to that of what lies around it."""
    return -corner[1], -corner[0]


def _sides(counts: tuple[int, ...]) -> str:
    names = ("rows at the top", "rows at the bottom", "columns at the left", "columns at the right")
    return ", ".join(f"{count} {name}" for count, name in zip(counts, names, strict=True) if count)


def _ratio(wide: float, tall: float) -> str:
    return f"{wide:.4g}" if math.isclose(wide, tall, rel_tol=1e-3) else f"{wide:.4g} x {tall:.4g}"


def _check_ratio(wide: float, tall: float) -> None:
    if max(wide, tall) < 1 / _ABSURD or min(wide, tall) > _ABSURD:
        raise InputError(
            f"on the map the pixels of the two images have a ratio of {_ratio(wide, tall)}",
            expected="two images of one place in the coordinate systems that their files name",
            do="check them: degrees may be called metres, or metres degrees",
        )
    if max(wide, tall) < 1 / LEAST_RATIO:
        raise InputError(
            f"on the map the first image has pixels {_ratio(1 / wide, 1 / tall)} times finer than the second",
            expected="the hyperspectral image first (coarser pixels), the multispectral one second",
            do="swap the two, as they seem to be the wrong way round",
        )
    if min(wide, tall) < LEAST_RATIO:
        raise FactorError(
            f"on the map the pixels of the two images have a ratio of {_ratio(wide, tall)}",
            expected=f"multispectral pixels finer by at least {LEAST_RATIO:g} in both directions",
            do="use a multispectral image with finer pixels",
        )


def _into_msi(
    hsi: xr.DataArray, crs: CRS | None, transform: Affine, coarse_crs: CRS | None, coarse_transform: Affine
) -> Affine:
    """Return pixel coordinates (column, row) of the MSI by those of the HSI; in another CRS, round its middle."""
    if crs is None or coarse_crs is None or crs == coarse_crs:
        return Affine(*(~transform @ coarse_transform)[:6])
    column, row = hsi.sizes["x"] / 2, hsi.sizes["y"] / 2
    at = [coarse_transform @ place for place in ((column, row), (column + 1, row), (column, row + 1))]
    x, y = carried(coarse_crs, crs, [place[0] for place in at], [place[1] for place in at])
    (u, v), (u_right, v_right), (u_down, v_down) = (~transform @ place for place in zip(x, y, strict=True))
    a, d, b, e = u_right - u, v_right - v, u_down - u, v_down - v
    return Affine(a, b, u - a * column - b * row, d, e, v - d * column - e * row)
