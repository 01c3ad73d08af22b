"""Agreement of an image with its model, band by band: relative RMSE and correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hsrdiff.metrics.pair import Float64, Image, Mask, Pair

# Numerics: deviation over root mean square under which an image is constant but for rounding
_CONSTANT = 1e-12


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far a model of an image is from the image.

    Attributes:
        relative_rmse: Root mean square difference of each band over the band's root mean square, shape (band,); NaN
            for a band of zeros.
        correlation: Of each band with its model over the valid pixels, shape (band,); NaN where one is constant.
    """

    relative_rmse: Float64
    correlation: Float64

    @property
    def mean_relative_rmse(self) -> float:
        """Root mean square over the bands that have one; NaN without any."""
        return math.sqrt(_mean(np.square(self.relative_rmse)))

    @property
    def mean_correlation(self) -> float:
        """Mean over the bands that have one; NaN without any."""
        return _mean(self.correlation)


def agreement(model: Image, image: Image, *, mask: Mask | None = None) -> Agreement:
    """Compare R Z with X, or Z D with Y, in float64.

    Args:
        model: What the instrument would see, (band, y, x).
        image: What it saw, (band, y, x).
        mask: True where a pixel counts, (y, x).

    Returns:
        Relative RMSE and correlation of each band.

    Raises:
        InputError: If the images do not fit together or have NaN where they count.
    """
    pair = Pair(model, image, mask)
    errors, correlations = [], []
    for modelled, seen in pair.bands():
        a, b = modelled[pair.valid], seen[pair.valid]
        energy = float(np.square(b).mean())
        errors.append(math.sqrt(float(np.square(a - b).mean()) / energy) if energy else math.nan)
        correlations.append(correlation(a, b))
    return Agreement(np.array(errors), np.array(correlations))


def correlation(a: Float64, b: Float64) -> float:
    """Return Pearson's correlation.

    Args:
        a: Values, any shape.
        b: Values, the same shape.

    Returns:
        In [-1, 1]; NaN where one is constant, or there are none.
    """
    if not a.size:
        return math.nan
    centred = [values - values.mean() for values in (a, b)]
    sizes = [float(np.linalg.norm(values)) for values in centred]
    if any(size <= _CONSTANT * float(np.linalg.norm(values)) for size, values in zip(sizes, (a, b), strict=True)):
        return math.nan
    return float(np.clip((centred[0] * centred[1]).sum() / (sizes[0] * sizes[1]), -1.0, 1.0))


def _mean(values: Float64) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan
