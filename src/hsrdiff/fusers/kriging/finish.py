"""From kriged spectra to a fusion: consistent with X and Y, with its standard deviation, masked."""

from __future__ import annotations

import torch

from hsrdiff.fusers.base import Fusion
from hsrdiff.fusers.expected_error import ExpectedError, by_bands, detail, level_of, surprise
from hsrdiff.fusers.kriging.windows import Kriged
from hsrdiff.fusers.masking import fill_invalid, mask_output, output_mask
from hsrdiff.observation import JointProjection, Observation, Scene, SoftConsistency
from hsrdiff.observation.completion import complete_pair

# P76: fitted where the truth is known
EXPECTED = ExpectedError(0.315, {"detail": 0.216, "kriged": 0.387, "left out": 0.163})
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
        deviation = mask_output(expected_error(scene, kriged, Z, shares).to(scene.Y), mask)
    return Fusion(mask_output(Z.to(scene.Y), mask), deviation, notes)


def expected_error(scene: Scene, kriged: Kriged, Z: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Return the expected standard deviation of the errors of a result (P76).

    Kriging's own variance tells where there is doubt, but not its size: it is one of the signs.

    Args:
        scene: The scene.
        kriged: The estimate, with its leave-one-out errors.
        Z: The estimate made consistent, shape (1, B, H, W).
        shares: Of the variance, which the two images leave.

    Returns:
        Shape (1, B, H, W).
    """
    (H, W), (h, w) = Z.shape[-2:], scene.Y.shape[-2:]
    variance = kriged.variance.reshape(1, 1, H, W).double()
    factors = shrunk(kriged.covariance).diagonal()[:, None, None]
    left_out = kriged.left_out.T.reshape(1, -1, h, w).to(Z)
    level = level_of(left_out, kriged.precision.reshape(1, 1, h, w) > 0).to(Z)
    Y = fill_invalid(scene.Y, scene.valid_lr)

    def deviation(some: slice) -> torch.Tensor:
        signs = {
            "detail": detail(Z[:, some], Y[:, some]),
            "kriged": (variance * factors[some] * shares.expand(1, len(level), H, W)[:, some]).to(Z),
            "left out": surprise(left_out[:, some], (int(H), int(W))),
        }
        return EXPECTED.deviation(level[some], signs)

    return by_bands(len(level), deviation)


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
