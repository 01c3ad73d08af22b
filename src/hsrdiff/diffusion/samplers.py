"""Samplers: from noise to an image, as functions of one signature that meet the network only at `denoise`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

import torch

from hsrdiff.diffusion.forward import posterior_coefficients
from hsrdiff.diffusion.schedule import Schedule
from hsrdiff.errors import InputError, ShapeError
from hsrdiff.rng import normal_like
from hsrdiff.typing import Denoise

# on_step(t, Z_t): the step just reached, T - 1 down to 0, and the image there, to be read only
OnStep: TypeAlias = Callable[[int, torch.Tensor], None]


class Sampler(Protocol):
    """What every entry of `SAMPLERS` can be called with; options of its own are keywords with defaults.

    The image keeps Z_T's type; coefficients are float64. `denoise` is given gamma_t as float64, shape (n,), since
    1 - gamma is as small as 1e-6 and float32 would round it by 3 percent. The last step adds no noise. Gradients
    flow where torch has them on.
    """

    def __call__(
        self,
        denoise: Denoise,
        Z_T: torch.Tensor,
        schedule: Schedule,
        *,
        generator: torch.Generator,
        clamp: tuple[float, float] | None = None,
        on_step: OnStep | None = None,
    ) -> torch.Tensor:
        """Walk `schedule` from Z_T down to Z_0.

        Args:
            denoise: f(Z_t, gamma) -> estimate of Z_0, with X and Y already bound.
            Z_T: Where to start, N(0, 1), shape (n, B, H, W); left unchanged.
            schedule: The steps.
            generator: Source of the noise between steps.
            clamp: Lowest and highest value of the data that every estimate of Z_0 is cut to; None for no limits.
            on_step: Called after each step with t and Z_t.

        Returns:
            Z_0, the shape and type of `Z_T`.
        """
        ...


def ancestral(
    denoise: Denoise,
    Z_T: torch.Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator,
    noise: Literal["paper", "posterior"] = "paper",
    clamp: tuple[float, float] | None = None,
    on_step: OnStep | None = None,
) -> torch.Tensor:
    """Sample by Eq. (6): the mean of Eq. (4) at the estimated Z_0, plus noise.

    Args:
        denoise: f(Z_t, gamma) -> estimate of Z_0.
        Z_T: Where to start, N(0, 1), shape (n, B, H, W).
        schedule: The steps.
        generator: Source of the noise; T - 1 images are drawn.
        noise: ``"paper"`` for the variance 1 - alpha_t of Eq. (6), ``"posterior"`` for that of Eq. (4).
        clamp: Range every estimate of Z_0 is cut to.
        on_step: Called after each step with t and Z_t.

    Returns:
        Z_0, the shape and type of `Z_T`.

    Raises:
        InputError: If `noise` is neither.
        ShapeError: If the denoiser changes the shape.
    """
    if noise not in ("paper", "posterior"):
        raise InputError(f"unknown noise '{noise}'", expected="'paper' or 'posterior'")
    Z_t = Z_T
    for t in range(schedule.steps, 0, -1):
        on_Z_0, on_Z_t, variance = posterior_coefficients(schedule, t)
        # P3: Eq. (6) adds the variance of a forward step, Eq. (5) leaves it open; "posterior" is that of Eq. (4).
        if noise == "paper":
            variance = float(schedule.one_minus_alphas[t])
        Z_0_hat = estimate(denoise, Z_t, schedule, t, clamp)
        Z_t = torch.mul(Z_t, on_Z_t).add_(Z_0_hat, alpha=on_Z_0)
        # P4: Eq. (6) would end on a noisy image; no noise is added at the last step.
        if t > 1:
            Z_t.add_(normal_like(Z_t, generator), alpha=math.sqrt(variance))
        if on_step is not None:
            on_step(t - 1, Z_t)
    return Z_t


def ancestral_posterior(
    denoise: Denoise,
    Z_T: torch.Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator,
    clamp: tuple[float, float] | None = None,
    on_step: OnStep | None = None,
) -> torch.Tensor:
    """Sample by Eq. (6) with the variance of Eq. (4).

    Args:
        denoise: f(Z_t, gamma) -> estimate of Z_0.
        Z_T: Where to start, N(0, 1), shape (n, B, H, W).
        schedule: The steps.
        generator: Source of the noise; T - 1 images are drawn.
        clamp: Range every estimate of Z_0 is cut to.
        on_step: Called after each step with t and Z_t.

    Returns:
        Z_0, the shape and type of `Z_T`.
    """
    return ancestral(denoise, Z_T, schedule, generator=generator, noise="posterior", clamp=clamp, on_step=on_step)


def ddim(
    denoise: Denoise,
    Z_T: torch.Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator,
    eta: float = 0.0,
    clamp: tuple[float, float] | None = None,
    on_step: OnStep | None = None,
) -> torch.Tensor:
    """Sample by Eq. (12) of Song, Meng, Ermon, "Denoising diffusion implicit models", ICLR 2021.

    With e = (Z_t - sqrt(gamma_t) Z_0_hat) / sqrt(1 - gamma_t) and s^2 = eta^2 times the variance of Eq. (4),
    Z_{t-1} = sqrt(gamma_{t-1}) Z_0_hat + sqrt(1 - gamma_{t-1} - s^2) e + s noise.

    Args:
        denoise: f(Z_t, gamma) -> estimate of Z_0.
        Z_T: Where to start, N(0, 1), shape (n, B, H, W).
        schedule: The steps.
        generator: Source of the noise; nothing is drawn when `eta` is 0.
        eta: Share of the posterior's noise, in [0, 1]; 0 is deterministic, 1 is `ancestral_posterior`.
        clamp: Range every estimate of Z_0 is cut to.
        on_step: Called after each step with t and Z_t.

    Returns:
        Z_0, the shape and type of `Z_T`.

    Raises:
        InputError: If `eta` is outside [0, 1].
        ShapeError: If the denoiser changes the shape.
    """
    if not 0 <= eta <= 1:
        raise InputError(f"eta {eta}", expected="a number in [0, 1]")
    Z_t = Z_T
    for t in range(schedule.steps, 0, -1):
        s = eta * math.sqrt(posterior_coefficients(schedule, t)[2])
        left = float(schedule.one_minus_gammas[t - 1]) - s**2
        # Numerics: at t = 1 what is left is 0, and for eta = 1 it may round below 0
        on_Z_t = math.sqrt(max(left, 0.0) / float(schedule.one_minus_gammas[t]))
        on_Z_0 = math.sqrt(float(schedule.gammas[t - 1])) - on_Z_t * math.sqrt(float(schedule.gammas[t]))
        Z_0_hat = estimate(denoise, Z_t, schedule, t, clamp)
        Z_t = torch.mul(Z_t, on_Z_t).add_(Z_0_hat, alpha=on_Z_0)
        if s > 0:
            Z_t.add_(normal_like(Z_t, generator), alpha=s)
        if on_step is not None:
            on_step(t - 1, Z_t)
    return Z_t


def estimate(
    denoise: Denoise, Z_t: torch.Tensor, schedule: Schedule, t: int, clamp: tuple[float, float] | None
) -> torch.Tensor:
    """Ask the denoiser for Z_0 at a step, as every sampler does.

    Args:
        denoise: f(Z_t, gamma) -> estimate of Z_0.
        Z_t: The image there.
        schedule: The steps.
        t: The step.
        clamp: Range the estimate is cut to, or None.

    Returns:
        The estimate, in the type of `Z_t`.

    Raises:
        ShapeError: If the denoiser changes the shape.
    """
    gamma = torch.full((len(Z_t),), float(schedule.gammas[t]), dtype=torch.float64, device=Z_t.device)
    Z_0_hat = denoise(Z_t, gamma)
    if Z_0_hat.shape != Z_t.shape:
        raise ShapeError(
            f"the denoiser made {tuple(Z_0_hat.shape)} of an image of shape {tuple(Z_t.shape)}",
            expected="an image of the same shape",
        )
    # P5: the estimate is cut to the range of the data at every step; the paper does not say.
    return (Z_0_hat if clamp is None else Z_0_hat.clamp(*clamp)).to(Z_t.dtype)
