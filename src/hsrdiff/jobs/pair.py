"""Pair: an HSI and an MSI of one place, checked to fit together, and the grid of what they are fused into."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from affine import Affine
from rasterio.crs import CRS

from hsrdiff.cubes.georeference import PLACE_NOTE, georeference_of
from hsrdiff.cubes.spectral_axis import band_numbers
from hsrdiff.errors import FactorError, InputError, InvalidValueError
from hsrdiff.jobs.grids import cut, nest
from hsrdiff.jobs.images import usable_bands
from hsrdiff.jobs.same_place import places_of
from hsrdiff.jobs.sharpened import sharpened
from hsrdiff.observation.shift_field import ShiftField
from hsrdiff.observation.spatial import check_factor
from hsrdiff.typing import FloatArray

_SHORT = 3  # so many times shorter than the others, the last axis is more likely the bands
_NOTHING = 0.02  # fine pixels that no PSF is moved by
_HALF = 0.55  # fine pixels that a PSF is moved by before a whole one is cut off, which may cost an LR pixel


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
        offset: (rows, columns) in fine pixels by which HSI pixels lie further down and to the right than their blocks
            of fine ones; D is to be moved by it.
        surround: The MSI (b, at least H, at least W) that `msi` was cut from.
        corner: Row and column of the first pixel of `msi` in it.
        grid: What was done to the grids, in words.
        placed: Which of the images have a place on the map: ``"hsi"``, ``"msi"``.
        mended: (rows, columns) in fine pixels by which the HSI was moved from where it was given.
        bend: The field by which the MSI was resampled after that, if it was.
    """

    hsi: xr.DataArray
    msi: xr.DataArray
    factor: int
    dropped: tuple[int, ...]
    crs: CRS | None
    transform: Affine | None
    offset: tuple[float, float] = (0.0, 0.0)
    surround: xr.DataArray | None = None
    corner: tuple[int, int] = (0, 0)
    grid: tuple[str, ...] = ()
    placed: tuple[str, ...] = ()
    mended: tuple[float, float] = (0.0, 0.0)
    bend: ShiftField | None = None

    @property
    def notes(self) -> dict[str, str]:
        """What a reader of the result should know about the grids, by topic."""
        return {"grid": "; ".join(self.grid)} if self.grid else {}

    def moved(self, rows: float, columns: float) -> Pair:
        """Put the HSI elsewhere on the fine grid: by whole fine pixels, the rest becomes `offset`.

        Args:
            rows: How far down, fine pixels.
            columns: How far to the right, fine pixels.

        Returns:
            A pair of what the two have in common now, without an LR pixel whose fine pixels are not all there.

        Raises:
            InputError: Nothing is left.
        """
        whole, offset = zip(*(_split(a + b) for a, b in zip(self.offset, (rows, columns), strict=True)), strict=True)
        surround = self.msi if self.surround is None else self.surround
        corner = self.corner[0] + whole[0], self.corner[1] + whole[1]
        hsi, msi, new, lost = cut(self.hsi, surround, corner, self.factor)
        transform = self.transform
        if transform is not None and self.placed == ("hsi",):
            rows_lost, columns_lost = lost[0] * self.factor, lost[2] * self.factor
            transform = transform @ Affine.translation(
                columns_lost + self.offset[1] - offset[1], rows_lost + self.offset[0] - offset[0]
            )
        elif transform is not None:
            transform = transform @ Affine.translation(new[1] - self.corner[1], new[0] - self.corner[0])
        words = f"moving the hyperspectral image cost it {sum(lost[:2])} rows and {sum(lost[2:])} columns"
        return replace(
            self,
            hsi=hsi,
            msi=msi,
            transform=transform,
            offset=offset,
            surround=surround,
            corner=new,
            grid=(*self.grid, words) if any(lost) else self.grid,
            mended=(self.mended[0] + rows, self.mended[1] + columns),
        )

    @property
    def wavelengths_nm(self) -> FloatArray | None:
        """Centres of the HSI bands, (B,), nm, or None."""
        return band_numbers(self.hsi, "wavelength")

    @property
    def fwhm_nm(self) -> FloatArray | None:
        """Widths of the HSI bands, (B,), nm, or None."""
        return band_numbers(self.hsi, "fwhm")


