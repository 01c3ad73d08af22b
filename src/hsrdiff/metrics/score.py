"""All scores of one image, with the convention they were computed under."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.metrics.bandwise import BandErrors, check_factor, check_peak
from hsrdiff.metrics.pair import Image, Mask, Pair
from hsrdiff.metrics.sam import angles_deg, mean_angle_deg
from hsrdiff.metrics.ssim import WINDOW_PX, mean_similarity


@dataclass(frozen=True)
class Scores:
    """The five scores of a prediction.

    A score that the data leave undefined is NaN, and `remarks` says why.

    Attributes:
        psnr_db: Peak signal-to-noise ratio, mean over the bands that are not exact, dB; infinite where all are.
        ssim: Structural similarity.
        sam_deg: Mean spectral angle, degrees.
        ergas: Relative global error.
        rmse: Root mean square error in units of the peak.
        protocol: How the scores are defined; the same for every image scored with the same options.
        valid_share: Share of the pixels that counted, in (0, 1].
        remarks: What was left out of a score for this image, one entry each.
    """

    psnr_db: float
    ssim: float
    sam_deg: float
    ergas: float
    rmse: float
    protocol: str
    valid_share: float
    remarks: tuple[str, ...] = ()

    @property
    def convention(self) -> str:
        """The protocol and the share of valid pixels, as one line to print beside the numbers."""
        # rounded down, so that 100 % means every pixel
        percent = math.floor(1000 * self.valid_share) / 10
        return f"{self.protocol}; {percent:g} % of pixels valid"


def score(
    Z_hat: Image, Z: Image, *, factor: int, mask: Mask | None = None, clip: bool = True, peak: float = 1.0
) -> Scores:
    """Compute PSNR, SSIM, SAM, ERGAS and RMSE in float64, without rounding to 8 bits.

    Args:
        Z_hat: The prediction, (band, y, x) or (1, band, y, x).
        Z: The truth, the same shape.
        factor: Ratio of the two pixel sizes, for ERGAS.
        mask: True where a pixel counts, (y, x); NaN is allowed only where it is False.
        clip: Cut the prediction to [0, peak] first, as a sensor would.
        peak: Largest value the data can have.

    Returns:
        The scores.

    Raises:
        FactorError: If the ratio is not a whole number of at least 2.
        InvalidValueError: If no pixel is valid, or a valid one is NaN or infinite.
        InputError: If the images do not fit together.
    """
    check_peak(peak)
    check_factor(factor)
    pair = Pair(Z_hat, Z, mask, clip=(0.0, float(peak)) if clip else None)
    errors = BandErrors.of(pair)
    angles = angles_deg(pair)
    remarks = []

    skipped = pair.pixels - int(np.count_nonzero(~np.isnan(angles)))
    if skipped:
        remarks.append(f"pixels left out of SAM for a zero spectrum: {skipped}")
    sam = math.nan if skipped == pair.pixels else mean_angle_deg(angles)

    dark = errors.bands_of_mean_zero
    if dark:
        remarks.append(f"bands left out of ERGAS for a mean of zero: {dark}")
    relative = math.nan if dark == pair.shape[0] else errors.ergas(factor)

    exact = errors.exact_bands
    if 0 < exact < pair.shape[0]:
        remarks.append(f"exact bands left out of PSNR: {exact}")

    try:
        similarity = mean_similarity(pair, peak)
    except (ShapeError, InvalidValueError):
        similarity = math.nan
        remarks.append(f"SSIM is undefined without a fully valid {WINDOW_PX} x {WINDOW_PX} window")

    clipped = f"predictions clipped to [0, {peak:g}]" if clip else "predictions not clipped"
    return Scores(
        psnr_db=errors.psnr_db(peak, "band"),
        ssim=similarity,
        sam_deg=sam,
        ergas=relative,
        rmse=errors.rmse() / peak,
        protocol=(
            f"PSNR mean over bands, exact ones left out, peak {float(peak)}; SSIM {WINDOW_PX}x{WINDOW_PX} Gaussian; "
            f"SAM degrees; ERGAS 100/{int(factor)}; {clipped}"
        ),
        valid_share=pair.pixels / pair.valid.size,
        remarks=tuple(remarks),
    )
