"""Kriging against regression on the test scenes of CAVE at three factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene, mean_row
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.methods import WITH_LEARNED, methods
from hsrdiff.typing import PathLike

FACTORS = (8, 16, 32)


class KrigingCave:
    """The twelve test scenes at x8 and x16 with a Gaussian PSF, at x32 with the kernel of the literature."""

    name = "kriging-cave"
    summary = (
        "Kriging and regression on the test scenes of CAVE: x8 and x16 with a Gaussian PSF, x32 with the exact kernel"
    )

    def __init__(
        self, factors: Sequence[int] = FACTORS, methods: Sequence[str] = WITH_LEARNED, split: str = "test"
    ) -> None:
        self.factors, self.methods, self.split = factors, methods, split

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every method on every scene and factor."""
        fusers = methods(self.methods)
        for factor in self.factors:
            dataset = make_dataset("cave", data=data, factor=factor)
            for scene in dataset.scenes(self.split):
                make = partial(dataset_scene, dataset, scene, seed=seed)
                yield from fusion_trials((f"x{factor}", scene), make, fusers, seed)

    def report(self, rows: Rows) -> str:
        """Return the mean of each method and factor, and PSNR scene by scene."""
        means = []
        for factor in dict.fromkeys(k[0] for k in rows):
            for method in self.methods:
                mean = mean_row([r for k, r in rows.items() if (k[0], k[2]) == (factor, method)])
                scores = (f"{mean.psnr_db:.2f}", f"{mean.ssim:.4f}", f"{mean.sam_deg:.2f}", f"{mean.ergas:.3f}")
                means.append([factor, method, *scores, f"{1e4 * mean.rmse:.1f}", f"{mean.seconds:.1f}"])
        titles = ["factor", "method", "PSNR dB", "SSIM", "SAM °", "ERGAS", "RMSE, 1e-4", "s a scene"]
        scenes = list(dict.fromkeys(k[1] for k in rows))
        cases = list(dict.fromkeys((k[0], k[2]) for k in rows if k[2] != "bicubic"))
        lines = [[scene, *(f"{rows[f, scene, m].psnr_db:.2f}" for f, m in cases)] for scene in scenes]
        return (
            markdown_table(titles, means, left=2)
            + "\n## PSNR by scene, dB\n\n"
            + markdown_table(["scene", *(f"{f} {m}" for f, m in cases)], lines)
        )
