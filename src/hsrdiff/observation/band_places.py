"""Where the bands of R lie: the centre and the width of each MSI band as the HSI sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsrdiff.observation.spectral import SpectralResponse
from hsrdiff.typing import FloatArray


@dataclass(frozen=True, eq=False)
class BandPlaces:
    """Centre and width of each MSI band.

    Attributes:
        centres_nm: (b,) in nm.
        widths_nm: (b,) in nm: the box whose spread is that of the band's row.
    """

    centres_nm: FloatArray
    widths_nm: FloatArray

    @classmethod
    def of(cls, spectral: SpectralResponse, wavelengths_nm: FloatArray) -> BandPlaces:
        """Return the places of R's rows, ``c_i = sum_j R_ij l_j / sum_j R_ij`` and sqrt(12) standard deviations.

        Args:
            spectral: R (b, B).
            wavelengths_nm: Centres l of the HSI bands (B,), nm.

        Returns:
            The places; NaN for a row that sums to 0.
        """
        R, at = spectral.matrix.numpy(), np.asarray(wavelengths_nm, dtype=np.float64)
        centres = centres_nm(R, at)
        total = R.sum(axis=1)
        spread = (R * np.square(at - centres[:, None])).sum(axis=1) / np.where(total != 0, total, 1.0)
        return cls(centres, np.sqrt(12.0 * np.maximum(spread, 0.0)))


def centres_nm(R: FloatArray, wavelengths_nm: FloatArray) -> FloatArray:
    """Return the centre of each MSI band as the HSI sees it, sum_j R_ij lambda_j / sum_j R_ij.

    Args:
        R: Spectral response, (b, B).
        wavelengths_nm: Centres of the HSI bands, (B,).

    Returns:
        (b,) in nm; NaN for a row that sums to 0.
    """
    total = R.sum(axis=1)
    centres = (R @ np.asarray(wavelengths_nm, dtype=np.float64)) / np.where(total != 0, total, 1.0)
    return np.asarray(np.where(total != 0, centres, np.nan))
