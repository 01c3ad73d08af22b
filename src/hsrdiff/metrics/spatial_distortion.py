"""D_s by regression: how much of the guide the fused bands do not explain at full resolution."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.metrics.pair import BLOCK_BYTES, Float64, Image, Mask, image_array, mask_array

# Numerics: a direction of the fused bands weaker than this share of the strongest is rounding of float32
_NEGLIGIBLE = 1e-6


def spatial_distortion(Z_hat: Image, X: Image, *, mask: Mask | None = None) -> float:
    """Return D_s = 1 - R^2 of the regression of the guide on the fused bands (Alparone, Garzelli and Vivone, 2018).

    Defined for one guide band; with more it is the mean over those that are not constant.

    Args:
        Z_hat: The fused cube, (B, y, x).
        X: The guide, (b, y, x).
        mask: True where a pixel counts, (y, x).

    Returns:
        D_s, in [0, 1]; 0 where every guide band is a linear function of the fused ones. NaN where it is not defined:
        every guide band is constant, or there are no more valid pixels than coefficients.

    Raises:
        InputError: If the images do not fit together or have NaN where they count.
    """
    explained = explained_shares(Z_hat, X, mask=mask)
    known = explained[~np.isnan(explained)]
    return float(1.0 - known.mean()) if known.size else math.nan


def explained_shares(Z_hat: Image, X: Image, *, mask: Mask | None = None) -> Float64:
    """Return R^2 of the least-squares regression, with intercept, of each guide band on all fused bands.

    Args:
        Z_hat: The fused cube, (B, y, x).
        X: The guide, (b, y, x).
        mask: True where a pixel counts, (y, x).

    Returns:
        Shape (b,), in [0, 1]; NaN for a constant band, or where there are no more valid pixels than coefficients.

    Raises:
        InputError: If the images do not fit together or have NaN where they count.
    """
    fused, guide = image_array(Z_hat, "the fused cube"), image_array(X, "the guide")
    if fused.shape[1:] != guide.shape[1:]:
        raise ShapeError(
            f"a fused cube of {fused.shape[1]} x {fused.shape[2]} pixels and a guide of "
            f"{guide.shape[1]} x {guide.shape[2]}",
            expected="the same size",
        )
    bands = fused.shape[0]
    valid = np.ones(fused.shape[1:], dtype=np.bool_) if mask is None else mask_array(mask, fused.shape[1:])
    pixels = int(valid.sum())
    if pixels <= bands + 1:
        return np.full(guide.shape[0], np.nan)
    sums = np.zeros((2, bands + guide.shape[0]))
    for spectra in _spectra(fused, guide, valid):
        sums += spectra.sum(axis=0), np.square(spectra).sum(axis=0)
    mean, square = sums / pixels
    scatter = np.zeros_like(mean)
    triangle = np.zeros((0, mean.size))
    for spectra in _spectra(fused, guide, valid):
        centred = (spectra - mean) / np.sqrt(np.where(square > 0, square, 1.0))
        scatter += np.square(centred).sum(axis=0)
        # Numerics: a QR factorisation of pieces loses no digits to the squares of the spectra
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, centred])).R)
    # every regressor alike, so that the share of the strongest means the same in any unit
    deviation = np.sqrt(scatter / pixels)
    constant = deviation <= _NEGLIGIBLE
    triangle = triangle / np.where(constant, 1.0, deviation)
    regressors, targets = triangle[:, :bands], triangle[:, bands:]
    regressors = np.where(constant[:bands], 0.0, regressors)
    weights = np.linalg.lstsq(regressors, targets, rcond=_NEGLIGIBLE)[0]
    left = np.square(targets - regressors @ weights).sum(axis=0) / pixels
    return np.where(constant[bands:], np.nan, np.clip(1.0 - left, 0.0, 1.0))


def _spectra(fused: Any, guide: Any, valid: npt.NDArray[np.bool_]) -> Iterator[Float64]:
    """Read both images a few rows at a time: (pixels, B + b) float64, valid pixels only."""
    height, width = valid.shape
    count = fused.shape[0] + guide.shape[0]
    step = max(1, BLOCK_BYTES // (8 * count * width))
    for first in range(0, height, step):
        rows = slice(first, first + step)
        inside = valid[rows]
        pieces = [np.asarray(image[:, rows], dtype=np.float64)[:, inside].T for image in (fused, guide)]
        spectra = np.concatenate(pieces, axis=1)
        if not np.isfinite(spectra).all():
            raise InvalidValueError(
                "the fused cube or the guide has NaN or infinite values in pixels that count",
                expected="numbers wherever the mask is True",
                do="pass a mask that is False there",
            )
        yield spectra
