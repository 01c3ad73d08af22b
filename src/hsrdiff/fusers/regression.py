"""Spectral regression learnt on the LR grid with the detail injected at HR: the honest floor of fusion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from hsrdiff.errors import InputError, InvalidValueError
from hsrdiff.fusers.base import Fusion, Needs, require_observation
from hsrdiff.fusers.bicubic import upsample
from hsrdiff.fusers.masking import fill_invalid, mask_output, output_mask
from hsrdiff.observation import Scene
from hsrdiff.typing import HRHSI, LRHSI

# LR pixels whose PSF falls on valid pixels of X only are learnt from, when there are this many for each coefficient;
# else all those with at least this share of the PSF on valid pixels, as under a striped mask
PIXELS_PER_COEFFICIENT = 4
MINIMUM_SHARE = 0.5
WHOLE_SHARE = 1.0 - 1e-6


@dataclass(frozen=True)
class Regressed:
    """What the regression says before masks.

    Attributes:
        P: What the guide explains, shape (1, B, H, W), float64, finite everywhere.
        Z_hat: P with the upsampled residual, likewise.
        residual: Y - P D, what the guide does not explain, shape (1, B, h, w), float64.
        usable: LR pixels that were learnt from, bool (1, 1, h, w).
    """

    P: HRHSI
    Z_hat: HRHSI
    residual: LRHSI
    usable: torch.Tensor


class Regression:
    """Per band of Y a linear function of X, learnt where both are coarse, applied where X is fine.

    With x the pixels of X D and y those of Y, centred on their means,

        C = (x^T x + lambda I)^-1 x^T y,   P = mean(y) + (X - mean(x)) C,   Z_hat = P + up(Y - P D),

    where lambda is `ridge` times the mean diagonal of x^T x and up is `upsample`. Computed in float64.

    Args:
        ridge: Relative weight of the ridge, at least 0.

    Raises:
        InputError: If the ridge is negative or not finite.
    """

    name = "regression"
    needs = Needs(psf=True)

    def __init__(self, ridge: float = 1e-6) -> None:
        if not (math.isfinite(ridge) and ridge >= 0):
            raise InputError(f"ridge {ridge}", expected="a number of at least 0", do="change the option ridge")
        self.ridge = float(ridge)

    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Learn the regression on the scene itself, apply it to X, add the upsampled residual of Y.

        Args:
            scene: The scene, with its observation (only D is used).
            generator: Not used.

        Returns:
            The estimate, in the type of Y, NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
        """
        return Fusion(mask_output(self.estimate(scene).Z_hat.to(scene.Y.dtype), output_mask(scene)))

    def estimate(self, scene: Scene) -> Regressed:
        """Return the estimate in every pixel, also where X or Y is invalid, and what the guide left unexplained.

        Args:
            scene: The scene, with its observation (only D is used).

        Returns:
            The estimate.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
        """
        scene.check()
        D = require_observation(scene, self.name).spatial
        X = fill_invalid(scene.X, scene.valid).double()
        Y = fill_invalid(scene.Y, scene.valid_lr).double()
        # the share of each LR pixel's PSF that falls on valid pixels of X: the weight of that pixel
        seen = torch.ones_like(X[:, :1]) if scene.valid is None else scene.valid.double()
        share = D.apply(seen)
        seen_lr = torch.ones_like(share, dtype=torch.bool) if scene.valid_lr is None else scene.valid_lr
        usable = (share >= WHOLE_SHARE) & seen_lr
        if usable.sum() < PIXELS_PER_COEFFICIENT * (scene.msi_bands + 1):
            usable = (share >= MINIMUM_SHARE) & seen_lr
        if not usable.any():
            raise InvalidValueError(
                "no pixel of the hyperspectral image lies on valid pixels of both images",
                expected="an overlap to learn the regression from",
                do="check the masks and the position of the two images",
            )
        # valid pixels only: (m X) D / (m D), which is X D where nothing is masked
        X_lr = D.apply(X * seen) / share.clamp_min(MINIMUM_SHARE)

        weights = (share * usable).flatten()
        weights = weights / weights.sum()
        x, y = X_lr[0].flatten(1), Y[0].flatten(1)  # (b, hw), (B, hw)
        mean_x, mean_y = x @ weights, y @ weights
        x, y = x - mean_x[:, None], y - mean_y[:, None]
        gram = (x * weights) @ x.T
        # Numerics: a guide without contrast leaves nothing to learn; the tiny term then gives C = 0
        ridge = self.ridge * gram.diagonal().mean() + torch.finfo(torch.float64).tiny
        eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        C = torch.linalg.lstsq(gram + ridge * eye, (x * weights) @ y.T, driver=_driver(gram)).solution  # (b, B)

        P = mean_y[None, :, None, None] + torch.einsum("nbhw,bc->nchw", X - mean_x[:, None, None], C)
        residual = (y - C.T @ x).reshape(Y.shape)
        detail = fill_invalid(residual, usable)
        Z_hat = P + upsample(detail, (X.shape[-2], X.shape[-1]))
        return Regressed(P, Z_hat, residual, usable)


def _driver(matrix: torch.Tensor) -> str:
    """Return the solver that tolerates rank deficiency where there is one: CUDA has gels only."""
    return "gelsd" if matrix.device.type == "cpu" else "gels"