def make_pair(hsi: xr.DataArray, msi: xr.DataArray, factor: float | None = None) -> Pair:
    """Bring two cubes to nested grids and check that they fit together.

    Where both have a place on the map they are cut to their common area, and an MSI whose pixels do not divide those
    of the HSI is resampled (`nest`); else their sizes must divide. MSI bands that a product repeats from a coarser grid
    are sharpened first (`sharpened`).

    Args:
        hsi: LR-HSI (B, h, w), NaN where invalid.
        msi: HR-MSI (b, H, W), NaN where invalid.
        factor: What the ratio of the pixel sizes should be; deduced when None.

    Returns:
        The pair, without the bands that the HSI marks as bad.

    Raises:
        InputError: The two seem swapped, or do not overlap.
        FactorError: Without a place on the map, the sizes have no whole ratio of at least 2; or the ratio is below
            1.2, or not the factor given.
        InvalidValueError: No HSI band is usable, an MSI band has no valid pixel or is constant, or the HSI is constant
            or has a single pixel.
    """
    (coarse_crs, coarse_transform), (crs, transform) = places_of(hsi, msi)
    placed = tuple(name for name, place in (("hsi", coarse_transform), ("msi", transform)) if place is not None)
    on_map = len(placed) == 2
    _check_order(hsi, msi, on_map)
    empty = np.flatnonzero(~np.isfinite(msi.values).any(axis=(1, 2)))
    if empty.size:
        raise InvalidValueError(
            f"band {empty[0] + 1} of the multispectral image has no valid pixel",
            expected="numbers in every band",
            do="leave that band out of the file",
        )
    msi, done = sharpened(hsi, msi)
    if on_map:
        nested = nest(hsi, msi)
        found, hsi, crs = nested.factor, nested.hsi, nested.crs
        row, column = nested.corner
        transform = nested.transform @ Affine.translation(column, row)
        height, width = (hsi.sizes[axis] * found for axis in ("y", "x"))
        pair_msi = nested.surround.isel(y=slice(row, row + height), x=slice(column, column + width))
    else:
        nested, pair_msi = None, msi
        found = _deduce_factor(hsi, msi)
        if coarse_transform is not None:
            # the MSI's CRS, if it names one, is not what these numbers are in
            crs, transform = coarse_crs, coarse_transform @ Affine.scale(1 / found)
        elif transform is None:
            crs, transform = _own_numbers(crs, coarse_crs, msi)
    if factor is not None and check_factor(factor) != found:
        raise FactorError(
            f"the factor given is {factor:g} but {_sizes(hsi, pair_msi)} are {found} times apart",
            expected="the same factor",
            do="leave the factor out, or check which images were given",
        )
    _check_contrast(hsi, msi)
    kept = usable_bands(hsi)
    dropped = tuple(int(band) + 1 for band in np.flatnonzero(~kept))
    pair = Pair(hsi.isel(band=np.flatnonzero(kept)), pair_msi, found, dropped, crs, transform, placed=placed)
    if nested is None:
        return replace(pair, grid=(*done, *_borrowed(placed), *_unused(hsi, msi)))
    grid = (*done, *nested.notes)
    return replace(pair, offset=nested.offset, surround=nested.surround, corner=nested.corner, grid=grid)


def _split(length: float) -> tuple[int, float]:
    """Return whole pixels and the rest, as few whole ones as leave about half a pixel; next to nothing is nothing."""
    whole = math.copysign(math.ceil(max(0.0, abs(length) - _HALF)), length)
    rest = length - whole
    return int(whole), rest if abs(rest) > _NOTHING else 0.0


def _sizes(hsi: xr.DataArray, msi: xr.DataArray) -> str:
    return (
        f"the multispectral image of {msi.sizes['y']} x {msi.sizes['x']} pixels and the hyperspectral one of "
        f"{hsi.sizes['y']} x {hsi.sizes['x']}"
    )


