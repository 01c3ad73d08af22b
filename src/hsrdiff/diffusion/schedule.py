"""Noise schedules: the sequence gamma_0 = 1 > gamma_1 > ... > gamma_T, and drawing from it (section 3.2.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hsrdiff.errors import InputError


@dataclass(frozen=True, eq=False)
class Schedule:
    """A decreasing sequence of signal powers.

    Numerics: logarithms are kept, so that 1 - gamma is exact where gamma is near 1.

    Attributes:
        log_gammas: log(gamma_t), float64, shape (T+1,); the first is 0.
    """

    log_gammas: torch.Tensor

    @property
    def steps(self) -> int:
        """T."""
        return len(self.log_gammas) - 1

    @property
    def gammas(self) -> torch.Tensor:
        """gamma_t = prod of alpha_i for i <= t, float64, shape (T+1,), gamma_0 = 1."""
        return self.log_gammas.exp()

    @property
    def one_minus_gammas(self) -> torch.Tensor:
        """1 - gamma_t, float64, shape (T+1,)."""
        return -torch.expm1(self.log_gammas)

    @property
    def alphas(self) -> torch.Tensor:
        """alpha_t = gamma_t / gamma_{t-1}, float64, shape (T+1,); alpha_0 = 1 stands unused so that t is the index."""
        return torch.cat([self.log_gammas[:1], self.log_gammas.diff()]).exp()

    @property
    def one_minus_alphas(self) -> torch.Tensor:
        """1 - alpha_t, float64, shape (T+1,); the first is 0."""
        return -torch.expm1(torch.cat([self.log_gammas[:1], self.log_gammas.diff()]))


def from_betas(betas: torch.Tensor) -> Schedule:
    """Build a schedule from beta_t = 1 - alpha_t.

    Args:
        betas: beta_1..beta_T, shape (T,), each in (0, 1).

    Returns:
        The schedule.

    Raises:
        InputError: If a beta is outside (0, 1) or there is none.
    """
    betas = betas.double()
    if betas.numel() == 0 or not bool(((betas > 0) & (betas < 1)).all()):
        raise InputError(
            f"a noise schedule of {betas.numel()} steps with betas outside (0, 1)",
            expected="at least one step, every beta between 0 and 1",
            do="correct its steps, start and end",
        )
    return Schedule(torch.cat([torch.zeros(1, dtype=torch.float64), torch.log1p(-betas).cumsum(0)]))


def linear_schedule(steps: int = 2000, start: float = 1e-6, end: float = 1e-2) -> Schedule:
    """The training schedule: beta rises linearly from `start` to `end` over T = `steps`.

    Args:
        steps: T, at least 1; the paper's is 2000.
        start: beta_1.
        end: beta_T.

    Returns:
        The schedule; with the defaults gamma_T = 4.4e-5.
    """
    # P1: the paper gives T = 2000 and no end points; these are the published ones of SR3 at T = 2000.
    return from_betas(torch.linspace(start, end, steps, dtype=torch.float64))


def inference_schedule(steps: int = 100) -> Schedule:
    """The inference schedule: beta rises linearly from 1e-6 so that gamma ends where training's does.

    For 100 steps, the paper's number, beta ends at 0.2 and gamma at 2.2e-5. Other lengths keep the sum of
    log alpha, so that every length starts from noise; very short ones take entries of the 100-step sequence.

    Args:
        steps: Number of network calls, at least 1.

    Returns:
        The schedule.
    """
    # P2: "a linear noise schedule" with 100 iterations; 1e-6 -> 0.2 ends at the noise level training ends at.
    if steps < 100:
        return respace(linear_schedule(100, 1e-6, 0.2), steps)
    return linear_schedule(steps, 1e-6, min(0.2 * 100 / steps, 0.2))


def respace(schedule: Schedule, steps: int) -> Schedule:
    """Keep `steps` of a schedule's entries, evenly spaced, with gamma_0 = 1 and the last one.

    Args:
        schedule: The schedule to thin.
        steps: Entries to keep besides gamma_0, from 1 to the schedule's own number.

    Returns:
        A schedule whose gammas are among those of `schedule`.

    Raises:
        InputError: If `steps` is out of range.
    """
    if not 1 <= steps <= schedule.steps:
        raise InputError(
            f"{steps} steps asked of a noise schedule of {schedule.steps}",
            expected=f"1 to {schedule.steps}",
            do="change the number of steps",
        )
    kept = torch.linspace(0, schedule.steps, steps + 1, dtype=torch.float64).round().long()
    return Schedule(schedule.log_gammas[kept])


def sample_gamma(schedule: Schedule, n: int, generator: torch.Generator) -> torch.Tensor:
    """Draw noise levels for training, section 3.2.3: t ~ U{1..T}, then gamma ~ U(gamma_{t-1}, gamma_t).

    Args:
        schedule: The training schedule.
        n: How many.
        generator: Source of randomness, on the CPU.

    Returns:
        gamma, float64, shape (n,).
    """
    # P6: gamma itself is drawn uniformly, as the text says; public codes of SR3 and WaveGrad draw sqrt(gamma).
    t = torch.randint(1, schedule.steps + 1, (n,), generator=generator)
    share = torch.rand(n, generator=generator, dtype=torch.float64)
    gammas = schedule.gammas
    return gammas[t] + share * (gammas[t - 1] - gammas[t])
