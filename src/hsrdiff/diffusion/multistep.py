"""A second-order multistep sampler on the data prediction."""

from __future__ import annotations

import math

import torch

from hsrdiff.diffusion.samplers import OnStep, estimate
from hsrdiff.diffusion.schedule import Schedule
from hsrdiff.typing import Denoise


def multistep(
    denoise: Denoise,
    Z_T: torch.Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator,
    clamp: tuple[float, float] | None = None,
    on_step: OnStep | None = None,
) -> torch.Tensor:
    """Sample by DPM-Solver++(2M), Algorithm 2 of Lu et al., "DPM-Solver++", arXiv:2211.01095.

    With l = log(sqrt(gamma) / sqrt(1 - gamma)), h = l_{t-1} - l_t and r = (l_t - l_{t+1}) / h, the last two estimates
    are extrapolated, ``D = Z_0_hat + (Z_0_hat - Z_0_hat before) / (2 r)``, and

        Z_{t-1} = sqrt((1 - gamma_{t-1}) / (1 - gamma_t)) Z_t - sqrt(gamma_{t-1}) (exp(-h) - 1) D

    The first step, and the last, where h is infinite, take the estimate itself.

    Args:
        denoise: f(Z_t, gamma) -> estimate of Z_0.
        Z_T: Where to start, N(0, 1), shape (n, B, H, W).
        schedule: The steps.
        generator: Not used: the path is deterministic.
        clamp: Range every estimate of Z_0 is cut to.
        on_step: Called after each step with t and Z_t.

    Returns:
        Z_0, the shape and type of `Z_T`.

    Raises:
        ShapeError: If the denoiser changes the shape.
    """
    levels = 0.5 * (schedule.log_gammas - schedule.one_minus_gammas.log())  # infinite at t = 0
    Z_t, before = Z_T, None
    for t in range(schedule.steps, 0, -1):
        Z_0_hat = estimate(denoise, Z_t, schedule, t, clamp)
        h = float(levels[t - 1] - levels[t])
        direction = Z_0_hat
        if before is not None and t > 1:
            ratio = float(levels[t] - levels[t + 1]) / h
            direction = Z_0_hat + (Z_0_hat - before) / (2.0 * ratio)
        on_Z_t = math.sqrt(float(schedule.one_minus_gammas[t - 1] / schedule.one_minus_gammas[t]))
        on_Z_0 = -math.sqrt(float(schedule.gammas[t - 1])) * math.expm1(-h)
        Z_t = torch.mul(Z_t, on_Z_t).add_(direction, alpha=on_Z_0)
        before = Z_0_hat
        if on_step is not None:
            on_step(t - 1, Z_t)
    return Z_t
