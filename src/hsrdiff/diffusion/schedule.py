"""Noise schedules: how much of the signal is left after each step (sections 3.2.1 and 3.2.3)."""

from __future__ import annotations

import math

import torch

from hsrdiff.errors import InputError

TRAINING_STEPS = 2000  # T, section 3.2.3
# P1: the paper does not give the end points of training; these are the usual ones at T = 2000 and end in noise.
TRAINING_START, TRAINING_END = 1e-6, 1e-2
INFERENCE_STEPS = 100  # section 3.2.3
# P2: "linear" without end points; 0.2 makes the last gamma 2e-5, so that sampling starts where training ended.
INFERENCE_START, INFERENCE_END = 1e-6, 0.2


class Schedule:
    """The signal powers gamma_t = alpha_1 ... alpha_t of Eq. (3), t = 0 .. T, with gamma_0 = 1.

    All tables are float64 on the CPU and are indexed by the paper's t, so entry 0 is the clean image.

    Args:
        gammas: gamma_t, shape (T + 1,), from exactly 1 strictly down, all positive.
        log_gammas: The logarithms of `gammas`, shape (T + 1,), where they are known more precisely than
            `gammas` can say near 1; taken from `gammas` when None.

    Attributes:
        gammas: gamma_t, shape (T + 1,).
        log_gammas: log gamma_t, shape (T + 1,).
        one_minus_gammas: 1 - gamma_t, the noise variance of Eq. (3), shape (T + 1,).
        alphas: alpha_t of Eq. (2), shape (T + 1,); entry 0 is 1.
        one_minus_alphas: 1 - alpha_t, the noise variance of Eq. (2), shape (T + 1,).

    Raises:
        InputError: If the gammas are not such a sequence.
    """

    def __init__(self, gammas: torch.Tensor, *, log_gammas: torch.Tensor | None = None) -> None:
        logs = (torch.log(gammas.double()) if log_gammas is None else log_gammas.double()).cpu()
        falls = logs.ndim == 1 and len(logs) > 1 and bool((torch.diff(logs) < 0).all())
        if not falls or logs[0] != 0 or not torch.isfinite(logs).all() or gammas.shape != logs.shape:
            raise InputError(
                f"a schedule of shape {tuple(gammas.shape)} that is not a falling sequence from 1",
                expected="gamma_0 = 1 > gamma_1 > ... > gamma_T > 0",
                do="build it with linear_schedule",
            )
        self.gammas = gammas.double().cpu().clone()
        self.log_gammas = logs.clone()
        # Numerics: 1 - gamma_1 is 1e-6; the subtraction would lose ten of sixteen digits, expm1 loses none.
        self.one_minus_gammas = -torch.expm1(self.log_gammas)
        log_alphas = torch.diff(self.log_gammas, prepend=torch.zeros(1, dtype=torch.float64))
        self.alphas = torch.exp(log_alphas)
        self.one_minus_alphas = -torch.expm1(log_alphas)

    @classmethod
    def from_betas(cls, betas: torch.Tensor) -> Schedule:
        """Build gamma_t = prod (1 - beta_i), Eq. (3), from the noise variances of Eq. (2).

        Args:
            betas: beta_t = 1 - alpha_t for t = 1 .. T, shape (T,), in (0, 1).

        Returns:
            The schedule of T steps.

        Raises:
            InputError: If a beta is outside (0, 1) or there is none.
        """
        if betas.ndim != 1 or len(betas) == 0 or not bool(((betas > 0) & (betas < 1)).all()):
            raise InputError("noise variances outside (0, 1)", expected="a sequence of betas with 0 < beta < 1")
        logs = torch.cumsum(torch.log1p(-betas.double().cpu()), dim=0)
        logs = torch.cat([torch.zeros(1, dtype=torch.float64), logs])
        return cls(torch.exp(logs), log_gammas=logs)

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return len(self.gammas) - 1

    def __repr__(self) -> str:
        """Say the length and the last gamma."""
        return f"Schedule(steps={self.steps}, last gamma={float(self.gammas[-1]):.3g})"


def linear_schedule(steps: int = TRAINING_STEPS, start: float = TRAINING_START, end: float = TRAINING_END) -> Schedule:
    """Let 1 - alpha_t grow linearly from `start` to `end`: the training schedule, section 3.2.3.

    Args:
        steps: T, at least 1.
        start: 1 - alpha_1, in (0, 1).
        end: 1 - alpha_T, in (0, 1).

    Returns:
        The schedule of T steps.

    Raises:
        InputError: If an argument is out of range.
    """
    _check_steps(steps)
    if not (0 < start < 1 and 0 < end < 1):
        raise InputError(f"a noise schedule from {start} to {end}", expected="end points between 0 and 1")
    return Schedule.from_betas(torch.linspace(start, end, int(steps), dtype=torch.float64))


