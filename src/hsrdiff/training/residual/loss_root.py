"""The matrix by which the errors of coordinates are weighed up as PSNR weighs those of bands."""

from __future__ import annotations

import torch

from hsrdiff.fusers.residual.coordinates import Coordinates

_RELATIVE = 1e-6  # of the mean of the matrix's diagonal, so that it has a root


def loss_root(coordinates: Coordinates, missing: torch.Tensor, unit: float) -> torch.Tensor:
    """Return L^T of ``V^T diag(1 / MSE_b) V / B`` with V in units of the scale: PSNR is the mean of log MSE over bands.

    Args:
        coordinates: Their spectra are V.
        missing: Z - base, shape (1, B, H, W), whose mean squares are MSE_b.
        unit: The scale.

    Returns:
        Shape (r, r), float32.
    """
    energy = missing.double().square().mean(dim=(0, 2, 3))
    energy = energy.clamp_min(1e-3 * float(energy.mean()) + torch.finfo(torch.float64).tiny)
    V = unit * coordinates.out_of / energy.sqrt()[:, None]
    gram = V.T @ V / len(V)
    eye = torch.eye(len(gram), dtype=gram.dtype)
    lower: torch.Tensor = torch.linalg.cholesky(gram + _RELATIVE * gram.diagonal().mean() * eye)
    return lower.T.float().contiguous()
