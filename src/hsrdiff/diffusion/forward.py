"""The forward process and its posterior, Eqs. (2) to (4)."""

from __future__ import annotations

import torch

from hsrdiff.diffusion.schedule import Schedule
from hsrdiff.errors import InputError, ShapeError


def diffuse_step(Z_prev: torch.Tensor, alpha: torch.Tensor | float, noise: torch.Tensor) -> torch.Tensor:
    """Take one forward step, Eq. (2): Z_t = sqrt(alpha_t) Z_{t-1} + sqrt(1 - alpha_t) noise.

    Args:
        Z_prev: Z_{t-1}, shape (n, B, H, W).
        alpha: alpha_t, one number or shape (n,), in [0, 1].
        noise: N(0, 1), the shape of `Z_prev`.

    Returns:
        Z_t, the shape and type of `Z_prev`.

    Raises:
        ShapeError: If the shapes do not fit.
        InputError: If alpha is outside [0, 1].
    """
    return _mix(Z_prev, alpha, noise, "alpha")


def diffuse(Z_0: torch.Tensor, gamma: torch.Tensor | float, noise: torch.Tensor) -> torch.Tensor:
    """Jump to a noise level, Eq. (3): Z_t = sqrt(gamma) Z_0 + sqrt(1 - gamma) noise.

    Args:
        Z_0: The clean image, shape (n, B, H, W), in the range that is diffused.
        gamma: Signal power left, one number or shape (n,), in [0, 1].
        noise: N(0, 1), the shape of `Z_0`.

    Returns:
        Z_t, the shape and type of `Z_0`.

    Raises:
        ShapeError: If the shapes do not fit.
        InputError: If gamma is outside [0, 1].
    """
    return _mix(Z_0, gamma, noise, "gamma")


def posterior(Z_0: torch.Tensor, Z_t: torch.Tensor, schedule: Schedule, t: int) -> tuple[torch.Tensor, float]:
    """Return mean and variance of q(Z_{t-1} | Z_t, Z_0), Eq. (4).

    Args:
        Z_0: The clean image, any shape.
        Z_t: The image after t steps, the same shape.
        schedule: The schedule of T steps.
        t: The step, from 1 to T.

    Returns:
        The mean, shaped like `Z_t`, and the variance of every pixel about it. At t = 1 they are Z_0 and 0.

    Raises:
        ShapeError: If the two images differ in shape.
        InputError: If t is not a step of the schedule.
    """
    if Z_0.shape != Z_t.shape:
        raise ShapeError(
            f"Z_0 of shape {tuple(Z_0.shape)} and Z_t of shape {tuple(Z_t.shape)}", expected="equal shapes"
        )
    on_Z_0, on_Z_t, variance = posterior_coefficients(schedule, t)
    return on_Z_0 * Z_0 + on_Z_t * Z_t, variance


def posterior_coefficients(schedule: Schedule, t: int) -> tuple[float, float, float]:
    """Return the weights of Z_0 and Z_t in the mean of Eq. (4), and its variance.

    Args:
        schedule: The schedule of T steps.
        t: The step, from 1 to T.

    Returns:
        ``sqrt(gamma_{t-1}) (1-alpha_t) / (1-gamma_t)``, ``sqrt(alpha_t) (1-gamma_{t-1}) / (1-gamma_t)`` and
        ``(1-gamma_{t-1}) (1-alpha_t) / (1-gamma_t)``.

    Raises:
        InputError: If t is not a step of the schedule.
    """
    if not 1 <= t <= schedule.steps:
        raise InputError(f"step {t} of a schedule of {schedule.steps} steps", expected=f"1 to {schedule.steps}")
    new_share = schedule.one_minus_alphas[t] / schedule.one_minus_gammas[t]
    old_share = schedule.one_minus_gammas[t - 1] / schedule.one_minus_gammas[t]
    return (
        float(schedule.gammas[t - 1].sqrt() * new_share),
        float(schedule.alphas[t].sqrt() * old_share),
        float(schedule.one_minus_gammas[t - 1] * new_share),
    )


def _mix(image: torch.Tensor, power: torch.Tensor | float, noise: torch.Tensor, name: str) -> torch.Tensor:
    if noise.shape != image.shape:
        raise ShapeError(
            f"noise of shape {tuple(noise.shape)} for an image of shape {tuple(image.shape)}", expected="equal shapes"
        )
    power = torch.as_tensor(power, dtype=torch.float64)
    if power.ndim > 1 or (power.ndim == 1 and len(power) != len(image)):
        raise ShapeError(
            f"{name} of shape {tuple(power.shape)} for a batch of {len(image)}",
            expected="one number, or one for each image",
        )
    if not bool(((power >= 0) & (power <= 1)).all()):
        raise InputError(f"{name} outside [0, 1]", expected="a share of the signal's power")
    # Numerics: the square roots are taken in float64 and rounded once
    power = power.reshape(-1, *[1] * (image.ndim - 1)) if power.ndim else power
    return power.sqrt().to(image) * image + (1 - power).sqrt().to(image) * noise
