"""Kriging with one of its terms left out at a time, on small scenes and on training scenes of CAVE."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import torch

from hsrdiff.evaluation import simulate_scene
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.small_scenes import CAVE_TRAINING, JASPER_RIDGE, LOS_ANGELES, SAMSON, SmallScene
from hsrdiff.fusers import Fuser, Fusion, make_fuser
from hsrdiff.fusers.kriging import Kriging
from hsrdiff.fusers.kriging.estimator import estimator
from hsrdiff.fusers.kriging.kernel import Coordinates, Sites, SpectralKernel
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.start import COLOURED, Chosen, starting_points
from hsrdiff.fusers.kriging.system import KrigingSystem
from hsrdiff.fusers.kriging.windows import krige_windows
from hsrdiff.fusers.masking import mask_output, output_mask
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

SCENES = (JASPER_RIDGE, LOS_ANGELES, SAMSON, *CAVE_TRAINING)
FULL = "kriging"
# constants are tuned as logarithms, so that a term is left out by a tiny weight or a huge scale
_NONE, _ENDLESS = 1e-12, 1e6


@dataclass(frozen=True)
class HeldKernel(SpectralKernel):
    """The kernel with some constants held, whatever the tuning makes of them."""

    held: ClassVar[Mapping[str, float]] = {}

    def __post_init__(self) -> None:
        for name, value in self.held.items():
            object.__setattr__(self, name, value)


class WithoutColour(HeldKernel):
    """Colour does not tell spectra apart, brightness does."""

    held: ClassVar = {"colour": _ENDLESS}


class WithoutBrightness(HeldKernel):
    """Brightness does not tell spectra apart, colour does."""

    held: ClassVar = {"brightness": _ENDLESS}


class WithoutPlace(HeldKernel):
    """Neighbours are no more alike than others."""

    held: ClassVar = {"nearby": _NONE}


class WithoutEverywhere(HeldKernel):
    """Only neighbours of like colour are alike."""

    held: ClassVar = {"everywhere": _NONE}


class WithoutLinear(HeldKernel):
    """No linear regression in the kernel."""

    held: ClassVar = {"linear": _NONE}


class WithoutMixing(HeldKernel):
    """Mixed LR pixels are no noisier than pure ones."""

    held: ClassVar = {"mixing": _NONE}


class WithoutScaling(HeldKernel):
    """No factor n n': the prediction does not scale with brightness."""

    def coordinates(self, sites: Sites) -> Coordinates:
        """Return sites in the units of this kernel, all equally bright.

        Args:
            sites: P sites.

        Returns:
            Their coordinates.
        """
        found = super().coordinates(sites)
        return replace(found, brightness=torch.ones_like(found.brightness))


class Unprojected(Kriging):
    """Kriging as it is before consistency."""

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Krige every pixel and leave it.

        Args:
            scene: The scene, with its observation.
            generator: Source of the landmarks.

        Returns:
            The estimate, consistent with neither image.
        """
        observation = scene.check().observation
        assert observation is not None
        samples = Samples.of(scene, observation.spatial)
        chosen = self.chosen(samples, generator)

        def predict(part: Samples) -> tuple[torch.Tensor, torch.Tensor, KrigingSystem]:
            estimate = estimator(part, part.landmarks(self.landmarks, generator), 0.0, 0)
            found = chosen.estimate(lambda kernel: estimate(kernel, None))
            return found.spectra, found.variance, found.system

        spectra = krige_windows(samples, predict).spectra
        Z = spectra.T.reshape(1, -1, *scene.X.shape[-2:]).to(scene.Y)
        return Fusion(mask_output(Z, output_mask(scene)))


class WithKernel(Kriging):
    """Kriging by another kernel, from the starting points of its own constants.

    Args:
        kernel: The kernel.
    """

    def __init__(self, kernel: type[SpectralKernel]) -> None:
        super().__init__(std=False)
        self.kernel = kernel()

    def chosen(self, samples: Samples, generator: torch.Generator, sigma_y: float = 0.0) -> Chosen:
        """Return as many kernels as the guide asks for, all of this kind."""
        self.starts = tuple(replace(start, kernel=self.kernel) for start in starting_points(int(samples.X.shape[1])))
        return super().chosen(samples, generator, sigma_y)


def _tuned_only() -> Fuser:
    fuser = Kriging(std=False)
    fuser.starts = COLOURED
    return fuser


VARIANTS: Mapping[str, Callable[[], Fuser]] = {
    FULL: partial(Kriging, std=False),
    "without colour": partial(WithKernel, WithoutColour),
    "without brightness": partial(WithKernel, WithoutBrightness),
    "without place": partial(WithKernel, WithoutPlace),
    "without 'everywhere'": partial(WithKernel, WithoutEverywhere),
    "without linear": partial(WithKernel, WithoutLinear),
    "without mixing noise": partial(WithKernel, WithoutMixing),
    "without n n'": partial(WithKernel, WithoutScaling),
    "without tuning": partial(Kriging, tune=False, std=False),
    "tuned constants alone": _tuned_only,
    "between points": partial(make_fuser, "kriging-point", std=False),
    "without projection": partial(Unprojected, std=False),
    "regression-projected": partial(make_fuser, "regression-projected"),
}


class KrigingAblation:
    """Each variant of kriging on each scene, the constants tuned anew."""

    name = "kriging-ablation"
    summary = (
        "Kriging with each of its terms left out in turn; x4 on remote sensing scenes, x32 on training scenes of CAVE"
    )

    def __init__(
        self, scenes: Sequence[SmallScene] = SCENES, variants: Mapping[str, Callable[[], Fuser]] = VARIANTS
    ) -> None:
        self.scenes, self.variants = scenes, variants

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every variant on every scene."""
        for scene in self.scenes:
            yield from fusion_trials((scene.label,), partial(_scene, scene, data, seed), self.variants, seed)

    def report(self, rows: Rows) -> str:
        """Return RMSE, and its ratio to that of the whole method."""
        scenes = [scene.label for scene in self.scenes]
        lines = []
        for variant in self.variants:
            cells = [variant]
            for scene in scenes:
                row, whole = rows[scene, variant], rows[scene, FULL]
                cells.append(f"{1e4 * row.rmse:.1f} ({row.rmse / whole.rmse:.2f}), {row.sam_deg:.2f}°")
            lines.append(cells)
        return "RMSE in 1e-4 of the peak (over that of the whole method), SAM.\n\n" + markdown_table(
            ["variant", *scenes], lines
        )


def _scene(scene: SmallScene, data: PathLike | None, seed: int) -> Scene:
    cube, observation = scene.load(data)
    return simulate_scene(cube, observation, seed=seed, name=scene.label)
