"""What further steps, other samplers and other starts buy: one trained network on the validation scenes of CAVE."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene, mean_row
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.fusers import Fuser, make_fuser
from hsrdiff.typing import PathLike

STEPS = (2, 3, 5, 10, 25, 100)
SAMPLERS = ("ddim", "multistep", "ancestral-posterior")
STARTS = (1e-3, 0.1, 0.5)
# of the ways above these are run with 100 steps too
LONGEST = (("ddim", 1e-3), ("multistep", 1e-3), ("ancestral-posterior", 1e-3))
WEIGHTS = "cave-x32-residual-16"
BASE, ONE = "base", "1 step"


def variants(weights: PathLike = WEIGHTS) -> Mapping[str, Callable[[], Fuser]]:
    """Return the ways to sample.

    Args:
        weights: Of the residual denoiser.

    Returns:
        Name -> makes the method.
    """
    make = partial(make_fuser, "hsr-diff-residual", weights=weights)
    found: dict[str, Callable[[], Fuser]] = {BASE: partial(make_fuser, "kriging-learned", std=False), ONE: make}
    for sampler in SAMPLERS:
        for start in STARTS:
            for steps in STEPS:
                if steps < 100 or (sampler, start) in LONGEST:
                    name = f"{steps} steps, {sampler}, from {start:g}"
                    found[name] = partial(make, steps=steps, sampler=sampler, start=start)
    found["mean of 8, 5 steps, ancestral-posterior, from 0.001"] = partial(
        make, steps=5, sampler="ancestral-posterior", start=1e-3, samples=8
    )
    return found


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
                (scene,), partial(dataset_scene, dataset, scene, seed=seed), made, seed, paired=True
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
        return markdown_table(
            ["way", "PSNR dB", "SAM °", "ERGAS", "RMSE, 1e-4", "RMSE over the base's", "s a scene"], lines
        )
