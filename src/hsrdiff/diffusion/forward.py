"""The forward process, Eqs. (2) and (3), and its posterior, Eq. (4)."""

from __future__ import annotations

import torch

from hsrdiff.diffusion.schedule import Schedule
from hsrdiff.typing import HRHSI


def _per_image(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return values.to(like).view(-1, *[1] * (like.dim() - 1))


def diffuse_step(Z: HRHSI, alpha: torch.Tensor, noise: torch.Tensor) -> HRHSI:
    """Take one step of the forward process, Eq. (2): Z_t = sqrt(alpha_t) Z_{t-1} + sqrt(1 - alpha_t) eps.

    Args:
        Z: Z_{t-1}, shape (n, B, H, W).
        alpha: alpha_t, shape (n,) or (1,), in (0, 1).
        noise: eps ~ N(0, I), the shape of Z.

    Returns:
        Z_t.
    """
    alpha = alpha.double()
    return _per_image(alpha.sqrt(), Z) * Z + _per_image((1 - alpha).sqrt(), Z) * noise


def diffuse(Z_0: HRHSI, gamma: torch.Tensor, noise: torch.Tensor) -> HRHSI:
    """Jump to a noise level, Eq. (3): Z_t = sqrt(gamma_t) Z_0 + sqrt(1 - gamma_t) eps.

    Args:
        Z_0: Clean image, shape (n, B, H, W).
        gamma: Signal power, shape (n,) or (1,), in [0, 1].
        noise: eps ~ N(0, I), the shape of Z_0.

    Returns:
        Z_t.
    """
    gamma = gamma.double()
    return _per_image(gamma.sqrt(), Z_0) * Z_0 + _per_image((1 - gamma).sqrt(), Z_0) * noise


def posterior(Z_0: HRHSI, Z_t: HRHSI, schedule: Schedule, t: int) -> tuple[HRHSI, float]:
    """Return mean and variance of q(Z_{t-1} | Z_0, Z_t), Eq. (4).

    Args:
        Z_0: Clean image, or its estimate, shape (n, B, H, W).
        Z_t: Noisy image, the same shape.
        schedule: Gives alpha and gamma.
        t: From 1 to T.

    Returns:
        The mean, in the shape and dtype of Z_t, and the variance of every value, 0 at t = 1.
    """
    gamma, left, left_before = schedule.gammas, schedule.one_minus_gammas, schedule.one_minus_gammas
    noise_power = float(left[t])
    step_power = float(schedule.one_minus_alphas[t])
    before = float(left_before[t - 1])
    weight_0 = float(gamma[t - 1].sqrt()) * step_power / noise_power
    weight_t = float(schedule.alphas[t].sqrt()) * before / noise_power
    return weight_0 * Z_0 + weight_t * Z_t, before * step_power / noise_power
