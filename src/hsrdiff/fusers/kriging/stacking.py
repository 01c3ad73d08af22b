"""Two kriged estimates of one scene put together, and the share that leave-one-out errors would give them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hsrdiff.fusers.kriging.system import KrigingSystem


@dataclass(frozen=True)
class Estimate:
    """What one kernel made of a part.

    Attributes:
        spectra: Shape (P, B).
        variance: Variance of each pixel in units of each band's factor, shape (P,).
        system: The solution, with its leave-one-out errors.
    """

    spectra: torch.Tensor
    variance: torch.Tensor
    system: KrigingSystem


def stack_weight(first: torch.Tensor, second: torch.Tensor, weights: torch.Tensor) -> float:
    """Return w in [0, 1] with the smallest mean square of ``w first + (1 - w) second``.

    Bands count by the size of their errors relative to each other's mean, as in a mean of logarithms.

    Args:
        first: Leave-one-out errors, shape (N, B), float64.
        second: Those of the other estimate.
        weights: Of the samples, shape (N,).

    Returns:
        w; a half where both have the same errors.
    """
    size = (weights @ (first.square() + second.square())).sqrt().clamp_min(torch.finfo(torch.float64).tiny)
    first, second = first / size, second / size
    between = first - second
    curvature = float((weights @ between.square()).sum())
    if curvature <= 0:
        return 0.5
    return min(1.0, max(0.0, -float((weights @ (second * between)).sum()) / curvature))


def leave_one_out_share(first: Estimate, second: Estimate, spread: torch.Tensor, hidden: torch.Tensor) -> float:
    """Return the share of the first with which the samples foretell each other best.

    Only what the guide does not see of a spectrum decides, since the rest comes from the guide; pure samples weigh
    more.

    Args:
        first: From one kernel.
        second: From another one, for the same samples.
        spread: Variance of the guide within each sample, shape (N,), float64.
        hidden: ``I - R^+ R``, shape (B, B), float64.

    Returns:
        The share, in [0, 1].
    """
    pure = 1.0 / (1.0 + spread / (spread.median() + torch.finfo(torch.float64).tiny))
    return stack_weight(first.system.left_out @ hidden, second.system.left_out @ hidden, pure / pure.sum())


def average(first: Estimate, second: Estimate, w: float = 0.5) -> Estimate:
    """Return ``w first + (1 - w) second``; their errors are taken to go together: the variance is rather too large.

    Args:
        first: From one kernel.
        second: From another one, for the same samples and pixels.
        w: Weight of the first, in [0, 1].

    Returns:
        The mean, in units of which each band's factor is near 1.
    """
    one, two = first.system, second.system
    levels = [float(system.scale().mean()) for system in (one, two)]

    def together(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (w * (levels[0] * a).sqrt() + (1.0 - w) * (levels[1] * b).sqrt()).square()

    tiny = torch.finfo(torch.float64).tiny
    precision = 1.0 / together(1.0 / one.precision, 1.0 / two.precision).clamp_min(tiny)
    system = KrigingSystem(one.weights, w * one.left_out + (1.0 - w) * two.left_out, precision, one.explained)
    spectra = w * first.spectra + (1.0 - w) * second.spectra
    return Estimate(spectra, together(first.variance, second.variance), system)
