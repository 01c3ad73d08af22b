"""From kriged spectra to a fusion: consistent with X and Y, with its standard deviation, masked."""

from __future__ import annotations

import torch

from hsrdiff.fusers.base import Fusion
from hsrdiff.fusers.kriging.windows import Kriged
from hsrdiff.fusers.masking import mask_output, output_mask
from hsrdiff.observation import JointProjection, Observation, Scene, SoftConsistency
from hsrdiff.observation.completion import complete_pair

_SHRINKAGE = 0.1  # of the error covariance towards its diagonal: there may be fewer samples than bands


def finish(scene: Scene, observation: Observation, kriged: Kriged, std: bool, notes: dict[str, str]) -> Fusion:
    """Make the estimate agree with both images: exactly where they have no noise, else by the soft form.

    Args:
        scene: The scene.
        observation: R and D.
        kriged: The estimate.
        std: Whether to return the standard deviation.
        notes: What is known about the result.

    Returns:
        The fusion, in the type of Y.
    """
    mask = output_mask(scene)
    Z, shares = agree(scene, observation, kriged, std)
    deviation = None
    if shares is not None:
        variance = kriged.variance.reshape(1, 1, *Z.shape[-2:]).double()
        factors = shrunk(kriged.covariance).diagonal()[:, None, None]
        deviation = mask_output((variance * factors * shares).sqrt().to(scene.Y), mask)
    return Fusion(mask_output(Z.to(scene.Y), mask), deviation, notes)


def shrunk(covariance: torch.Tensor) -> torch.Tensor:
    """Move a covariance a little towards its diagonal, since there may be fewer samples than bands."""
    return (1.0 - _SHRINKAGE) * covariance + _SHRINKAGE * torch.diag(covariance.diagonal())


def agree(
    scene: Scene, observation: Observation, kriged: Kriged, std: bool = False
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Make the estimate agree with both images.

    Args:
        scene: The scene.
        observation: R and D.
        kriged: The estimate, B columns.
        std: Whether the share of the variance that is left is wanted.

    Returns:
        Z in the type of the estimate, defined everywhere, shape (1, B, H, W); and the share of the variance of each
        band and pixel that the two images leave, or None.
    """
    size = (int(scene.X.shape[-2]), int(scene.X.shape[-1]))
    Z = kriged.spectra.T.reshape(1, -1, *size)
    C = shrunk(kriged.covariance)
    X, Y = complete_pair(observation, Z, scene.X.to(Z), scene.Y.to(Z), scene.valid, scene.valid_lr)
    if scene.sigma_x or scene.sigma_y:
        level = float(kriged.variance[output_mask(scene).flatten()].mean())
        soft = SoftConsistency(observation, size, scene.sigma_x, scene.sigma_y, C * level)
        return soft.project(Z, X, Y), soft.variance_share() if std else None
    joint = JointProjection(observation, size)
    Z = joint.project(Z, X, Y)
    if not std:
        return Z, None
    bands, pixels = joint.variance_share(C)
    return Z, bands[:, None, None] * pixels
