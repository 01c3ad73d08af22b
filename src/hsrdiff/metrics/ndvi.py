"""NDVI of the fused cube against that of the guide: a quantity that users derive, seen by both images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hsrdiff.errors import ShapeError
from hsrdiff.metrics.agreement import correlation
from hsrdiff.metrics.pair import Float64, Image, Mask, image_array, mask_array

RED_NM, NIR_NM = 660.0, 840.0
# how far the centre of a guide band may lie from that: the sensors' red and near-infrared bands do not
GUIDE_REACH_NM = (40.0, 60.0)
FUSED_REACH_NM = 20.0


@dataclass(frozen=True)
class NdviAgreement:
    """NDVI of the fused cube against that of the guide.

    Attributes:
        correlation: Of the two over the pixels that count; NaN where one is constant.
        bias: Mean of the fused cube's NDVI less that of the guide.
        rmse: Root mean square difference.
        fused_nm: Centres of the fused cube's red and near-infrared band.
        guide_nm: Centres of the guide's.
        pixels: Pixels that count: valid, with a positive sum of the two bands in both images.
    """

    correlation: float
    bias: float
    rmse: float
    fused_nm: tuple[float, float]
    guide_nm: tuple[float, float]
    pixels: int


def ndvi_agreement(
    Z_hat: Image,
    X: Image,
    *,
    wavelengths_nm: npt.ArrayLike,
    guide_wavelengths_nm: npt.ArrayLike,
    mask: Mask | None = None,
) -> NdviAgreement | None:
    """Compare (NIR - red) / (NIR + red), cut to -1..1, of both images (Rouse et al., 1974).

    The bands nearest 660 and 840 nm are taken: of the fused cube within 20 nm, of the guide within 40 and 60 nm.
    The guide's bands are wider, so the NDVI of the truth itself differs a little from that of the guide.

    Args:
        Z_hat: The fused cube, (B, y, x).
        X: The guide, (b, y, x), in the same unit.
        wavelengths_nm: Centres of the fused bands, (B,).
        guide_wavelengths_nm: Centres of the guide's bands, (b,); NaN where unknown.
        mask: True where a pixel counts, (y, x).

    Returns:
        The agreement, or None where an image has no such bands or no pixel counts.

    Raises:
        InputError: If the images or the wavelengths do not fit together.
    """
    fused, guide = image_array(Z_hat, "the fused cube"), image_array(X, "the guide")
    if fused.shape[1:] != guide.shape[1:]:
        raise ShapeError(
            f"a fused cube of shape {fused.shape} and a guide of shape {guide.shape}", expected="the same (y, x)"
        )
    valid = np.ones(fused.shape[1:], dtype=np.bool_) if mask is None else mask_array(mask, fused.shape[1:])
    values, centres = [], []
    for image, nm, reach in (
        (fused, wavelengths_nm, (FUSED_REACH_NM, FUSED_REACH_NM)),
        (guide, guide_wavelengths_nm, GUIDE_REACH_NM),
    ):
        known = np.asarray(nm, dtype=np.float64)
        if known.shape != image.shape[:1]:
            raise ShapeError(f"wavelengths of shape {known.shape} for an image of {image.shape[0]} bands")
        found = [_nearest(known, wanted, within) for wanted, within in zip((RED_NM, NIR_NM), reach, strict=True)]
        if None in found:
            return None
        red, nir = (_band(image, band) for band in found)
        values.append(_ndvi(red, nir))
        centres.append((float(known[found[0]]), float(known[found[1]])))
    counted = valid & np.isfinite(values[0]) & np.isfinite(values[1])
    if not counted.any():
        return None
    a, b = (ndvi[counted] for ndvi in values)
    return NdviAgreement(
        correlation(a, b),
        float((a - b).mean()),
        math.sqrt(float(np.square(a - b).mean())),
        centres[0],
        centres[1],
        int(counted.sum()),
    )


def _nearest(centres: Float64, wanted: float, within: float) -> int | None:
    """Return the band nearest a wavelength, or None where none is near enough."""
    apart = np.abs(np.where(np.isnan(centres), math.inf, centres) - wanted)
    return int(apart.argmin()) if apart.min() <= within else None


def _band(image: Any, band: int | None) -> Float64:
    return np.asarray(image[band], dtype=np.float64)


def _ndvi(red: Float64, nir: Float64) -> Float64:
    total = nir + red
    positive = total > 0
    # a negative value beside a positive one would give any number, and a few such pixels all of an RMSE
    return np.where(positive, np.clip((nir - red) / np.where(positive, total, 1.0), -1.0, 1.0), math.nan)
