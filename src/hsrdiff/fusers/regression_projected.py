"""Spectral regression made consistent with both images: what any method that knows R and D must beat."""

from __future__ import annotations

import torch

from hsrdiff.fusers.base import Fusion, Needs, require_observation
from hsrdiff.fusers.masking import mask_output, output_mask
from hsrdiff.fusers.regression import Regressed, Regression
from hsrdiff.observation import JointProjection, Scene, SoftConsistency
from hsrdiff.observation.completion import complete_pair

_SHRINKAGE = 0.1  # of the error covariance towards its diagonal: there may be fewer LR pixels than bands
_LEAST = 1e-3  # of the variance of Y: an estimate is never taken for exact


class RegressionProjected:
    """`Regression`, then consistency: exact where the images have no noise, else the soft form.

    The soft form starts from what the guide explains, before the residual is injected, and weighs it by the
    covariance of what it leaves unexplained at low resolution.

    Args:
        ridge: Relative weight of the regression's ridge, at least 0.

    Raises:
        InputError: If the ridge is negative or not finite.
    """

    name = "regression-projected"
    needs = Needs(response=True, psf=True)

    def __init__(self, ridge: float = 1e-6) -> None:
        self.regression = Regression(ridge)

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Estimate by regression, then move to the nearest cube that both images allow.

        Args:
            scene: The scene, with its observation; noise levels choose the soft consistency.
            generator: Not used.

        Returns:
            The estimate, in the type of Y, NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
        """
        observation = require_observation(scene, self.name)
        regressed = self.regression.estimate(scene)
        # the upsampled residual brings the noise of Y along, which the soft form would take for knowledge
        noisy = bool(scene.sigma_x or scene.sigma_y)
        Z = regressed.P if noisy else regressed.Z_hat
        size = (int(Z.shape[-2]), int(Z.shape[-1]))
        X, Y = complete_pair(observation, Z, scene.X.to(Z), scene.Y.to(Z), scene.valid, scene.valid_lr)
        if noisy:
            prior = _covariance(regressed, Y, scene.sigma_y)
            Z = SoftConsistency(observation, size, scene.sigma_x, scene.sigma_y, prior).project(Z, X, Y)
        else:
            Z = JointProjection(observation, size).project(Z, X, Y)
        return Fusion(mask_output(Z.to(scene.Y.dtype), output_mask(scene)))


def _covariance(regressed: Regressed, Y: torch.Tensor, sigma_y: float) -> torch.Tensor:
    """Covariance across bands of the residual at low resolution without the noise of Y, shape (B, B)."""
    left = regressed.residual[:, :, regressed.usable[0, 0]][0]  # (B, N)
    C = left @ left.T / left.shape[1]
    C = (1.0 - _SHRINKAGE) * C + _SHRINKAGE * torch.diag(C.diagonal())
    variance = Y[0].flatten(1).var(dim=1, correction=0) + torch.finfo(torch.float64).tiny
    # the noise is in Y and in its residual alike: without it no direction may have less than a little variance
    values, vectors = torch.linalg.eigh(C)
    least = _LEAST**2 * float(variance.mean())
    covariance: torch.Tensor = (vectors * (values - sigma_y**2).clamp_min(least)) @ vectors.T
    return covariance
