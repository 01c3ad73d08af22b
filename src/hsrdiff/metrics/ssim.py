"""Structural similarity."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.metrics.bandwise import check_peak
from hsrdiff.metrics.pair import Float64, Image, Mask, Pair

# Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004, section III.C
WINDOW_PX = 11
SIGMA_PX = 1.5
K1, K2 = 0.01, 0.03
# centres of the windows that lie in the image
INSIDE = (slice(WINDOW_PX // 2, -(WINDOW_PX // 2)),) * 2


def ssim(Z_hat: Image, Z: Image, *, mask: Mask | None = None, peak: float = 1.0) -> float:
    """Return the structural similarity, mean over bands and over the 11 x 11 windows that lie in valid pixels.

    Wang et al., 2004: Gaussian windows of sigma 1.5, K1 = 0.01, K2 = 0.03, population variances.

    Args:
        Z_hat: The prediction, (band, y, x), at least 11 x 11 pixels.
        Z: The truth, (band, y, x).
        mask: True where a pixel counts, (y, x).
        peak: Range of the data; never taken from the data.

    Returns:
        The similarity, in [-1, 1]; 1 for equal images.

    Raises:
        ShapeError: If the images are smaller than a window.
        InvalidValueError: If no window lies fully in valid pixels.
        InputError: If the images do not fit together or have NaN where they count.
    """
    return mean_similarity(Pair(Z_hat, Z, mask), peak)


def mean_similarity(pair: Pair, peak: float) -> float:
    """Return the mean over bands and valid windows; see `ssim`.

    Args:
        pair: The images.
        peak: Range of the data.

    Returns:
        The similarity.

    Raises:
        ShapeError: If the images are smaller than a window.
        InvalidValueError: If no window lies fully in valid pixels.
    """
    check_peak(peak)
    if min(pair.shape[1:]) < WINDOW_PX:
        raise ShapeError(
            f"images of {pair.shape[1]} x {pair.shape[2]} pixels",
            expected=f"at least {WINDOW_PX} x {WINDOW_PX} pixels for SSIM",
        )
    whole = ndimage.minimum_filter(pair.valid, size=WINDOW_PX)[INSIDE]
    if not whole.any():
        raise InvalidValueError(
            f"no {WINDOW_PX} x {WINDOW_PX} window lies fully in valid pixels",
            expected="at least one such window for SSIM",
        )
    C1, C2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    bands = [float(_similarity(Z_hat, Z, C1, C2)[whole].mean()) for Z_hat, Z in pair.bands()]
    return float(np.mean(bands))


def _similarity(a: Float64, b: Float64, C1: float, C2: float) -> Float64:
    mean_a, mean_b = _window_mean(a), _window_mean(b)
    # Numerics: in float64 the difference of squares is good to 1e-16 of the peak's square, far below C2
    variances = (_window_mean(a * a) - mean_a**2) + (_window_mean(b * b) - mean_b**2)
    covariance = _window_mean(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    similarity: Float64 = luminance * (2 * covariance + C2) / (variances + C2)
    return similarity


def _window_mean(band: Float64) -> Float64:
    offsets = np.arange(WINDOW_PX) - WINDOW_PX // 2
    weights = np.exp(-0.5 * (offsets / SIGMA_PX) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        band = ndimage.correlate1d(band, weights, axis=axis, mode="constant")
    return band[INSIDE]