def _check_order(hsi: xr.DataArray, msi: xr.DataArray, on_map: bool) -> None:
    """Notice two images given the wrong way round; on the map the sizes of their pixels tell, not their numbers."""
    finer = not on_map and hsi.sizes["y"] > msi.sizes["y"] and hsi.sizes["x"] > msi.sizes["x"]
    fewer = hsi.sizes["band"] < msi.sizes["band"]
    if finer or fewer:
        do = "swap the two, as they seem to be the wrong way round"
        if any(_SHORT * image.shape[2] <= min(image.shape[:2]) for image in (hsi, msi)):
            do = "check the order of the axes: arrays are (band, y, x), as numpy.moveaxis(array, -1, 0) makes them"
        raise InputError(
            f"the first image has {hsi.sizes['band']} bands of {hsi.sizes['y']} x {hsi.sizes['x']} pixels, the "
            f"second {msi.sizes['band']} bands of {msi.sizes['y']} x {msi.sizes['x']}",
            expected="the hyperspectral image first (more bands, coarser pixels), the multispectral one second",
            do=do,
        )


def _check_contrast(hsi: xr.DataArray, msi: xr.DataArray) -> None:
    """Refuse images that show nothing."""
    if hsi.sizes["y"] * hsi.sizes["x"] == 1:
        raise InvalidValueError(
            "the hyperspectral image has a single pixel where both images are",
            expected="a scene to learn from, of at least some tens of pixels",
            do="take a larger part of the images",
        )
    values = msi.values
    levels = np.nanmin(values, axis=(1, 2))
    constant = np.flatnonzero(np.nanmax(values, axis=(1, 2)) == levels)
    if constant.size:
        raise InvalidValueError(
            f"band {constant[0] + 1} of the multispectral image is {levels[constant[0]]:g} everywhere",
            expected="a band that shows something",
            do="leave that band out of the file",
        )
    if np.nanmax(hsi.values) == np.nanmin(hsi.values):
        raise InvalidValueError(
            f"the hyperspectral image is {np.nanmax(hsi.values):g} everywhere",
            expected="an image that shows something",
            do="check the file and how it was exported",
        )


def _deduce_factor(hsi: xr.DataArray, msi: xr.DataArray) -> int:
    """Return H / h = W / w where it is a whole number of at least 2."""
    tall, wide = (msi.sizes[axis] / hsi.sizes[axis] for axis in ("y", "x"))
    if tall == wide and tall.is_integer() and tall >= 2:
        return int(tall)
    ratios = f"{tall:.4g}" if tall == wide else f"{tall:.4g} in rows and {wide:.4g} in columns"
    raise FactorError(
        f"{_sizes(hsi, msi)} have a ratio of {ratios}",
        expected="the same whole number of at least 2 in both directions, or a place on the map for both images",
        do="crop or resample the images to a common grid first",
    )


def _own_numbers(crs: CRS | None, coarse_crs: CRS | None, msi: xr.DataArray) -> tuple[CRS | None, Affine | None]:
    """Return what is kept of two images without a place on the map: a CRS, and numbers of the MSI's pixels."""
    transform = georeference_of(msi)[1]
    return crs if crs is not None else coarse_crs, None if transform == Affine.identity() else transform


def _borrowed(placed: tuple[str, ...]) -> tuple[str, ...]:
    """Say of which image the place on the map is taken to be that of the other one."""
    if len(placed) != 1:
        return ()
    lacks, has = ("multispectral", "hyperspectral") if placed == ("hsi",) else ("hyperspectral", "multispectral")
    return (f"the {lacks} image has no place on the map and is taken to have the extent of the {has} one",)


def _unused(hsi: xr.DataArray, msi: xr.DataArray) -> tuple[str, ...]:
    """Say where an image of the two could be laid on the map but is not."""
    images = (("hyperspectral", hsi), ("multispectral", msi))
    return tuple(f"the {name} image's {image.attrs[PLACE_NOTE]}" for name, image in images if PLACE_NOTE in image.attrs)
