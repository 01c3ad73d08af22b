"""A multispectral image some of whose bands are coarser than the others: these are sharpened before it is used."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr

from hsrdiff.cubes.products.sentinel2 import REPEATED
from hsrdiff.fusers import Regression
from hsrdiff.jobs.resampled import carried
from hsrdiff.jobs.same_place import places_of
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse
from hsrdiff.typing import BoolArray

_TIMES = 2  # Sentinel-2: 20 m over 10 m
_MARGIN = 64  # fine pixels around the HSI that are sharpened too, so that a shift can be mended


def sharpened(hsi: xr.DataArray, msi: xr.DataArray) -> tuple[xr.DataArray, tuple[str, ...]]:
    """Bring bands that are repeated in blocks of 2 x 2 pixels to the fine ones, where the HSI lies.

    Each is a linear function of the fine bands, learnt where those are blurred and decimated by 2, plus the upsampled
    rest (`hsrdiff.fusers.Regression`): what a block of pixels held is kept but for the blur.

    Args:
        hsi: LR-HSI (B, h, w), which says where; all of the MSI where one of the two has no place on the map.
        msi: HR-MSI (b, H, W); its attribute ``repeated_bands`` names the coarse ones.

    Returns:
        The MSI, itself where no band is coarse; and what was done, in words.
    """
    coarse = _coarse_bands(msi)
    if not coarse.any() or coarse.all():
        return msi, ()
    names = ", ".join(str(name) for name in msi["band_name"].values[coarse])
    (top, bottom), (left, right) = _window(hsi, msi)
    if top >= bottom or left >= right:
        return msi, ()
    window = np.asarray(msi.values[:, top:bottom, left:right], dtype=np.float32)
    height, width = (bottom - top) // _TIMES, (right - left) // _TIMES
    blocks = window[coarse].reshape(int(coarse.sum()), height, _TIMES, width, _TIMES)
    first = blocks[:, :, :1, :, :1]
    if not ((blocks == first) | (np.isnan(blocks) & np.isnan(first))).all():
        return msi, (f"the bands {names} are not repeated in whole blocks of 2 x 2 pixels any more: taken as they are",)
    Y, X = (torch.from_numpy(np.ascontiguousarray(part))[None] for part in (first[:, :, 0, :, 0], window[~coarse]))
    valid, valid_lr = (torch.isfinite(image).all(dim=1, keepdim=True) for image in (X, Y))
    if not (valid.any() and valid_lr.any()):
        return msi, ()
    # P73: the regression of hyper-sharpening, with the PSF of P17; R is not used
    unused = SpectralResponse(torch.eye(X.shape[1], Y.shape[1], dtype=torch.float64))
    scene = Scene(X, Y, Observation(unused, SpatialResponse.gaussian(_TIMES)), valid=valid, valid_lr=valid_lr)
    found = Regression().estimate(scene)
    inside = found.usable[0, 0]
    if not inside.any():
        return msi, ()
    left_over = float((found.residual[0][:, inside].var(dim=1) / Y[0][:, inside].double().var(dim=1)).mean())
    values = np.array(msi.values, dtype=np.float32)
    part = values[:, top:bottom, left:right]
    part[coarse] = np.where(np.isfinite(window[coarse]), found.Z_hat[0].numpy().astype(np.float32), np.nan)
    fine = ", ".join(str(name) for name in msi["band_name"].values[~coarse])
    words = (
        f"the multispectral bands {names} were sharpened by {_TIMES}, by regression on {fine}, which leaves "
        f"{100 * left_over:.2g} % of their variance where both are coarse"
    )
    done = msi.copy(data=values)
    del done.attrs[REPEATED]
    return done, (words,)


def _coarse_bands(msi: xr.DataArray) -> BoolArray:
    """Mark the bands that the reader says are repeated, (b,)."""
    named = {name.strip() for name in str(msi.attrs.get(REPEATED, "")).split(",")} - {""}
    if not named or "band_name" not in msi.coords:
        return np.zeros(msi.sizes["band"], dtype=bool)
    return np.array([str(name) in named for name in msi["band_name"].values])


def _window(hsi: xr.DataArray, msi: xr.DataArray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first and last rows and columns of the MSI, whole blocks, around what the HSI covers; else all of it."""
    size = msi.sizes["y"] // _TIMES * _TIMES, msi.sizes["x"] // _TIMES * _TIMES
    (coarse_crs, coarse_transform), (crs, transform) = places_of(hsi, msi)
    if transform is None or coarse_transform is None:
        return (0, size[0]), (0, size[1])
    rim = [(t, edge) for t in np.linspace(0.0, 1.0, 21) for edge in (0.0, 1.0)]
    at = [coarse_transform @ (u * hsi.sizes["x"], v * hsi.sizes["y"]) for u, v in (*rim, *(each[::-1] for each in rim))]
    x, y = [place[0] for place in at], [place[1] for place in at]
    if crs is not None and coarse_crs is not None and crs != coarse_crs:
        x, y = carried(coarse_crs, crs, x, y)
    places = np.array([~transform @ place for place in zip(x, y, strict=True)])
    reach = []
    for axis, last in ((1, size[0]), (0, size[1])):
        begin = int(np.clip(np.floor(places[:, axis].min()) - _MARGIN, 0, last))
        end = int(np.clip(np.ceil(places[:, axis].max()) + _MARGIN, 0, last))
        reach.append((begin // _TIMES * _TIMES, -(-end // _TIMES) * _TIMES))
    return reach[0], reach[1]
