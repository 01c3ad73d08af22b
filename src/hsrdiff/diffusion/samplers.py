"""The reverse process: samplers of one signature, each a function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch

from hsrdiff.diffusion.forward import posterior
from hsrdiff.diffusion.schedule import Schedule
from hsrdiff.rng import normal_like
from hsrdiff.typing import HRHSI, Denoise

OnStep = Callable[[int, int], None]


class Sampler(Protocol):
    """From noise to an image: sampler(denoise, Z_T, schedule, generator=..., clamp=..., on_step=...)."""

    def __call__(
        self,
        denoise: Denoise,
        Z_T: HRHSI,
        schedule: Schedule,
        *,
        generator: torch.Generator,
        clamp: tuple[float, float] | None = None,
        on_step: OnStep | None = None,
    ) -> HRHSI:
        """Walk the schedule from its last entry to gamma_0 = 1.

        Args:
            denoise: Estimates Z_0 from Z_t and gamma; X and Y are already bound.
            Z_T: Where to start, shape (n, B, H, W); N(0, I) for the paper.
            schedule: The inference schedule.
            generator: Source of the noise that is added on the way.
            clamp: Range every estimate of Z_0 is clamped to, or None.
            on_step: Called after each step with the steps done and the steps in all.

        Returns:
            Z_0, in the shape and dtype of Z_T.
        """


def _estimate(
    denoise: Denoise, Z_t: HRHSI, gamma: torch.Tensor, clamp: tuple[float, float] | None
) -> HRHSI:
    Z_hat = denoise(Z_t, gamma.to(Z_t).expand(Z_t.shape[0]))
    # P5: the estimate is clamped to the data range at every step where the caller knows the range.
    return Z_hat if clamp is None else Z_hat.clamp(*clamp)


def _walk(
    denoise: Denoise,
    Z_T: HRHSI,
    schedule: Schedule,
    noise_std: Callable[[int], float],
    generator: torch.Generator,
    clamp: tuple[float, float] | None,
    on_step: OnStep | None,
) -> HRHSI:
    """Take the mean of Eq. (4) with the estimate in place of Z_0 and add noise, at every step but the last."""
    Z, gammas = Z_T, schedule.gammas
    for t in range(schedule.steps, 0, -1):
        Z, _ = posterior(_estimate(denoise, Z, gammas[t], clamp), Z, schedule, t)
        # P4: Eq. (6) adds noise at t = 1 too, which alone would cap the PSNR near 60 dB; no public code does.
        if t > 1:
            Z = Z + noise_std(t) * normal_like(Z, generator)
        if on_step is not None:
            on_step(schedule.steps - t + 1, schedule.steps)
    return Z


def ancestral(
    denoise: Denoise,
    Z_T: HRHSI,
    schedule: Schedule,
    *,
    generator: torch.Generator,
    clamp: tuple[float, float] | None = None,
    on_step: OnStep | None = None,
) -> HRHSI:
    """The paper's sampler, Eq. (6): the mean of Eq. (4) plus sqrt(1 - alpha_t) eps. See `Sampler`."""
    # P3: Eq. (6) has sqrt(1 - alpha_t), Eq. (4) the posterior's deviation; this is Eq. (6).
    left = schedule.one_minus_alphas
    return _walk(denoise, Z_T, schedule, lambda t: math.sqrt(left[t]), generator, clamp, on_step)


def ancestral_posterior(
    denoise: Denoise,
    Z_T: HRHSI,
    schedule: Schedule,
    *,
    generator: torch.Generator,
    clamp: tuple[float, float] | None = None,
    on_step: OnStep | None = None,
) -> HRHSI:
    """Eq. (6) with the posterior's own noise, Eq. (4): variance (1-gamma_{t-1})(1-alpha_t)/(1-gamma_t). See `Sampler`."""
    left, step = schedule.one_minus_gammas, schedule.one_minus_alphas
    return _walk(
        denoise, Z_T, schedule, lambda t: math.sqrt(left[t - 1] * step[t] / left[t]), generator, clamp, on_step
    )


def ddim(
    denoise: Denoise,
    Z_T: HRHSI,
    schedule: Schedule,
    *,
    generator: torch.Generator,
    clamp: tuple[float, float] | None = None,
    on_step: OnStep | None = None,
    eta: float = 0.0,
) -> HRHSI:
    """DDIM (Song et al. 2021): keep the noise the estimate implies instead of drawing it anew. See `Sampler`.

    ``eps = (Z_t - sqrt(gamma_t) Z_hat) / sqrt(1 - gamma_t)``,
    ``Z_{t-1} = sqrt(gamma_{t-1}) Z_hat + sqrt(1 - gamma_{t-1} - s²) eps + s eps'`` with ``s = eta *`` the deviation
    of Eq. (4): eta = 0 is deterministic, eta = 1 is the posterior's noise.
    """
    Z, gammas, left = Z_T, schedule.gammas, schedule.one_minus_gammas
    for t in range(schedule.steps, 0, -1):
        Z_hat = _estimate(denoise, Z, gammas[t], clamp)
        noise = (Z - float(gammas[t].sqrt()) * Z_hat) / float(left[t].sqrt())
        variance = float(left[t - 1] * schedule.one_minus_alphas[t] / left[t])
        kept = math.sqrt(max(float(left[t - 1]) - eta**2 * variance, 0.0))
        Z = float(gammas[t - 1].sqrt()) * Z_hat + kept * noise
        if eta and t > 1:
            Z = Z + eta * math.sqrt(variance) * normal_like(Z, generator)
        if on_step is not None:
            on_step(schedule.steps - t + 1, schedule.steps)
    return Z


SAMPLERS: dict[str, Sampler] = {
    "ancestral": ancestral,
    "ancestral-posterior": ancestral_posterior,
    "ddim": ddim,
}
