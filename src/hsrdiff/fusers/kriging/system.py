"""The linear system of kriging: weights, leave-one-out errors and what the samples explain, in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Solver = Callable[[torch.Tensor], "KrigingSystem"]

_TINY = 1e-30  # of the diagonal, for a guide that is 0 everywhere
_ROUNDS = 4  # of the fixed point between the bands' variance and the relative noise


@dataclass(frozen=True)
class KrigingSystem:
    """Solution of ``(K + diag(noise)) alpha = Y``, N samples of B bands.

    Attributes:
        weights: What a site's row is multiplied with to predict it: alpha, shape (N, B), for rows of k; or in
            feature space, shape (r, B).
        left_out: Error of predicting each sample from all others, ``e_j = alpha_j / (N^-1)_jj``, shape (N, B).
        precision: ``(N^-1)_jj``, one over the variance of that prediction, shape (N,).
        explained: E with ``|row E|^2`` the variance that the samples take away at a site, shape (N, r') or (r, r');
            the strongest directions only, so that the variance left is rather too large; r' is 0 when not asked for.
    """

    weights: torch.Tensor
    left_out: torch.Tensor
    precision: torch.Tensor
    explained: torch.Tensor

    def scale(self) -> torch.Tensor:
        """Return each band's variance factor, with which leave-one-out errors have the predicted size.

        Returns:
            Shape (B,).
        """
        return (self.left_out.square() * self.precision[:, None]).mean(dim=0)

    def covariance(self) -> torch.Tensor:
        """Return the covariance of the errors across bands in those units; `scale` is its diagonal.

        Returns:
            Shape (B, B).
        """
        errors = self.left_out * self.precision.sqrt()[:, None]
        return errors.T @ errors / len(errors)

    def own_variance(self, level: float, sigma: float) -> float:
        """Return the part of the samples' noise that is not the instrument's: detail that k does not foretell.

        Args:
            level: Noise of the samples in units of each band's factor.
            sigma: Standard deviation of the instrument's noise.

        Returns:
            Variance in units of each band's factor, at least 0.
        """
        if not sigma:
            return level
        return max(0.0, level - sigma**2 / max(float(self.scale().mean()), _TINY))


def solve_kernel(K: torch.Tensor, noise: torch.Tensor, Y: torch.Tensor, directions: int = 0) -> KrigingSystem:
    """Krige with the kernel matrix of the samples, N^3 work.

    Args:
        K: Shape (N, N), float64, symmetric.
        noise: Shape (N,), at least 0.
        Y: Samples, shape (N, B).
        directions: r', directions of the explained variance to keep, at most N.

    Returns:
        The solution, weights for rows of k.
    """
    eye = torch.eye(len(K), dtype=K.dtype, device=K.device)
    # Numerics: samples of equal guide and place make a kernel without noise singular to rounding
    floor = 1e-13 * K.diagonal().mean() + _TINY
    root = torch.linalg.solve_triangular(torch.linalg.cholesky(K + torch.diag(noise) + floor * eye), eye, upper=False)
    alpha = root.T @ (root @ Y)
    precision = root.square().sum(dim=0)
    explained = root.T
    if directions < len(K):
        # |row root^T|^2 is k (K + noise)^-1 k; what a site's row holds of it is ordered by root K root^T
        _, vectors = torch.linalg.eigh(root @ K @ root.T) if directions else (None, eye)
        explained = root.T @ vectors[:, len(K) - directions :]
    return KrigingSystem(alpha, alpha / precision[:, None], precision, explained)


def solve_features(F: torch.Tensor, noise: torch.Tensor, Y: torch.Tensor, directions: int = 0) -> KrigingSystem:
    """Krige with features, ``K = F F^T``, in the smaller of N and r.

    Args:
        F: Features of the samples, shape (N, r), float64.
        noise: Shape (N,), above 0 where N is larger than r.
        Y: Samples, shape (N, B).
        directions: r', directions of the explained variance to keep, at most the smaller of N and r.

    Returns:
        The solution, weights for rows of features.
    """
    if len(F) <= F.shape[1]:
        dual = solve_kernel(F @ F.T, noise, Y, min(directions, len(F)))
        return KrigingSystem(F.T @ dual.weights, dual.left_out, dual.precision, F.T @ dual.explained)
    white = F / noise.sqrt()[:, None]
    gram = white.T @ white
    factor = torch.linalg.cholesky(gram + torch.eye(len(gram), dtype=F.dtype, device=F.device))
    weights = torch.cholesky_solve(white.T @ (Y / noise.sqrt()[:, None]), factor)
    leverage = torch.linalg.solve_triangular(factor, white.T, upper=False).square().sum(dim=0)
    free = (1.0 - leverage).clamp_min(1e-12)
    explained = F.new_zeros((len(gram), 0))
    if directions:
        # I - (I + F^T F)^-1, the share of each direction of the features that the samples fix
        values, vectors = torch.linalg.eigh(gram)
        values, vectors = values[-directions:].clamp_min(0.0), vectors[:, -directions:]
        explained = (values / (1.0 + values)).sqrt() * vectors
    return KrigingSystem(weights, (Y - F @ weights) / free[:, None], free / noise, explained)


def solve_noisy(
    solve: Solver, levels: torch.Tensor, prior: torch.Tensor, Y: torch.Tensor, sigma: float
) -> KrigingSystem:
    """Krige samples whose noise is known: their relative noise is at least sigma^2 over the bands' mean factor.

    Args:
        solve: noise (N,) -> solution.
        levels: Relative noise without it, shape (N,).
        prior: k of the samples with themselves, shape (N,).
        Y: Samples, shape (N, B).
        sigma: Standard deviation of the samples' noise, in their units.

    Returns:
        The solution.
    """
    if not sigma:
        return solve(levels)
    # the factor is found with the noise in it, so the two are solved for in turn; it starts at signal over prior
    factor = float((Y.square().mean() - sigma**2).clamp_min(sigma**2) / prior.mean().clamp_min(_TINY))
    for _ in range(_ROUNDS):
        system = solve(levels.clamp_min(sigma**2 / max(factor, _TINY)))
        factor = float(system.scale().mean())
    return system
