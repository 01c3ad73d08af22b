"""An MSI from which the HSI lies by a shift that changes over the image, resampled to where the HSI lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import xarray as xr
from scipy import ndimage

from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.jobs.pair import Pair
from hsrdiff.observation.shift_field import ShiftField
from hsrdiff.typing import FloatArray

_WHOLE = 1.0 - 1e-5  # share of valid pixels around a place that is read, but for rounding
_HALF = 0.5  # fine pixels beyond the middle of the last one that belong to it


def bent(pair: Pair, field: ShiftField) -> Pair:
    """Resample the MSI, ``X'(p) = X(p - s d(i))`` with i the LR place of the fine pixel p, by cubic splines.

    The HSI is not resampled: the two lie as it does afterwards.

    Args:
        pair: The pair as the field was measured on it.
        field: d, in LR pixels.

    Returns:
        The pair with another MSI; a pixel read outside the old one, or beside an invalid one, is NaN.
    """
    around = pair.msi if pair.surround is None else pair.surround
    values = np.asarray(around.values, dtype=np.float64)
    height, width = values.shape[1:]
    at = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij")).astype(np.float64)
    # P71: the geometry of the result is that of the HSI
    places = at - pair.factor * field.at(_lr_places(pair, at))
    valid = np.isfinite(values).all(axis=0)
    inside = np.ones((height, width), dtype=bool)
    for place, side in zip(places, (height, width), strict=True):
        inside &= (place >= -_HALF) & (place <= side - 1 + _HALF)
    share = ndimage.map_coordinates(np.asarray(valid, dtype=np.float64), places, order=1, mode="nearest")
    usable = inside & (np.asarray(share) >= _WHOLE)
    # a spline must not meet NaN; what a filled pixel does to valid ones around it is small
    filled = fill_invalid(torch.from_numpy(values)[None], torch.from_numpy(valid)[None, None])[0].numpy()
    read = np.stack([ndimage.map_coordinates(band, places, order=3, mode="nearest") for band in filled])
    moved = xr.DataArray(
        np.where(usable, read, np.nan).astype(np.float32),
        dims=around.dims,
        coords=around.coords,
        attrs=dict(around.attrs),
        name=around.name,
    )
    (row, column), size = pair.corner, (pair.msi.sizes["y"], pair.msi.sizes["x"])
    part = moved.isel(y=slice(row, row + size[0]), x=slice(column, column + size[1]))
    return replace(pair, msi=part, surround=moved, bend=field if pair.bend is None else pair.bend.plus(field))


def _lr_places(pair: Pair, at: FloatArray) -> FloatArray:
    """Return where fine pixels of the surround lie on the HSI, (2, H, W), LR pixels between their centres."""
    parts = []
    for place, begin, offset in zip(at, pair.corner, pair.offset, strict=True):
        parts.append((place - begin + 0.5 - offset) / pair.factor - 0.5)
    return np.stack(parts)
