"""Pair: an HSI and an MSI of one place, checked to fit together, and the grid of what they are fused into."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from affine import Affine
from rasterio.crs import CRS

from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import FactorError, InputError, InvalidValueError
from hsrdiff.jobs.images import usable_bands
from hsrdiff.observation.spatial import check_factor
from hsrdiff.typing import FloatArray

# Extents further apart than the first, in LR pixels, are not of one place; those closer than the second need no word.
LARGEST_MISFIT, SMALL_MISFIT = 0.5, 0.05


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images of one place.

    Args:
        hsi: LR-HSI (B, h, w), usable bands only.
        msi: HR-MSI (b, H, W).
        factor: H / h = W / w, a whole number of at least 2.
        dropped: Bands of the file, counted from 1, that were left out.
        crs: CRS of the fine grid, if known.
        transform: Pixel corners of the fine grid to map coordinates, if known.
        misfit: Largest distance on the map of a corner of one image from that of the other, in LR pixels; 0 where
            one of them has no place on the map.
    """

    hsi: xr.DataArray
    msi: xr.DataArray
    factor: int
    dropped: tuple[int, ...]
    crs: CRS | None
    transform: Affine | None
    misfit: float = 0.0

    @property
    def notes(self) -> dict[str, str]:
        """What a reader of the result should know about the grids, by topic."""
        if self.misfit <= SMALL_MISFIT:
            return {}
        return {
            "grid": f"corners lie {self.misfit:.2g} hyperspectral pixels apart on the map, and the images were fused "
            "as if they lay on each other: expect a poorer result"
        }

    @property
    def wavelengths_nm(self) -> FloatArray | None:
        """Centres of the HSI bands, (B,), nm, or None."""
        return band_numbers(self.hsi, "wavelength")

    @property
    def fwhm_nm(self) -> FloatArray | None:
        """Widths of the HSI bands, (B,), nm, or None."""
        return band_numbers(self.hsi, "fwhm")


def band_numbers(cube: xr.DataArray, name: str) -> FloatArray | None:
    """Return a coordinate along the bands as float64.

    Args:
        cube: (band, y, x).
        name: ``"wavelength"`` or ``"fwhm"``.

    Returns:
        (B,) in nm, or None where the cube does not have it.
    """
    return np.asarray(cube[name].values, dtype=np.float64) if name in cube.coords else None


def make_pair(hsi: xr.DataArray, msi: xr.DataArray, factor: float | None = None) -> Pair:
    """Check that two cubes fit together and find their common grid.

    Args:
        hsi: LR-HSI (B, h, w), NaN where invalid.
        msi: HR-MSI (b, H, W), NaN where invalid.
        factor: What the ratio of the pixel sizes should be; deduced when None.

    Returns:
        The pair, without the bands that the HSI marks as bad.

    Raises:
        InputError: The two seem swapped, or lie in different places.
        FactorError: The ratio is not a whole number of at least 2, or not the factor given.
        InvalidValueError: No HSI band is usable, or an MSI band has no valid pixel.
    """
    _check_order(hsi, msi)
    crs, transform, coarse_transform = _common_georeference(hsi, msi)
    found = _deduce_factor(hsi, msi, transform, coarse_transform)
    if factor is not None and check_factor(factor) != found:
        raise FactorError(
            f"the factor given is {factor:g} but {_sizes(hsi, msi)} are {found} times apart",
            expected="the same factor",
            do="leave the factor out, or check which images were given",
        )
    misfit = 0.0
    if transform is not None and coarse_transform is not None:
        misfit = _check_extents(hsi, msi, transform, coarse_transform)
    elif transform is None and coarse_transform is not None:
        transform = coarse_transform * Affine.scale(1 / found)
    empty = np.flatnonzero(~np.isfinite(msi.values).any(axis=(1, 2)))
    if empty.size:
        raise InvalidValueError(
            f"band {empty[0] + 1} of the multispectral image has no valid pixel",
            expected="numbers in every band",
            do="leave that band out of the file",
        )
    kept = usable_bands(hsi)
    dropped = tuple(int(band) + 1 for band in np.flatnonzero(~kept))
    return Pair(hsi.isel(band=np.flatnonzero(kept)), msi, found, dropped, crs, transform, misfit)


