"""HSR-Diff in the paper's mode: the bands of Z are sampled from noise, conditioned on X and Y."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch

from hsrdiff.diffusion import SAMPLERS, OnStep, inference_schedule, linear_schedule
from hsrdiff.errors import InputError, did_you_mean
from hsrdiff.fusers.base import Fusion, Needs
from hsrdiff.fusers.card_remarks import check_bands, check_peak, describe, remarks
from hsrdiff.fusers.masking import fill_invalid, mask_output, output_mask
from hsrdiff.fusers.options import count
from hsrdiff.networks import load_network
from hsrdiff.observation import Scene
from hsrdiff.rng import normal_like
from hsrdiff.typing import PathLike

PRECISIONS = ("float32", "bfloat16")
# sampling may begin at this much less signal power than the training ended with: beyond it the noise is of another kind
LEVELS_APART = 10.0


class HsrDiff:
    """Sample Z from p(Z | X, Y) with CDFormer: Z_T ~ N(0, I), then Eq. (6) down to Z_0 (section 3.2.4).

    The network sees 2 z / peak - 1. With `samples` above 1 the mean of that many draws is returned and their
    standard deviation beside it.

    Args:
        weights: A safetensors file written by the training, or the name of weights shipped with the package.
        steps: Length of the inference schedule, at least 1; the paper uses 100.
        sampler: A name in `hsrdiff.diffusion.SAMPLERS`; the paper's is ``"ancestral"``.
        samples: Draws to average, at least 1; the paper uses 1.
        precision: ``"float32"``, or ``"bfloat16"`` for mixed precision by torch.autocast.
        peak: Value of the scene that means 1.
        device: Where the network runs, such as ``"cpu"`` or ``"cuda"``.
        on_step: Called after each sampling step with the steps done and the steps in all.

    Raises:
        WeightsError: If the weights cannot be read.
        InputError: If an option is out of range.
    """

    name = "hsr-diff"
    needs = Needs(weights=True)

    def __init__(
        self,
        *,
        weights: PathLike,
        steps: int = 100,
        sampler: str = "ancestral",
        samples: int = 1,
        precision: str = "float32",
        peak: float = 1.0,
        device: str = "cpu",
        on_step: Callable[[int, int], None] | None = None,
    ) -> None:
        if sampler not in SAMPLERS:
            raise InputError(f"unknown sampler '{sampler}'", do=did_you_mean(sampler, SAMPLERS))
        if precision not in PRECISIONS:
            raise InputError(f"unknown precision '{precision}'", do=did_you_mean(precision, PRECISIONS))
        self.peak = check_peak(peak)
        self.weights = str(weights)
        self.steps, self.samples = count("steps", steps), count("samples", samples)
        self.sampler, self.precision = sampler, precision
        self.device = torch.device(device)
        self.on_step = on_step
        self.network, self.card = load_network(weights, device=self.device)

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Bind X and Y once, then walk the inference schedule from noise.

        Args:
            scene: The scene, any size; its observation is not used.
            generator: Source of Z_T and of the noise of Eq. (6).

        Returns:
            One sample, or mean and standard deviation of several; NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together.
            WeightsError: If the weights are for other band counts.
        """
        scene.check()
        check_bands(self.card, scene, self.weights)
        X = self._to_network(fill_invalid(scene.X, scene.valid))
        Y = self._to_network(fill_invalid(scene.Y, scene.valid_lr))
        with self._autocast():
            bound = self.network.bind(X, Y)

        def denoise(Z_t: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
            with self._autocast():
                return bound(Z_t, gamma).to(Z_t.dtype)

        schedule = inference_schedule(self.steps)
        shape = (1, scene.bands, *scene.X.shape[-2:])
        # Numerics: Welford's update, so that K draws need the memory of two images
        mean = torch.zeros(shape, dtype=torch.float64, device=self.device)
        squares = torch.zeros_like(mean)
        for drawn in range(self.samples):
            # Z_T is N(0, I) although the last gamma is 2e-5, not 0: the difference is far below the noise
            Z_T = normal_like(torch.empty(shape, dtype=X.dtype, device=self.device), generator)
            Z = SAMPLERS[self.sampler](
                denoise,
                Z_T,
                schedule,
                generator=generator,
                clamp=(-1.0, 1.0),
                on_step=self._progress(drawn),
            )
            sample = (Z.double() + 1.0) / 2.0 * self.peak
            change = sample - mean
            mean += change / (drawn + 1)
            squares += change * (sample - mean)
        mask = output_mask(scene)
        Z_hat = mask_output(mean.to(scene.Y), mask)
        std = None
        if self.samples > 1:
            std = mask_output((squares / (self.samples - 1)).sqrt().to(scene.Y), mask)
        return Fusion(Z_hat, std, self._notes(scene))

    def _to_network(self, image: torch.Tensor) -> torch.Tensor:
        """Map 0..peak to -1..1. P16: the diffused range."""
        return 2.0 * (image.to(self.device, torch.float32) / self.peak) - 1.0

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision == "bfloat16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def _notes(self, scene: Scene) -> dict[str, str]:
        notes = {
            "weights": describe(self.card, self.weights),
            "sampling": f"{self.steps} steps, {self.sampler}, {self.samples} sample(s), {self.precision}",
        }
        notes |= remarks(self.card, scene, self.peak, cut=True)
        noise = self._remark_on_noise()
        if noise:
            notes["noise"] = noise
        return notes

    def _remark_on_noise(self) -> str:
        """Compare where the sampling begins with where the training's noise ended; nothing to say where it reached."""
        levels = self.card.diffusion
        if levels is None:
            return ""
        last = float(linear_schedule(levels.steps, levels.start, levels.end).gammas[-1])
        first = float(inference_schedule(self.steps).gammas[-1])
        if last <= LEVELS_APART * first:
            return ""
        return (
            f"sampling begins at gamma {first:.2g}, the training ended at {last:.2g} ({levels.steps} steps, "
            f"1 - alpha from {levels.start:g} to {levels.end:g}): expect a poorer result"
        )

    def _progress(self, drawn: int) -> OnStep | None:
        """Turn the sampler's count down to t = 0 into steps done of all samples."""
        report = self.on_step
        if report is None:
            return None
        first, last = drawn * self.steps, self.samples * self.steps
        return lambda t, Z_t: report(first + self.steps - t, last)
