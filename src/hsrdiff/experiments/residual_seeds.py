"""How far residual mode depends on the seed of its training: three of them on CAVE at x32, over one base."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import fmean, stdev

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene, mean_row
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.cave_x32 import BASE, OURS, WEIGHTS
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import make_fuser
from hsrdiff.typing import PathLike

SEEDS = (0, 1, 2)


class ResidualSeeds:
    """The shipped weights, which are of seed 0, and those of two other seeds; all draw the same landmarks."""

    name = "residual-seeds"
    summary = "Three seeds of the training of residual mode on CAVE at x32, the twelve test scenes"
    takes: frozenset[str] = frozenset()

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield the base and every seed on every test scene."""
        made = {BASE: partial(make_fuser, BASE, std=False), _title(0): partial(make_fuser, OURS, weights=WEIGHTS)}
        digests = {}
        for own in SEEDS[1:]:
            trained = workshop.weights(WEIGHTS, f"{WEIGHTS}-seed{own}", {"training.seed": str(own)})
            made[_title(own)] = partial(make_fuser, OURS, weights=trained.path)
            digests[_title(own)] = trained.digest
        dataset = make_dataset("cave", data=data)
        for scene in dataset.scenes("test"):
            yield from fusion_trials(
                (scene,),
                partial(dataset_scene, dataset, scene, seed=seed),
                made,
                seed,
                paired=True,
                made_of=digests,
            )

    def report(self, rows: Rows) -> str:
        """Return the means of each seed, their spread, and the error over that of the base, paired over scenes."""
        scenes = list(dict.fromkeys(scene for scene, _ in rows))
        lines, means = [], []
        for method in (BASE, *map(_title, SEEDS)):
            mean = mean_row([rows[scene, method] for scene in scenes])
            ratios = [rows[scene, method].rmse / rows[scene, BASE].rmse for scene in scenes]
            if method != BASE:
                means.append((mean.psnr_db, mean.ssim, mean.sam_deg, mean.ergas, fmean(ratios)))
            lines.append(
                [
                    method,
                    f"{mean.psnr_db:.2f}",
                    f"{mean.ssim:.4f}",
                    f"{mean.sam_deg:.2f}",
                    f"{mean.ergas:.3f}",
                    f"{fmean(ratios):.3f}",
                    f"{max(ratios):.3f}",
                ]
            )
        columns = list(zip(*means, strict=True))
        digits = (2, 4, 2, 3, 3)
        spread = [f"{fmean(c):.{d}f} ± {stdev(c):.{d}f}" for c, d in zip(columns, digits, strict=True)]
        lines.append([f"mean of {len(SEEDS)} seeds ± their standard deviation", *spread, ""])
        titles = ["method", "PSNR dB", "SSIM", "SAM °", "ERGAS", "RMSE over the base's", "worst scene"]
        return markdown_table(titles, lines)


def _title(seed: int) -> str:
    return f"{OURS}, seed {seed}"
