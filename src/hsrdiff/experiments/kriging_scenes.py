"""Kriging against regression on every small real scene: the scores, and the bounds that kriging is to keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import fmean, median

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import Row, dataset_scene
from hsrdiff.experiments.base import LR_PIXELS, Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.methods import WITH_LEARNED, methods
from hsrdiff.typing import PathLike

SETS = ("aviris-la", "jasper-ridge", "samson", "enmap-potsdam", "indian-pines")
FACTORS = (3, 4, 8)
GUIDES = ("gaussian1", "gaussian4", "gaussian8")
SHOWN_FACTORS, SHOWN_GUIDES = (4, 8), ("gaussian4", "gaussian8")
# which RMSE over which must not be above the bound, on scenes of at least so many LR pixels
RATIOS = (("kriging", "regression-projected"), ("kriging-learned", "kriging"))
BOUND, LEAST_PIXELS = 1.01, 64


class KrigingScenes:
    """All scenes of five data sets at three factors with one, four and eight bands."""

    name = "kriging-scenes"
    summary = (
        "Kriging and regression on small real scenes: five data sets, factors 3, 4 and 8, guides of 1, 4 and 8 bands"
    )

    def __init__(
        self,
        sets: Sequence[str] = SETS,
        factors: Sequence[int] = FACTORS,
        guides: Sequence[str] = GUIDES,
        methods: Sequence[str] = WITH_LEARNED,
        ratios: Sequence[tuple[str, str]] = RATIOS,
        *,
        paired: bool = False,
    ) -> None:
        self.sets, self.factors, self.guides, self.methods = sets, factors, guides, methods
        self.ratios, self.paired = ratios, paired

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every method on every scene, factor and guide."""
        fusers = methods(self.methods)
        for name in self.sets:
            for factor in self.factors:
                for guide in self.guides:
                    dataset = make_dataset(name, data=data, factor=factor, sensor=guide)
                    for scene in (*dataset.scenes("train"), *dataset.scenes("test")):
                        make = partial(dataset_scene, dataset, scene, seed=seed)
                        labels = (name, scene, f"x{factor}", guide)
                        yield from fusion_trials(labels, make, fusers, seed, paired=self.paired)

    def report(self, rows: Rows) -> str:
        """Return mean scores by data set, and by scene the ratio of each kriging to what it must not be behind."""
        parts = [
            "Gaussian PSF as wide at half maximum as the factor, guides of Gaussians over the band axis, no noise. "
            "RMSE in 1e-4 of the peak; means over the scenes of a set.\n"
        ]
        for factor in (f"x{f}" for f in self.factors if f in SHOWN_FACTORS):
            for guide in (g for g in self.guides if g in SHOWN_GUIDES):
                lines = []
                for name in self.sets:
                    for method in self.methods:
                        found = [
                            r for k, r in rows.items() if (k[0], k[2], k[3], k[4]) == (name, factor, guide, method)
                        ]
                        lines.append([name, method, *_scores(found)])
                titles = ["data set", "method", "PSNR dB", "SSIM", "SAM °", "ERGAS", "RMSE"]
                parts.append(f"## {factor}, {guide}\n\n" + markdown_table(titles, lines, left=2))
        parts += [
            f"## RMSE of {over} over that of {under}\n\n{_ratios(rows, over, under)}"
            for over, under in self.ratios
            if {over, under} <= set(self.methods)
        ]
        return "\n".join(parts)


def _scores(rows: Sequence[Row]) -> list[str]:
    """Mean scores as cells."""
    return [
        f"{fmean(r.psnr_db for r in rows):.2f}",
        f"{fmean(r.ssim for r in rows):.4f}",
        f"{fmean(r.sam_deg for r in rows):.2f}",
        f"{fmean(r.ergas for r in rows):.3f}",
        f"{1e4 * fmean(r.rmse for r in rows):.1f}",
    ]


def _ratios(rows: Rows, over: str, under: str) -> str:
    """Lay out one ratio by scene and case, with its median and what is above the bound."""
    cases = list(dict.fromkeys((k[2], k[3]) for k in rows))
    scenes = list(dict.fromkeys((k[0], k[1]) for k in rows))
    ratios = {}
    for scene in scenes:
        for case in cases:
            ratios[scene, case] = rows[(*scene, *case, over)].rmse / rows[(*scene, *case, under)].rmse
    titles = ["data set", "scene", *(f"{factor} {guide}" for factor, guide in cases)]
    lines = [[*scene, *(f"{ratios[scene, case]:.3f}" for case in cases)] for scene in scenes]
    counted = {
        (*scene, *case): ratio
        for (scene, case), ratio in ratios.items()
        if int(rows[(*scene, *case, over)].notes[LR_PIXELS]) >= LEAST_PIXELS
    }
    worst = max(counted, key=lambda labels: counted[labels])
    above = [f"{', '.join(labels)}: {ratio:.3f}" for labels, ratio in counted.items() if ratio > BOUND]
    return (
        f"{markdown_table(titles, lines, left=2)}\nOf {len(counted)} cases with at least {LEAST_PIXELS} LR pixels: "
        f"median {median(counted.values()):.3f}, worst {counted[worst]:.3f} ({', '.join(worst)}), "
        f"{len(above)} above {BOUND}{': ' if above else ''}{'; '.join(above)}.\n"
    )
