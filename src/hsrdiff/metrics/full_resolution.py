"""Quality of a fused cube without truth, from what both instruments would see of it, with the convention."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hsrdiff.errors import InvalidValueError
from hsrdiff.metrics.agreement import Agreement, agreement
from hsrdiff.metrics.ndvi import NdviAgreement, ndvi_agreement
from hsrdiff.metrics.pair import Image, Mask, mask_array
from hsrdiff.metrics.q2n import BLOCK_PX, q2n
from hsrdiff.metrics.spatial_distortion import spatial_distortion

# distortions below this are rounding
VANISHING = 1e-6
CONVENTION = (
    "spectral consistency R Z against X and spatial consistency Z D against Y, RMSE of each band over its root mean "
    f"square; D_lambda 1 - Q2n of Z D against Y in {BLOCK_PX}x{BLOCK_PX} blocks (Khan 2009); D_s 1 - R^2 of each guide "
    "band regressed on all fused bands, mean over bands (Alparone 2018); HQNR (1 - D_lambda)(1 - D_s); NDVI from the "
    "bands nearest 660 and 840 nm"
)


@dataclass(frozen=True, eq=False)
class FullResolution:
    """What can be said of a fused cube without truth.

    A number that the data leave undefined is NaN, and `remarks` says why.

    Attributes:
        spectral: R Z against X, band by band of the MSI.
        spatial: Z D against Y, band by band of the HSI.
        d_lambda: 1 - Q2n of Z D against Y, in [0, 1].
        d_s: 1 - R^2 of the guide on the fused bands, in [0, 1].
        ndvi: The fused cube's NDVI against the guide's, or None.
        valid_share: Share of the fine pixels that counted.
        valid_share_lr: Share of the coarse pixels that counted.
        remarks: What was left out, one entry each.
        protocol: How the numbers are defined.
    """

    spectral: Agreement
    spatial: Agreement
    d_lambda: float
    d_s: float
    ndvi: NdviAgreement | None
    valid_share: float
    valid_share_lr: float
    remarks: tuple[str, ...] = ()
    protocol: str = CONVENTION

    @property
    def hqnr(self) -> float:
        """(1 - D_lambda)(1 - D_s), in [0, 1]; 1 is the best."""
        return (1.0 - self.d_lambda) * (1.0 - self.d_s)

    @property
    def convention(self) -> str:
        """The protocol and the shares of valid pixels, as one line to print beside the numbers."""
        fine, coarse = (math.floor(1000 * share) / 10 for share in (self.valid_share, self.valid_share_lr))
        return f"{self.protocol}; {fine:g} % of fine and {coarse:g} % of coarse pixels counted"


def full_resolution(
    Z_hat: Image,
    X: Image,
    Y: Image,
    RZ: Image,
    ZD: Image,
    *,
    mask: Mask,
    mask_lr: Mask,
    wavelengths_nm: npt.ArrayLike | None = None,
    guide_wavelengths_nm: npt.ArrayLike | None = None,
) -> FullResolution:
    """Judge a fused cube by the pair that it was made from.

    Both distortions are 0 for a cube that both images are made of: then HQNR is 1, for the truth as for any other
    such cube. HQNR is here made with D_s by regression, which for a guide of several bands is defined without a choice
    of partners; with the first D_s of QNR it has other values.

    Args:
        Z_hat: The fused cube, (B, H, W).
        X: The guide, (b, H, W).
        Y: The LR-HSI, (B, h, w).
        RZ: R Z_hat, (b, H, W).
        ZD: Z_hat D, (B, h, w).
        mask: True where X and Z_hat count, (H, W).
        mask_lr: True where Y and Z_hat D count, (h, w).
        wavelengths_nm: Centres of the B bands, or None.
        guide_wavelengths_nm: Centres of the guide's bands, (b,), NaN where unknown, or None.

    Returns:
        The numbers, their convention and remarks.

    Raises:
        InvalidValueError: No fine or no coarse pixel counts, or one that does is NaN.
        InputError: The images do not fit together.
    """
    remarks = []
    spectral, spatial = agreement(RZ, X, mask=mask), agreement(ZD, Y, mask=mask_lr)
    dark = int(np.isnan(spatial.relative_rmse).sum())
    if dark:
        remarks.append(f"hyperspectral bands of zeros, without a relative RMSE: {dark}")
    try:
        d_lambda = 1.0 - q2n(ZD, Y, mask=mask_lr)
    except InvalidValueError:
        d_lambda = math.nan
        remarks.append("D_lambda is undefined without a block of which half is valid")
    d_s = spatial_distortion(Z_hat, X, mask=mask)
    if math.isnan(d_s):
        remarks.append("D_s is undefined where all guide bands are constant or the pixels are no more than the bands")
    if max(d_lambda, d_s) < VANISHING:
        remarks.append(
            "both distortions vanish, as for any cube that both images could come from: HQNR does not tell such cubes "
            "apart"
        )
    ndvi = None
    if wavelengths_nm is not None and guide_wavelengths_nm is not None:
        ndvi = ndvi_agreement(
            Z_hat, X, wavelengths_nm=wavelengths_nm, guide_wavelengths_nm=guide_wavelengths_nm, mask=mask
        )
    if ndvi is None:
        remarks.append("NDVI is left out, as an image has no bands known to lie near 660 and 840 nm")
    shares = [float(mask_array(counted, np.shape(image)[-2:]).mean()) for counted, image in ((mask, X), (mask_lr, Y))]
    return FullResolution(spectral, spatial, max(d_lambda, 0.0), d_s, ndvi, shares[0], shares[1], tuple(remarks))