def inference_schedule(steps: int = INFERENCE_STEPS) -> Schedule:
    """Return the linear schedule of sampling, section 3.2.3; other lengths than 100 end in the same noise.

    Fewer than 100 steps keep that many entries of the 100-step sequence of gamma, since a linear schedule with
    the same end points would stop before the image is noise. More than 100 lower the end point in proportion.

    Args:
        steps: Number of calls of the denoiser, at least 1; the paper uses 100.

    Returns:
        The schedule.

    Raises:
        InputError: If `steps` is not a whole number of at least 1.
    """
    _check_steps(steps)
    if steps <= INFERENCE_STEPS:
        return respace(linear_schedule(INFERENCE_STEPS, INFERENCE_START, INFERENCE_END), steps)
    return linear_schedule(steps, INFERENCE_START, INFERENCE_END * INFERENCE_STEPS / steps)


def log_snr_schedule(steps: int, start: float, end: float = 0.99) -> Schedule:
    """Space steps evenly in the log signal-to-noise ratio, from moderate noise to little, then to none.

    ``log(gamma_t / (1 - gamma_t))`` falls evenly from t = 1, where gamma is `end`, to t = T, where it is `start`.
    A start above 0 suits what begins near its goal, such as a residual about its base.

    Args:
        steps: T, at least 1; one step goes from `start` to the image at once.
        start: gamma_T, in (0, 1).
        end: gamma_1 where there are two steps or more, in (`start`, 1).

    Returns:
        The schedule.

    Raises:
        InputError: If an argument is out of range.
    """
    _check_steps(steps)
    if not 0 < start < end < 1:
        raise InputError(
            f"a schedule from gamma {start} to {end}",
            expected="0 < start < end < 1",
            do="start with less signal than the steps end with",
        )
    first, last = (math.log(g) - math.log1p(-g) for g in (start, end))
    ratios = torch.linspace(last, first, steps, dtype=torch.float64) if steps > 1 else torch.tensor([first]).double()
    logs = torch.cat([torch.zeros(1, dtype=torch.float64), -torch.nn.functional.softplus(-ratios)])
    return Schedule(torch.exp(logs), log_gammas=logs)


def respace(schedule: Schedule, steps: int) -> Schedule:
    """Keep evenly spaced entries of the gamma sequence, first and last included.

    The kept entries make alphas of their own, alpha'_i = gamma'_i / gamma'_{i-1}; a denoiser conditioned on gamma
    needs no retraining.

    Args:
        schedule: The sequence to thin out, T steps.
        steps: Number of steps to keep, from 1 to T.

    Returns:
        The schedule of `steps` steps.

    Raises:
        InputError: If `steps` is not a whole number from 1 to T.
    """
    _check_steps(steps)
    if steps > schedule.steps:
        raise InputError(
            f"{steps} steps wanted from a schedule of {schedule.steps}",
            expected=f"at most {schedule.steps} steps",
            do="ask for fewer steps or build a longer schedule",
        )
    kept = torch.tensor([(schedule.steps * i + steps // 2) // steps for i in range(steps + 1)])
    return Schedule(schedule.gammas[kept], log_gammas=schedule.log_gammas[kept])


def sample_gamma(schedule: Schedule, n: int, generator: torch.Generator) -> torch.Tensor:
    """Draw noise levels for training: t ~ U{1..T}, then gamma ~ U(gamma_t, gamma_{t-1}); section 3.2.3.

    Args:
        schedule: The training schedule.
        n: Number of images in the batch; each has its own t and gamma.
        generator: Source of the numbers.

    Returns:
        gamma, shape (n,), float64 on the CPU, in (gamma_T, 1].
    """
    device = generator.device
    t = torch.randint(1, schedule.steps + 1, (n,), generator=generator, device=device).cpu()
    share = torch.rand(n, generator=generator, device=device, dtype=torch.float64).cpu()
    # P6: gamma itself is uniform, as the text says, not its square root as in the code the idea comes from.
    upper, lower = schedule.gammas[t - 1], schedule.gammas[t]
    return upper + (lower - upper) * share


def _check_steps(steps: int) -> None:
    if not math.isfinite(steps) or int(steps) != steps or steps < 1:
        raise InputError(f"{steps} diffusion steps", expected="a whole number of at least 1")
