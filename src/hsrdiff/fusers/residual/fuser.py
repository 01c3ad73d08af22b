"""HSR-Diff in residual mode: diffusion of what a kriged base leaves, for few steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch

from hsrdiff.diffusion import SAMPLERS, OnStep, Schedule, log_snr_schedule
from hsrdiff.errors import InputError, did_you_mean
from hsrdiff.fusers.base import Fusion, Needs, require_observation
from hsrdiff.fusers.kriging.learned import KrigingLearned
from hsrdiff.fusers.kriging.learned_weights import SHIPPED
from hsrdiff.fusers.masking import mask_output, output_mask
from hsrdiff.fusers.residual.condition import condition
from hsrdiff.fusers.residual.evidence import Evidence
from hsrdiff.fusers.residual.model import check_bands, load_residual
from hsrdiff.observation import Scene
from hsrdiff.rng import normal_like
from hsrdiff.typing import Denoise, PathLike

# gamma of pure noise, where one step is a regression: the noise that is left of it is 1e-4 of a unit
REGRESSION = 1e-8
PRECISIONS = ("float32", "bfloat16")


class HsrDiffResidual:
    """Sample what the base leaves, ``c ~ p(c | X, Y)``, and add it: ``Z = base + scale V c``.

    The base is kriging with the learned kernel, consistent with X and Y. The diffusion equations of the paper run on
    the coordinates c of Z - base: directions that the guide does not see (`Coordinates`), of unit variance. Every
    estimate of c is freed of what Y has already said, ``c (I - D D+)``, so that the result stays as consistent as the
    base. Sampling starts from moderate noise about the base and takes few steps, even in the log
    signal-to-noise ratio; the last one adds no noise.

    With one step the result is a regression; with `samples` above 1 the mean of that many draws is returned and
    their standard deviation beside it.

    Args:
        weights: A safetensors file written by the training, or the name of weights shipped with the package.
        base: Weights of the base's learned kernel, likewise: those that the network was trained over.
        steps: Calls of the denoiser, at least 1.
        sampler: A name in `hsrdiff.diffusion.SAMPLERS`.
        start: gamma where sampling starts, in (0, 0.99): the share of signal power.
        samples: Draws to average, at least 1.
        precision: ``"float32"``, or ``"bfloat16"`` for the network's products.
        device: Where the network runs.
        on_step: Called after each sampling step with the steps done and the steps in all.

    Raises:
        WeightsError: If the weights cannot be read.
        InputError: If an option is out of range.
    """

    name = "hsr-diff-residual"
    needs = Needs(response=True, psf=True, weights=True, tuning=True)

    def __init__(
        self,
        *,
        weights: PathLike,
        base: PathLike = SHIPPED,
        steps: int = 1,
        sampler: str = "ddim",
        start: float = REGRESSION,
        samples: int = 1,
        precision: str = "float32",
        device: str = "cpu",
        on_step: Callable[[int, int], None] | None = None,
    ) -> None:
        for option, value in (("steps", steps), ("samples", samples)):
            if int(value) != value or value < 1:
                raise InputError(
                    f"{option} {value}", expected="a whole number of at least 1", do=f"change the option {option}"
                )
        if not 0 < start < 0.99:
            raise InputError(f"start {start}", expected="a gamma in (0, 0.99)", do="change the option start")
        if sampler not in SAMPLERS:
            raise InputError(f"unknown sampler '{sampler}'", do=did_you_mean(sampler, SAMPLERS))
        if precision not in PRECISIONS:
            raise InputError(f"unknown precision '{precision}'", do=did_you_mean(precision, PRECISIONS))
        self.steps, self.samples, self.start = int(steps), int(samples), float(start)
        self.sampler, self.precision = sampler, precision
        self.device = torch.device(device)
        self.on_step = on_step
        self.model, self.card = load_residual(weights, device=self.device)
        self.weights = self.card.name or str(weights)
        self.base = KrigingLearned(weights=base, std=False)

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Krige the base, then sample what it leaves.

        Args:
            scene: The scene, with its observation.
            generator: Source of the landmarks and of the noise.

        Returns:
            One sample, or mean and standard deviation of several; NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
            WeightsError: If the weights are for other band counts.
        """
        scene.check()
        observation = require_observation(scene, self.name)
        check_bands(self.model.config, scene.bands, scene.msi_bands, self.weights)
        evidence = Evidence.of(scene, self.base, generator=generator)
        R = observation.spectral.matrix
        coordinates = self.model.coordinates(evidence.covariance, R).within(R)
        given = condition(evidence, coordinates, spectrum=self.model.reads_spectrum)
        mask = output_mask(scene)
        notes = evidence.notes | self._notes()
        if not given.scale:
            return Fusion(mask_output(evidence.base.to(scene.Y), mask), None, notes)
        denoise = self._bind(given.channels, evidence)
        schedule = log_snr_schedule(self.steps, self.start)
        shape = (1, self.model.config.network.coordinates, *evidence.size)
        # Numerics: Welford's update, so that K draws need the memory of two images
        mean = torch.zeros_like(evidence.base, dtype=torch.float64)
        squares = torch.zeros_like(mean) if self.samples > 1 else mean
        for drawn in range(self.samples):
            c = self._sample(denoise, schedule, shape, drawn, generator)
            sample = given.scale * coordinates.spectra(c.double().to(mean.device))
            change = sample - mean
            mean += change / (drawn + 1)
            if self.samples > 1:
                squares += change * (sample - mean)
        Z_hat = mask_output((evidence.base.double() + mean).to(scene.Y), mask)
        if self.samples == 1:
            return Fusion(Z_hat, None, notes)
        return Fusion(Z_hat, mask_output((squares / (self.samples - 1)).sqrt().to(scene.Y), mask), notes)

    def _bind(self, channels: torch.Tensor, evidence: Evidence) -> Denoise:
        """Run the SR stream once; every estimate loses what Y has already said."""
        with self._autocast():
            bound = self.model.network.bind(channels.to(self.device))

        def denoise(c_t: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
            with self._autocast():
                estimate = bound(c_t, gamma).to(c_t.dtype)
            return evidence.unseen(estimate)

        return denoise

    def _sample(
        self,
        denoise: Denoise,
        schedule: Schedule,
        shape: tuple[int, ...],
        drawn: int,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Start at c = 0, the base, with the noise of the schedule's end."""
        noise = normal_like(torch.empty(shape, dtype=torch.float32, device=self.device), generator)
        c_T = noise * float(schedule.one_minus_gammas[-1].sqrt())
        return SAMPLERS[self.sampler](denoise, c_T, schedule, generator=generator, on_step=self._progress(drawn))

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision == "bfloat16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def _notes(self) -> dict[str, str]:
        kind = "a regression" if self.steps == 1 else f"{self.sampler} from gamma {self.start:g}"
        return {
            "weights": f"{self.weights}, trained on {self.card.data}",
            "sampling": f"{self.steps} step(s), {kind}, {self.samples} sample(s), {self.precision}",
        }

    def _progress(self, drawn: int) -> OnStep | None:
        """Turn the sampler's count down to t = 0 into steps done of all samples."""
        report = self.on_step
        if report is None:
            return None
        first, last = drawn * self.steps, self.samples * self.steps
        return lambda t, c_t: report(first + self.steps - t, last)