def _sizes(hsi: xr.DataArray, msi: xr.DataArray) -> str:
    return (
        f"the multispectral image of {msi.sizes['y']} x {msi.sizes['x']} pixels and the hyperspectral one of "
        f"{hsi.sizes['y']} x {hsi.sizes['x']}"
    )


def _check_order(hsi: xr.DataArray, msi: xr.DataArray) -> None:
    """Notice two images given the wrong way round."""
    finer = hsi.sizes["y"] > msi.sizes["y"] and hsi.sizes["x"] > msi.sizes["x"]
    fewer = hsi.sizes["band"] < msi.sizes["band"]
    if finer or fewer:
        raise InputError(
            f"the first image has {hsi.sizes['band']} bands of {hsi.sizes['y']} x {hsi.sizes['x']} pixels, the "
            f"second {msi.sizes['band']} bands of {msi.sizes['y']} x {msi.sizes['x']}",
            expected="the hyperspectral image first (more bands, coarser pixels), the multispectral one second",
            do="swap the two, as they seem to be the wrong way round",
        )


def _deduce_factor(
    hsi: xr.DataArray, msi: xr.DataArray, transform: Affine | None, coarse_transform: Affine | None
) -> int:
    """Return H / h = W / w where it is a whole number of at least 2."""
    tall, wide = (msi.sizes[axis] / hsi.sizes[axis] for axis in ("y", "x"))
    if tall == wide and tall.is_integer() and tall >= 2:
        return int(tall)
    ratios = f"{tall:.4g}" if tall == wide else f"{tall:.4g} in rows and {wide:.4g} in columns"
    advice = "crop or resample the images to a common grid first"
    if transform is not None and coarse_transform is not None:
        pixels = _pixel_size(coarse_transform) / _pixel_size(transform)
        advice = f"cut both to the same extent (their pixel sizes have ratio {pixels:.4g}), or resample one of them"
    raise FactorError(
        f"{_sizes(hsi, msi)} have a ratio of {ratios}",
        expected="the same whole number of at least 2 in both directions",
        do=advice,
    )


def _pixel_size(transform: Affine) -> float:
    return math.hypot(transform.a, transform.d)


def _common_georeference(hsi: xr.DataArray, msi: xr.DataArray) -> tuple[CRS | None, Affine | None, Affine | None]:
    """Return the CRS, the transform of the MSI and that of the HSI, None where not known."""
    crs, transform = georeference_of(msi)
    coarse_crs, coarse_transform = georeference_of(hsi)
    if crs is not None and coarse_crs is not None and crs != coarse_crs:
        raise InputError(
            f"the multispectral image is in {_crs_name(crs)} and the hyperspectral one in {_crs_name(coarse_crs)}",
            expected="one coordinate system",
            do="reproject one of them, for instance with gdalwarp",
        )
    known = [None if t is None or t == Affine.identity() else t for t in (transform, coarse_transform)]
    return crs if crs is not None else coarse_crs, known[0], known[1]


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code is not None else "another coordinate system"


def _check_extents(hsi: xr.DataArray, msi: xr.DataArray, transform: Affine, coarse_transform: Affine) -> float:
    """Compare the four corners of the two images on the map; return the largest distance in LR pixels."""
    furthest = 0.0
    for right, bottom in ((0, 0), (0, 1), (1, 0), (1, 1)):
        x, y = transform * (right * msi.sizes["x"], bottom * msi.sizes["y"])
        u, v = coarse_transform * (right * hsi.sizes["x"], bottom * hsi.sizes["y"])
        furthest = max(furthest, math.hypot(x - u, y - v))
    pixels = furthest / _pixel_size(coarse_transform)
    if pixels > LARGEST_MISFIT:
        raise InputError(
            f"the corners of the two images lie up to {pixels:.3g} hyperspectral pixels apart on the map",
            expected=f"the same extent within {LARGEST_MISFIT:g} pixel",
            do="cut both images to their common extent, for instance with gdal_translate -projwin",
        )
    return pixels
