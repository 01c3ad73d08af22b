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
    size = (int(scene.X.shape[-2]), int(scene.X.shape[-1]))
    Z = kriged.spectra.T.reshape(1, -1, *size)
    C = kriged.covariance
    C = (1.0 - _SHRINKAGE) * C + _SHRINKAGE * torch.diag(C.diagonal())
    mask = output_mask(scene)
    X, Y = complete_pair(observation, Z, scene.X.to(Z), scene.Y.to(Z), scene.valid, scene.valid_lr)
    if scene.sigma_x or scene.sigma_y:
        level = float(kriged.variance[mask.flatten()].mean())
        soft = SoftConsistency(observation, size, scene.sigma_x, scene.sigma_y, C * level)
        Z = soft.project(Z, X, Y)
        shares = soft.variance_share() if std else None
    else:
        joint = JointProjection(observation, size)
        Z = joint.project(Z, X, Y)
        bands, pixels = joint.variance_share(C)
        shares = bands[:, None, None] * pixels if std else None
    deviation = None
    if shares is not None:
        variance = kriged.variance.reshape(1, 1, *size).double()
        deviation = (variance * C.diagonal()[:, None, None] * shares).sqrt().to(scene.Y)
        deviation = mask_output(deviation, mask)
    return Fusion(mask_output(Z.to(scene.Y), mask), deviation, notes)
