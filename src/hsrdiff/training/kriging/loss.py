"""What a learned kernel is judged by: the pixels that it foretells from their block means, after consistency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from hsrdiff.fusers.kriging.kernel import Kernel
from hsrdiff.training.kriging.problem import SmallProblem

_NEGLIGIBLE = 1e-7  # of the trace of the landmarks' kernel, as in AreaKriging
_FLOOR = 1e-9  # of a squared error, for bands that are met exactly
_DARKEST = 1e-3  # band means below this do not decide the relative error


@dataclass(frozen=True)
class KernelLoss:
    """The loss and its parts.

    Attributes:
        total: Sum of the three, the second and third at half weight.
        error: Mean over bands of the logarithm of the RMSE: minus the PSNR but for a factor.
        angle: Logarithm of the mean spectral angle.
        relative: Logarithm of the root mean square over bands of RMSE over mean: that of ERGAS.
    """

    total: torch.Tensor
    error: torch.Tensor
    angle: torch.Tensor
    relative: torch.Tensor


def predict_exactly(kernel: Kernel[Any], problem: SmallProblem) -> torch.Tensor:
    """Krige the pixels of a small problem from their LR pixels, then project on RZ = X and ZD = Y.

    The same as `AreaKriging` and `JointProjection`, differentiable in the kernel.

    Args:
        kernel: k.
        problem: The problem.

    Returns:
        Shape (N q, B), float64.
    """
    P = kernel.coordinates(problem.sites)
    C = P.at(problem.landmarks)
    K = kernel.matrix(C, C).double()
    jitter = _NEGLIGIBLE * K.diagonal().sum() + torch.finfo(torch.float32).tiny
    L = torch.linalg.cholesky((K + K.T) / 2 + jitter * torch.eye(len(K), dtype=K.dtype))
    row = kernel.matrix(P, C).double()
    F = torch.linalg.solve_triangular(L, problem.means(row).T, upper=False).T
    Z, guide = problem.Z.double(), problem.sites.guide.double()
    Y = problem.means(Z)
    prior = F.square().sum(dim=1)
    spread = (problem.means(guide.square()) - problem.means(guide).square()).sum(dim=1).clamp_min(0.0)
    noise = kernel.noise * prior.mean() + kernel.mixing * spread + 1e-9 * prior.mean()
    alpha = torch.cholesky_solve(Y, torch.linalg.cholesky(F @ F.T + torch.diag(noise)))
    Z_hat = row @ torch.linalg.solve_triangular(L.T, F.T @ alpha, upper=True)
    R = problem.R.double()
    Z_hat = Z_hat + (guide * problem.scale - Z_hat @ R.T) @ torch.linalg.pinv(R).T
    weights = problem.weights.double()
    back = weights / weights.square().sum(dim=1, keepdim=True)
    missing = Y - problem.means(Z_hat)
    out: torch.Tensor = Z_hat + (missing[:, None, :] * back[:, :, None]).flatten(0, 1)
    return out


def kernel_loss(kernel: Kernel[Any], problem: SmallProblem) -> KernelLoss:
    """Compare the prediction with the truth; logarithms, so that every scene counts alike whatever its level.

    Args:
        kernel: k.
        problem: The problem.

    Returns:
        The loss.
    """
    Z_hat, Z = predict_exactly(kernel, problem), problem.Z.double()
    squares = (Z_hat - Z).square().mean(dim=0)
    error = 0.5 * (squares + _FLOOR).log().mean()
    norms = torch.linalg.vector_norm(Z, dim=1) * torch.linalg.vector_norm(Z_hat, dim=1)
    cosine = (Z * Z_hat).sum(dim=1) / (norms + _FLOOR)
    # Numerics: the slope of the arc cosine is infinite at 1
    angle = torch.arccos(cosine.clamp(-1.0 + _FLOOR, 1.0 - _FLOOR))[norms > _FLOOR].mean().log()
    relative = 0.5 * (squares / Z.mean(dim=0).clamp_min(_DARKEST).square()).mean().log()
    return KernelLoss(error + 0.5 * angle + 0.5 * relative, error, angle, relative)
