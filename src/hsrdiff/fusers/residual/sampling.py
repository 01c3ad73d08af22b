"""How residual mode draws: steps, sampler, start, draws and views, each checked, with defaults that fit each other."""

from __future__ import annotations

from dataclasses import dataclass

from hsrdiff.diffusion import SAMPLERS
from hsrdiff.errors import InputError, did_you_mean
from hsrdiff.fusers.options import count
from hsrdiff.fusers.residual.views import VIEWS

# gamma of pure noise, where one step is a regression: the noise that is left of it is 1e-4 of a unit
REGRESSION = 1e-8
NOISE = 1e-3  # of noise with hardly a trace of the image
DRAW_STEPS, DRAW_SAMPLER = 25, "ancestral-posterior"  # of several draws: fewer steps have less spread


@dataclass(frozen=True)
class Sampling:
    """A way to sample.

    Attributes:
        steps: Calls of the denoiser.
        sampler: A name in `hsrdiff.diffusion.SAMPLERS`.
        start: gamma where sampling starts.
        samples: Draws to average.
        views: Turned and flipped copies of the pair.
    """

    steps: int
    sampler: str
    start: float
    samples: int
    views: int

    @classmethod
    def of(cls, steps: int | None, sampler: str | None, start: float | None, samples: int, views: int) -> Sampling:
        """Check what was asked for, and choose what was not.

        Args:
            steps: None for 1, or 25 of several samples.
            sampler: None for ``"ddim"``, or ``"ancestral-posterior"`` of several samples.
            start: None for pure noise where there is one step, and 1e-3 where there are more.
            samples: At least 1.
            views: From 1 to 8.

        Returns:
            The way.

        Raises:
            InputError: An option is out of range, or several samples would be one and the same.
        """
        samples = count("samples", samples)
        several = samples > 1
        steps = count("steps", (DRAW_STEPS if several else 1) if steps is None else steps)
        if several and steps == 1:
            raise InputError(
                f"{samples} samples of one step, which are all the same",
                expected=f"at least 2 steps; {DRAW_STEPS} for the spread that the network believes in",
                do="change the option steps, or leave it out",
            )
        if int(views) != views or not 1 <= views <= VIEWS:
            raise InputError(
                f"views {views}", expected=f"a whole number from 1 to {VIEWS}", do="change the option views"
            )
        if start is None:
            start = REGRESSION if steps == 1 else NOISE
        if not 0 < start < 0.99:
            raise InputError(f"start {start}", expected="a gamma in (0, 0.99)", do="change the option start")
        if sampler is None:
            sampler = DRAW_SAMPLER if several else "ddim"
        if sampler not in SAMPLERS:
            raise InputError(f"unknown sampler '{sampler}'", do=did_you_mean(sampler, SAMPLERS))
        return cls(steps, sampler, float(start), samples, int(views))

    def describe(self) -> str:
        """Return the way in words."""
        kind = "a regression" if self.steps == 1 else f"{self.sampler} from gamma {self.start:g}"
        return f"{self.steps} step(s), {kind}, {self.samples} sample(s), {self.views} view(s)"
