"""Spectral angle."""

from __future__ import annotations

import numpy as np

from hsrdiff.errors import InvalidValueError
from hsrdiff.metrics.pair import Float64, Image, Mask, Pair


def sam_deg(Z_hat: Image, Z: Image, *, mask: Mask | None = None) -> float:
    """Return the mean spectral angle over the valid pixels whose two spectra both differ from zero.

    Args:
        Z_hat: The prediction, (band, y, x).
        Z: The truth, (band, y, x).
        mask: True where a pixel counts, (y, x).

    Returns:
        Degrees, in [0, 180]; exactly 0 for equal images.

    Raises:
        InvalidValueError: If no pixel has an angle.
        InputError: If the images do not fit together or have NaN where they count.
    """
    return mean_angle_deg(angles_deg(Pair(Z_hat, Z, mask)))


def sam_map_deg(Z_hat: Image, Z: Image, *, mask: Mask | None = None) -> Float64:
    """Return the spectral angle of every pixel.

    Args:
        Z_hat: The prediction, (band, y, x).
        Z: The truth, (band, y, x).
        mask: True where a pixel counts, (y, x).

    Returns:
        Degrees in [0, 180], (y, x); NaN outside the mask and where a spectrum is zero.

    Raises:
        InputError: If the images do not fit together or have NaN where they count.
    """
    return angles_deg(Pair(Z_hat, Z, mask))


def angles_deg(pair: Pair) -> Float64:
    """Return 2 atan2(|u - v|, |u + v|) of the unit spectra u, v of every pixel.

    Args:
        pair: The images.

    Returns:
        Degrees, (y, x); NaN outside the mask and where a spectrum is zero.
    """
    angles = np.full(pair.shape[1:], np.nan)
    for rows, Z_hat, Z in pair.rows():
        lit = (Z_hat != 0).any(axis=0) & (Z != 0).any(axis=0)
        u, v = _unit(Z_hat[:, lit]), _unit(Z[:, lit])
        # Numerics: arccos of the cosine cannot tell angles below 1e-6 degrees from 0; this form can
        apart, together = np.linalg.norm(u - v, axis=0), np.linalg.norm(u + v, axis=0)
        angles[rows][lit] = np.degrees(2 * np.arctan2(apart, together))
    return angles


def mean_angle_deg(angles: Float64) -> float:
    """Average a map of angles over the pixels that have one.

    Args:
        angles: Degrees, NaN where there is none.

    Returns:
        Degrees.

    Raises:
        InvalidValueError: If no pixel has an angle.
    """
    known = angles[~np.isnan(angles)]
    if known.size == 0:
        raise InvalidValueError(
            "every valid pixel has a zero spectrum in one of the images",
            expected="at least one pixel with a spectral angle",
        )
    return float(known.mean())


def _unit(spectra: Float64) -> Float64:
    # Numerics: the division by the largest value keeps the squares of tiny or huge spectra from under- or overflow
    scaled: Float64 = spectra / np.abs(spectra).max(axis=0)
    unit: Float64 = scaled / np.linalg.norm(scaled, axis=0)
    return unit
