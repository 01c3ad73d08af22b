"""Scores made of each band's mean square error: RMSE, PSNR and ERGAS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hsrdiff.errors import FactorError, InputError, InvalidValueError
from hsrdiff.metrics.pair import Float64, Image, Mask, Pair


@dataclass(frozen=True, eq=False)
class BandErrors:
    """What RMSE, PSNR and ERGAS need to know of two images.

    Attributes:
        mse: Mean square error over the valid pixels of each band, shape (band,).
        mean: Mean of the truth there, shape (band,).
    """

    mse: Float64
    mean: Float64

    @classmethod
    def of(cls, pair: Pair) -> BandErrors:
        """Read both images once, band by band.

        Args:
            pair: The images.

        Returns:
            The errors and means.

        Raises:
            InvalidValueError: If a valid pixel is NaN or infinite.
        """
        sums = [(np.square(Z_hat - Z).sum(), Z.sum()) for Z_hat, Z in pair.bands()]
        mse, mean = np.array(sums, dtype=np.float64).T / pair.pixels
        return cls(mse, mean)

    def rmse(self) -> float:
        """Return the root of the mean square error over all bands and valid pixels."""
        return math.sqrt(float(self.mse.mean()))

    def psnr_db(self, peak: float, average: Literal["band", "cube"]) -> float:
        """Return PSNR in dB; see the function `psnr_db`."""
        check_peak(peak)
        if average not in ("band", "cube"):
            raise InputError(f"unknown average '{average}'", expected="'band' or 'cube'")
        mse = self.mse if average == "band" else self.mse.mean(keepdims=True)
        mse = mse[mse > 0]  # P21: one exact band would make the mean infinite, whatever the others are
        if not mse.size:
            return math.inf
        return float(np.mean(20 * math.log10(peak) - 10 * np.log10(mse)))

    def ergas(self, factor: int) -> float:
        """Return ERGAS; see the function `ergas`."""
        check_factor(factor)
        lit = self.mean != 0
        if not lit.any():
            raise InvalidValueError(
                "every band of the truth has mean zero",
                expected="at least one band with data for ERGAS",
            )
        return 100.0 / factor * math.sqrt(float(np.mean(self.mse[lit] / self.mean[lit] ** 2)))

    @property
    def exact_bands(self) -> int:
        """Number of bands without any error, whose PSNR is no number."""
        return int((self.mse == 0).sum())

    @property
    def bands_of_mean_zero(self) -> int:
        """Number of bands ERGAS cannot count."""
        return int((self.mean == 0).sum())


def check_peak(peak: float) -> None:
    """Refuse a peak that is no positive number.

    Args:
        peak: Largest value of the data.

    Raises:
        InputError: If it is not positive and finite.
    """
    if not (math.isfinite(peak) and peak > 0):
        raise InputError(f"peak {peak}", expected="the largest value of the data, a positive number")


def check_factor(factor: int) -> None:
    """Refuse a ratio of pixel sizes that is no whole number of at least 2.

    Args:
        factor: Ratio of the two pixel sizes.

    Raises:
        FactorError: If it is not.
    """
    if not math.isfinite(factor) or int(factor) != factor or factor < 2:
        raise FactorError(f"ratio {factor}", expected="a whole number of at least 2")


def rmse(Z_hat: Image, Z: Image, *, mask: Mask | None = None) -> float:
    """Return the root mean square error over all bands and valid pixels, sqrt(mean (Z_hat - Z)^2).

    Args:
        Z_hat: The prediction, (band, y, x).
        Z: The truth, (band, y, x).
        mask: True where a pixel counts, (y, x).

    Returns:
        The error in the units of the data, at least 0.

    Raises:
        InputError: If the images do not fit together or have NaN where they count.
    """
    return BandErrors.of(Pair(Z_hat, Z, mask)).rmse()


def psnr_db(
    Z_hat: Image,
    Z: Image,
    *,
    mask: Mask | None = None,
    peak: float = 1.0,
    average: Literal["band", "cube"] = "band",
) -> float:
    """Return the peak signal-to-noise ratio, 10 log10(peak^2 / MSE).

    With ``"band"``, bands in which the images are equal are left out of the mean, since one of them would make it
    infinite. So an exact band cannot raise the score.

    Args:
        Z_hat: The prediction, (band, y, x).
        Z: The truth, (band, y, x).
        mask: True where a pixel counts, (y, x).
        peak: Largest value the data can have; never taken from the data.
        average: ``"band"`` for the mean of the bands' PSNR, as fusion papers do; ``"cube"`` for the PSNR of the
            mean square error over everything.

    Returns:
        dB; infinite when the images are equal.

    Raises:
        InputError: If the images do not fit together or have NaN where they count.
    """
    return BandErrors.of(Pair(Z_hat, Z, mask)).psnr_db(peak, average)


def ergas(Z_hat: Image, Z: Image, *, factor: int, mask: Mask | None = None) -> float:
    """Return the relative global error in synthesis, (100 / factor) sqrt(mean_b (RMSE_b / mean_b)^2) (Wald, 2000).

    Bands whose true mean is zero are left out, since their relative error has no meaning.

    Args:
        Z_hat: The prediction, (band, y, x).
        Z: The truth, (band, y, x); its band means are the reference.
        factor: Ratio of the two pixel sizes, a whole number of at least 2.
        mask: True where a pixel counts, (y, x).

    Returns:
        The error, at least 0.

    Raises:
        FactorError: If the ratio is not a whole number of at least 2.
        InvalidValueError: If every band has mean zero.
        InputError: If the images do not fit together or have NaN where they count.
    """
    return BandErrors.of(Pair(Z_hat, Z, mask)).ergas(factor)
