"""From kriged spectra to a fusion: consistent with X and Y, with its standard deviation, masked."""

from __future__ import annotations

import torch

from hsrdiff.fusers.base import Fusion
from hsrdiff.fusers.kriging.system import KrigingSystem
from hsrdiff.fusers.masking import mask_output, output_mask
from hsrdiff.observation import JointProjection, Observation, Scene, SoftConsistency
from hsrdiff.observation.completion import complete_pair

_SHRINKAGE = 0.1  # of the error covariance towards its diagonal: there may be fewer samples than bands


def finish(
    scene: Scene,
    observation: Observation,
    spectra: torch.Tensor,
    variance: torch.Tensor | None,
    system: KrigingSystem,
    std: bool,
    notes: dict[str, str],
) -> Fusion:
    """Make the estimate agree with both images: exactly where they have no noise, else by the soft form.

    Args:
        scene: The scene.
        observation: R and D.
        spectra: Estimate, shape (H W, B).
        variance: Its variance in units of each band's factor, shape (H W,), or None.
        system: Where the bands' factors and the errors' covariance come from.
        std: Whether to return the standard deviation; needs the variance.
        notes: What is known about the result.

    Returns:
        The fusion, in the type of Y.
    """
    size = (int(scene.X.shape[-2]), int(scene.X.shape[-1]))
    Z = spectra.T.reshape(1, -1, *size)
    covariance = error_covariance(system)
    mask = output_mask(scene)
    X, Y = complete_pair(observation, Z, scene.X.to(Z), scene.Y.to(Z), scene.valid, scene.valid_lr)
    if variance is None or not (scene.sigma_x or scene.sigma_y):
        joint = JointProjection(observation, size)
        Z = joint.project(Z, X, Y)
        bands, pixels = joint.variance_share(covariance)
        shares = bands[:, None, None] * pixels if std else None
    else:
        level = float(variance[mask.flatten()].mean())
        soft = SoftConsistency(observation, size, scene.sigma_x, scene.sigma_y, covariance * level)
        Z = soft.project(Z, X, Y)
        shares = soft.variance_share() if std else None
    deviation = None
    if variance is not None and shares is not None:
        per_pixel = variance.reshape(1, 1, *size)
        deviation = (per_pixel * (system.scale()[:, None, None] * shares)).sqrt().to(scene.Y)
        deviation = mask_output(deviation, mask)
    return Fusion(mask_output(Z.to(scene.Y), mask), deviation, notes)


def error_covariance(system: KrigingSystem) -> torch.Tensor:
    """Covariance of the prediction errors across bands, in units of a pixel's variance.

    Args:
        system: The solution with its leave-one-out errors.

    Returns:
        Shape (B, B), float64, its diagonal `KrigingSystem.scale`.
    """
    C = (system.left_out * system.precision[:, None]).T @ system.left_out / len(system.left_out)
    return (1.0 - _SHRINKAGE) * C + _SHRINKAGE * torch.diag(C.diagonal())
