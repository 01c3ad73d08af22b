"""Pixels that an image lacks, filled so that the pair agrees: what lets masked images keep exact consistency."""

from __future__ import annotations

import torch

from hsrdiff.errors import ShapeError
from hsrdiff.observation.gram import conjugate_gradients
from hsrdiff.observation.model import Observation
from hsrdiff.typing import HRHSI, LRHSI, MSI

_RIDGE = 1e-7  # of ||k||^2: an LR pixel that hardly touches a hole cannot be met by filling it
_TOUCHED = 1e-12


def complete_pair(
    observation: Observation,
    Z: HRHSI,
    X: MSI,
    Y: LRHSI,
    valid: torch.Tensor | None,
    valid_lr: torch.Tensor | None,
) -> tuple[MSI, LRHSI]:
    """Fill invalid pixels of X and Y from an estimate Z, so that projecting Z on the pair uses valid ones only.

    Invalid pixels of X become R Z plus the smallest change that gives ``X D = R Y`` in the valid LR pixels that
    see them; invalid pixels of Y become what Z, corrected by X, gives there. Because R and D act on different
    axes, valid pixels of both are then met exactly by `JointProjection` wherever the pair itself agrees.

    Args:
        observation: R and D.
        Z: Estimate, shape (n, B, H, W).
        X: Shape (n, b, H, W); values under the mask are not used.
        Y: Shape (n, B, h, w); values under the mask are not used.
        valid: True where X may be used, bool (n or 1, 1, H, W), or None for everywhere.
        valid_lr: True where Y may be used, bool (n or 1, 1, h, w), or None for everywhere.

    Returns:
        X and Y without invalid pixels; the same objects where nothing is masked.

    Raises:
        ShapeError: A mask does not fit its image.
    """
    for letter, image, mask in (("X", X, valid), ("Y", Y, valid_lr)):
        if mask is not None and (mask.ndim != 4 or mask.shape[1] != 1 or mask.shape[-2:] != image.shape[-2:]):
            raise ShapeError(
                f"the mask of {letter} has shape {tuple(mask.shape)}",
                expected=f"(1, 1, {image.shape[-2]}, {image.shape[-1]})",
            )
    spectral, spatial = observation.spectral, observation.spatial
    if valid is not None and not bool(valid.all()):
        RZ = spectral.apply(Z)
        X = torch.where(valid, X, RZ)
        hole = (~valid).to(X)
        touched = spatial.apply(hole).abs() > _TOUCHED
        seen = touched if valid_lr is None else touched & valid_lr
        RY = spectral.apply(torch.where(valid_lr, Y, 0.0) if valid_lr is not None else Y)
        missing = (RY - spatial.apply(X)) * seen
        ridge = _RIDGE * float(spatial.kernel.square().sum())

        def product(multiplier: torch.Tensor) -> torch.Tensor:
            return seen * spatial.apply(hole * spatial.adjoint(multiplier)) + ridge * multiplier

        X = X + hole * spatial.adjoint(conjugate_gradients(missing, product))
    if valid_lr is not None and not bool(valid_lr.all()):
        change = X - spectral.apply(Z)
        inverse = torch.linalg.pinv(spectral.matrix).to(Z)
        Y = torch.where(valid_lr, Y, spatial.apply(Z + torch.einsum("bc,nchw->nbhw", inverse, change)))
    return X, Y
