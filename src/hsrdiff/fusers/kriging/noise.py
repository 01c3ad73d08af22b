"""How noisy the samples are for kriging: one factor, chosen on the scene by exact leave-one-out errors."""

from __future__ import annotations

import math

import torch

from hsrdiff.fusers.kriging.system import solve_features

FACTORS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# weight of the squared natural logarithm of the factor: 0.1 costs as much as 5 % of error
PRIOR = 0.01


def noise_factor(
    F: torch.Tensor, levels: torch.Tensor, Y: torch.Tensor, spread: torch.Tensor, hidden: torch.Tensor
) -> float:
    """Return the factor of the samples' noise with which they foretell each other best.

    Only what the guide does not see counts, since the rest of a prediction comes from the guide itself.

    Args:
        F: Features of the samples, shape (N, r), float64.
        levels: Their relative noise, shape (N,), above 0.
        Y: Samples, shape (N, B), float64.
        spread: Variance of the guide within each sample, shape (N,): pure samples weigh more.
        hidden: ``I - R^+ R``, shape (B, B), float64.

    Returns:
        One of `FACTORS`.
    """
    tiny = torch.finfo(torch.float64).tiny
    weights = 1.0 / (1.0 + spread / (spread.median() + tiny))
    weights = weights / weights.sum()
    best, smallest = 1.0, math.inf
    for factor in FACTORS:
        errors = solve_features(F, factor * levels, Y).left_out @ hidden
        energy = weights @ errors.square() + tiny
        loss = float(0.5 * energy.log().mean()) + PRIOR * math.log(factor) ** 2
        if loss < smallest:
            best, smallest = factor, loss
    return best
