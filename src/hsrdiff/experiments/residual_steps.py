"""What further steps, other samplers and other starts buy: one trained network on the validation scenes of CAVE."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene, mean_row
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.fusers import Fuser, Fusion
from hsrdiff.fusers.residual import Evidence, HsrDiffResidual
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

STEPS = (2, 3, 5, 10, 25)
SAMPLERS = ("ddim", "multistep", "ancestral-posterior")
# where each starts and with how many steps
STARTS: dict[float, tuple[int, ...]] = {1e-3: (*STEPS, 100), 0.1: STEPS, 0.5: STEPS}
DRAWS = 8
WEIGHTS = "cave-x32-residual-16"
BASE, ONE = "base", "1 step"
SPREAD, WITHIN = "error over spread", "within"  # notes of a row that has several draws


class _Base:
    """The base as it stands in the evidence."""

    def __init__(self, fuser: HsrDiffResidual) -> None:
        self.name, self.needs, self.gather = BASE, fuser.needs, fuser.gather

    def sample(self, evidence: Evidence, *, generator: torch.Generator) -> Fusion:
        return Fusion(evidence.base.to(evidence.scene.Y))


class _Shared:
    """A way to sample that takes the evidence from the way before it, where that was of the same scene."""

    kept: ClassVar[list[Evidence]] = []

    def __init__(self, inner: HsrDiffResidual | _Base) -> None:
        self.name, self.needs, self.inner = inner.name, inner.needs, inner

    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        # the scene itself is another object each time, as its truth is taken away for each way
        if not self.kept or self.kept[0].scene.X is not scene.X:
            self.kept[:] = [self.inner.gather(scene, generator=generator)]
        return self.inner.sample(self.kept[0], generator=generator)


def variants(weights: PathLike = WEIGHTS) -> Mapping[str, Callable[[], Fuser]]:
    """Return the ways to sample.

    Args:
        weights: Of the residual denoiser.

    Returns:
        Name -> makes the method; the first makes the evidence that the others share.
    """

    def way(**options: Any) -> Callable[[], Fuser]:
        return lambda: _Shared(HsrDiffResidual(weights=weights, precision="bfloat16", **options))

    found: dict[str, Callable[[], Fuser]] = {
        BASE: lambda: _Shared(_Base(HsrDiffResidual(weights=weights))),
        ONE: way(),
        "1 step, 8 views": way(views=8),
    }
    for sampler in SAMPLERS:
        for start, lengths in STARTS.items():
            for steps in lengths:
                named = f"{steps} steps, {sampler}, from {start:g}"
                found[named] = way(steps=steps, sampler=sampler, start=start)
    for steps in (5, 25):
        named = f"mean of {DRAWS} draws of {steps} steps, ancestral-posterior, from 0.001"
        found[named] = way(steps=steps, sampler="ancestral-posterior", start=1e-3, samples=DRAWS)
    return found


def spread(name: str, fusion: Fusion, scene: Scene) -> Mapping[str, str]:
    """Return how far the spread of several draws says how large the errors of their mean are.

    Args:
        name: Of the way, not used.
        fusion: Its result.
        scene: The scene with its truth.

    Returns:
        The root mean square error over that of the deviation to expect of a mean of `DRAWS` draws, which is
        ``sqrt(1 + 1 / DRAWS)`` times that of one draw, 1 for a calibrated sampler; and the shares in per cent of errors
        within one and two such deviations. Nothing where the result has no deviation.
    """
    if fusion.std is None or scene.Z is None:
        return {}
    error = (fusion.Z_hat - scene.Z).double().abs()
    deviation = math.sqrt(1 + 1 / DRAWS) * fusion.std.double()
    known = torch.isfinite(error) & torch.isfinite(deviation)
    error, deviation = error[known], deviation[known]
    ratio = float((error.square().mean() / deviation.square().mean()).sqrt())
    shares = (100 * float((error <= k * deviation).double().mean()) for k in (1, 2))
    return {SPREAD: repr(ratio), WITHIN: " ".join(f"{share:.1f}" for share in shares)}


class ResidualSteps:
    """Every way to sample on validation scenes, with the network that was trained on the other sixteen."""

    name = "residual-steps"
    summary = "Steps, samplers and starts of residual HSR-Diff on validation scenes of CAVE at x32, one network"

    def __init__(
        self,
        make: Callable[[], Mapping[str, Callable[[], Fuser]]] = variants,
        scenes: int = 2,
    ) -> None:
        self.make, self.scenes = make, scenes

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every way on every scene."""
        made = self.make()
        dataset = make_dataset("cave", data=data, factor=32)
        for scene in dataset.scenes("validation")[: self.scenes]:
            yield from fusion_trials(
                (scene,), partial(dataset_scene, dataset, scene, seed=seed), made, seed, paired=True, keep=spread
            )

    def report(self, rows: Rows) -> str:
        """Return mean scores of each way, and its error over the base's."""
        scenes = list(dict.fromkeys(scene for scene, _ in rows))
        lines = []
        base = mean_row([rows[scene, BASE] for scene in scenes])
        for name in dict.fromkeys(name for _, name in rows):
            mean = mean_row([rows[scene, name] for scene in scenes])
            scores = (f"{mean.psnr_db:.2f}", f"{mean.sam_deg:.3f}", f"{mean.ergas:.4f}", f"{1e4 * mean.rmse:.2f}")
            lines.append([name, *scores, f"{mean.rmse / base.rmse:.3f}", f"{mean.seconds:.1f}"])
        titles = ["way", "PSNR dB", "SAM °", "ERGAS", "RMSE, 1e-4", "RMSE over the base's", "s"]
        return "\n".join([markdown_table(titles, lines), *self._spreads(rows)])

    def _spreads(self, rows: Rows) -> Iterator[str]:
        """The spread of several draws, by scene."""
        lines = [
            [name, scene, f"{float(row.notes[SPREAD]):.2f}", *(f"{part} %" for part in row.notes[WITHIN].split())]
            for (scene, name), row in rows.items()
            if SPREAD in row.notes
        ]
        if lines:
            titles = ["spread", "scene", "RMS error over RMS deviation", "within one", "within two"]
            yield markdown_table(titles, lines, left=2)
