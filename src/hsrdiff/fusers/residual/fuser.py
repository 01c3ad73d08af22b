"""HSR-Diff in residual mode: diffusion of what a kriged base leaves, for few steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from copy import copy

import torch

from hsrdiff.diffusion import SAMPLERS, OnStep, Schedule, log_snr_schedule
from hsrdiff.errors import InputError, WeightsError, did_you_mean
from hsrdiff.fusers.base import Fusion, Needs, require_observation
from hsrdiff.fusers.kriging.learned import KrigingLearned
from hsrdiff.fusers.kriging.learned_weights import SHIPPED
from hsrdiff.fusers.masking import mask_output, output_mask
from hsrdiff.fusers.residual.condition import Conditioned, condition
from hsrdiff.fusers.residual.diffused import Diffused
from hsrdiff.fusers.residual.evidence import Evidence
from hsrdiff.fusers.residual.left_alone import left_alone
from hsrdiff.fusers.residual.model import (
    SAME_RESPONSE,
    ResidualCard,
    ResidualModel,
    check_bands,
    fitting_residual,
    load_residual,
    response_apart,
)
from hsrdiff.fusers.residual.parts import DIFFUSED, EVIDENCE
from hsrdiff.fusers.residual.sampling import Sampling
from hsrdiff.fusers.residual.views import unview, view
from hsrdiff.observation import Scene
from hsrdiff.rng import normal_like
from hsrdiff.typing import Denoise, PathLike

PRECISIONS = ("float32", "bfloat16")


class HsrDiffResidual:
    """Sample what the base leaves, ``c ~ p(c | X, Y)``, and add it: ``Z = base + scale V c``.

    The base is kriging with the learned kernel, consistent with X and Y. The diffusion equations of the paper run on
    the coordinates c of Z - base: directions that the guide does not see (`Coordinates`), of about unit variance. Every
    estimate of c is freed of what Y has already said, ``c (I - D D+)``, so that the result stays as consistent as the
    base. Sampling starts at c = 0, the base, under noise, and takes few steps, even in the log signal-to-noise ratio;
    the last one adds no noise.

    With one step, the default, the result is a regression from pure noise; with `samples` above 1 the mean of that
    many draws is returned and their standard deviation beside it. A draw takes steps: of few its spread is next to
    nothing, of one it has none.

    Args:
        weights: A safetensors file written by the training, or the name of weights shipped with the package; None
            for the shipped ones that fit each scene: those of its pair of sensors and factor, else those for any.
        base: Weights of the base's learned kernel, likewise: those that the network was trained over.
        steps: Calls of the denoiser, at least 1, of several samples at least 2; None for 1, or 25 of several samples.
        sampler: A name in `hsrdiff.diffusion.SAMPLERS`; None for ``"ddim"``, or ``"ancestral-posterior"``, whose
            draws spread more, of several samples.
        start: gamma where sampling starts, in (0, 0.99): the share of signal power; None for pure noise where there is
            one step, and 1e-3 where there are more.
        samples: Draws to average, at least 1.
        std: Return the deviation to expect of errors (`Evidence.doubt`); several samples have their own in any case.
        views: Turned and flipped copies of the pair whose estimates are averaged, from 1 to 8; work in proportion.
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
        weights: PathLike | None = None,
        base: PathLike = SHIPPED,
        steps: int | None = None,
        sampler: str | None = None,
        start: float | None = None,
        samples: int = 1,
        views: int = 1,
        std: bool = False,
        precision: str = "float32",
        device: str = "cpu",
        on_step: Callable[[int, int], None] | None = None,
    ) -> None:
        self.sampling = Sampling.of(steps, sampler, start, samples, views)
        if precision not in PRECISIONS:
            raise InputError(f"unknown precision '{precision}'", do=did_you_mean(precision, PRECISIONS))
        self.precision, self.std = precision, bool(std)
        self.device = torch.device(device)
        self.on_step = on_step
        self.weights = weights
        self._loaded = None if weights is None else load_residual(weights, device=self.device)
        self._shipped: dict[str, tuple[ResidualModel, ResidualCard]] = {}  # read once, not for every block
        self.base = KrigingLearned(weights=base, std=False)

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Krige the base, then sample what it leaves.

        Args:
            scene: The scene, with its observation.
            generator: Source of the landmarks and of the noise.

        Returns:
            One sample with the deviation to expect of it, or mean and standard deviation of several; NaN where X or Y
            is invalid.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
            WeightsError: If the weights are for other band counts.
        """
        return self.sample(self.gather(scene, generator=generator), generator=generator)

    @torch.no_grad()
    def gather(self, scene: Scene, *, generator: torch.Generator) -> Evidence:
        """Krige the base and what tells of its errors.

        Args:
            scene: The scene, with its observation.
            generator: Source of the landmarks.

        Returns:
            The evidence.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
            WeightsError: If the weights are for other band counts, or none fit.
        """
        scene.check()
        observation = require_observation(scene, self.name)
        model, card = self.fitting(observation.spectral.matrix, scene.factor)
        check_bands(model.config, scene.bands, scene.msi_bands, card.name or str(self.weights))
        own = model.config.basis == "sensors"
        gather = EVIDENCE[model.config.parts.evidence]
        return gather(scene, self.base, generator=generator, register=not own)

    @torch.no_grad()
    def sample(self, evidence: Evidence, *, generator: torch.Generator) -> Fusion:
        """Sample what the base leaves.

        Args:
            evidence: From `gather`.
            generator: Source of the noise.

        Returns:
            As `fuse` does.
        """
        scene = evidence.scene
        R = require_observation(scene, self.name).spectral.matrix
        model, card = self.fitting(R, scene.factor)
        coordinates = model.coordinates(evidence.covariance, R)
        given = condition(evidence, coordinates, spectrum=model.reads_spectrum, noise=model.reads_noise)
        mask = output_mask(scene)
        notes = (
            evidence.notes
            | self._notes(card, scene.factor, R, any_sensors=model.config.basis == "scene")
            | model.config.parts.note()
        )
        if unlike := left_alone(evidence, model, card):
            notes |= {"network": unlike}
        if unlike or not given.scale:
            return self._one(evidence, evidence.base, mask, notes)
        diffused = DIFFUSED[model.config.parts.diffused](evidence, coordinates, given)
        denoise = self._bind(model, given, diffused)
        schedule = log_snr_schedule(self.sampling.steps, self.sampling.start)
        shape = (1, model.config.network.coordinates, *evidence.size)
        # Numerics: Welford's update, so that K draws need the memory of two images
        mean = torch.zeros_like(evidence.base, dtype=torch.float64)
        squares = torch.zeros_like(mean) if self.sampling.samples > 1 else mean
        for drawn in range(self.sampling.samples):
            c = diffused.residual(self._sample(denoise, schedule, shape, drawn, generator))
            sample = given.scale * coordinates.spectra(c.double().to(mean.device))
            change = sample - mean
            mean += change / (drawn + 1)
            if self.sampling.samples > 1:
                squares += change * (sample - mean)
        Z = (evidence.base.double() + mean).to(scene.Y)
        if self.sampling.samples == 1:
            return self._one(evidence, Z, mask, notes)
        return Fusion(
            mask_output(Z, mask), mask_output((squares / (self.sampling.samples - 1)).sqrt().to(scene.Y), mask), notes
        )

    def _one(self, evidence: Evidence, Z: torch.Tensor, mask: torch.Tensor, notes: dict[str, str]) -> Fusion:
        """Return one estimate, with the deviation to expect where it is asked for."""
        Z = Z.to(evidence.scene.Y)
        doubt = evidence.doubt(Z) if self.std else None
        return Fusion(mask_output(Z, mask), None if doubt is None else mask_output(doubt, mask), notes)

    def _bind(self, model: ResidualModel, given: Conditioned, diffused: Diffused) -> Denoise:
        """Run the SR stream once for each view; every estimate is freed of what Y has already said."""
        channels, optics = given.channels.to(self.device), given.optics.to(self.device)
        with self._autocast():
            bound = [
                model.network.bind(view(channels, k), view(optics, k) if optics.shape[1] else None)
                for k in range(self.sampling.views)
            ]

        def denoise(c_t: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
            total = torch.zeros_like(c_t)
            for k, each in enumerate(bound):
                with self._autocast():
                    estimate = each(view(c_t, k), gamma)
                total += unview(estimate.to(c_t.dtype), k)
            return diffused.of(total / self.sampling.views)

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
        return SAMPLERS[self.sampling.sampler](
            denoise, c_T, schedule, generator=generator, on_step=self._progress(drawn)
        )

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision == "bfloat16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def with_model(self, model: ResidualModel, card: ResidualCard) -> HsrDiffResidual:
        """Return the same method with another model.

        Args:
            model: The model.
            card: What it was trained on.

        Returns:
            The method; this one stays as it is.
        """
        other = copy(self)
        other._loaded = (model, card)
        return other

    def fitting(self, R: torch.Tensor, factor: int) -> tuple[ResidualModel, ResidualCard]:
        """Return the weights that were given, or the shipped ones that fit a scene.

        Args:
            R: Spectral response of the scene, shape (b, B).
            factor: H / h.

        Returns:
            The model and its card.

        Raises:
            WeightsError: If none fit.
        """
        if self._loaded is not None:
            return self._loaded
        name = fitting_residual(R, factor)
        if name is None:
            raise WeightsError(
                f"no shipped weights of '{self.name}' fit these sensors at factor {factor}",
                expected="weights for them, or for any sensors",
                do="train some with 'hsrdiff train' and name them with --weights, or use the method kriging-learned",
            )
        if name not in self._shipped:
            self._shipped[name] = load_residual(name, device=self.device)
        return self._shipped[name]

    def _notes(self, card: ResidualCard, factor: int, R: torch.Tensor, *, any_sensors: bool) -> dict[str, str]:
        notes = {
            "weights": f"{card.name or self.weights}, trained on {card.data}",
            "sampling": f"{self.sampling.describe()}, {self.precision}",
        }
        if card.factors and factor not in card.factors:
            trained = ", ".join(map(str, card.factors))
            notes["factor"] = f"the images have ratio {factor}, the weights were trained at {trained}"
            if not any_sensors:  # those for any were measured to hold up to `FARTHEST` times as far
                notes["factor"] += ": expect a poorer result"
        apart = response_apart(card, R)
        if apart >= SAME_RESPONSE:
            notes["response"] = (
                f"the guide's response is {100 * apart:.2g} % from that of the training: expect a poorer result"
            )
        return notes

    def _progress(self, drawn: int) -> OnStep | None:
        """Turn the sampler's count down to t = 0 into steps done of all samples."""
        if (report := self.on_step) is None:
            return None
        last = self.sampling.samples * self.sampling.steps
        return lambda t, c_t: report((drawn + 1) * self.sampling.steps - t, last)
