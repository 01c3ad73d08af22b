"""Whether what can be measured without truth ranks methods as their true errors do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from statistics import fmean

import numpy as np
from scipy import stats

from hsrdiff.choice import Degraded, candidates, degrade, reduced_scores
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import Row, dataset_scene, judge
from hsrdiff.experiments.base import Labels, Rows, Trial, fusion_trials, markdown_table
from hsrdiff.fusers import Fuser, Fusion
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

SETS = ("aviris-la", "samson", "jasper-ridge", "enmap-potsdam")
GUIDES = ("gaussian4", "gaussian8")
FACTOR = 4
# criterion -> whether more is better; decimals below which it cannot tell methods apart (rounding of float32)
CRITERIA = {
    "HQNR": True,
    "D_lambda": False,
    "D_s": False,
    "R Z - X": False,
    "Z D - Y": False,
    "reduced error": False,
    "reduced PSNR": True,
    "reduced SAM": False,
    "reduced ERGAS": False,
    "reduced Q2n": True,
}
DECIMALS = 6
# results that both images could come from: what they see of such a result says nothing of its error
CONSISTENT = ("regression-projected", "kriging", "kriging-learned", "hsr-diff-residual")


class QualityWithoutTruth:
    """Small real scenes at factor 4 with four and eight bands, every method judged with and without the truth."""

    name = "quality-without-truth"
    summary = "Methods ranked by HQNR and at reduced resolution against their ranking by true RMSE"

    def __init__(
        self, sets: Sequence[str] = SETS, guides: Sequence[str] = GUIDES, methods: Sequence[str] | None = None
    ) -> None:
        self.sets, self.guides, self.methods = sets, guides, methods

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every method on every test scene."""
        fusers = {name: make for name, make in candidates().items() if self.methods is None or name in self.methods}
        for name in self.sets:
            for guide in self.guides:
                dataset = make_dataset(name, data=data, factor=FACTOR, sensor=guide)
                for scene in dataset.scenes("test"):
                    make = cache(partial(dataset_scene, dataset, scene, seed=seed))
                    yield from _trials((name, scene, guide), make, fusers, seed)

    def report(self, rows: Rows) -> str:
        """Return the mean rank correlation of every criterion with the true RMSE, and each scene's numbers."""
        scenes = list(dict.fromkeys(labels[:-1] for labels in rows))
        found = {scene: {k[-1]: row for k, row in rows.items() if k[:-1] == scene} for scene in scenes}
        parts = [
            f"Factor {FACTOR}, Gaussian PSF as wide at half maximum as the factor, guides of Gaussians over the band "
            "axis, no noise. A rank correlation is 1 where a criterion ranks methods as the true RMSE does; a "
            "criterion that calls all equal has 0. Criteria are rounded to six decimals. Cost is the RMSE of the "
            "method that a criterion calls best over that of the best, the mean over those that it calls equally good."
            "\n",
            f"## All methods\n\n{_summary(found)}",
            f"## Only results consistent with both images\n\n{_summary(_only(found, CONSISTENT))}",
            f"## By scene\n\n{_by_scene(found)}",
            f"## Numbers\n\n{_numbers(found)}",
        ]
        return "\n".join(parts)


def _trials(
    labels: Labels, make: Callable[[], Scene], fusers: Mapping[str, Callable[[], Fuser]], seed: int
) -> Iterator[Trial]:
    """Yield a trial for each method, whose row has the criteria among its notes."""

    @cache
    def degraded() -> Degraded | None:
        return degrade(make())

    def judged(method: str, fusion: Fusion, scene: Scene) -> Mapping[str, str]:
        full, once_more = judge(fusion.Z_hat, scene), degraded()
        notes = {
            "HQNR": full.hqnr,
            "D_lambda": full.d_lambda,
            "D_s": full.d_s,
            "R Z - X": full.spectral.mean_relative_rmse,
            "Z D - Y": full.spatial.mean_relative_rmse,
        }
        if once_more is not None:
            reduced = reduced_scores(once_more, fusers[method](), seed=seed)
            notes |= {
                "reduced error": reduced.relative_error,
                "reduced PSNR": reduced.scores.psnr_db,
                "reduced SAM": reduced.scores.sam_deg,
                "reduced ERGAS": reduced.scores.ergas,
                "reduced Q2n": reduced.q2n,
            }
        return {topic: f"{value:.9g}" for topic, value in notes.items()}

    yield from fusion_trials(labels, make, fusers, seed, keep=judged)


Found = Mapping[Labels, Mapping[str, Row]]


def _only(found: Found, methods: Sequence[str]) -> Found:
    return {scene: {m: row for m, row in rows.items() if m in methods} for scene, rows in found.items()}


def _losses(rows: Mapping[str, Row], criterion: str) -> list[float]:
    """Return what a criterion says of each method, less being better; empty where it says nothing."""
    values = [float(row.notes.get(criterion, "nan")) for row in rows.values()]
    if any(math.isnan(value) for value in values):
        return []
    sign = -1.0 if CRITERIA[criterion] else 1.0
    return [sign * round(value, DECIMALS) for value in values]


def _agreement(rows: Mapping[str, Row], criterion: str) -> tuple[float, float, float] | None:
    """Return Spearman's and Kendall's correlation with the true RMSE, and the cost of the best by the criterion."""
    losses, errors = _losses(rows, criterion), [row.rmse for row in rows.values()]
    if not losses:
        return None
    cost = fmean(e for loss, e in zip(losses, errors, strict=True) if loss == min(losses)) / min(errors)
    if len(set(losses)) == 1:
        return 0.0, 0.0, cost
    return float(stats.spearmanr(losses, errors).statistic), float(stats.kendalltau(losses, errors).statistic), cost


def _summary(found: Found) -> str:
    lines = []
    for criterion in CRITERIA:
        known = [a for rows in found.values() if (a := _agreement(rows, criterion)) is not None]
        if known:
            spearman, kendall, costs = np.array(known).T
            lines.append(
                [
                    criterion,
                    str(len(known)),
                    f"{spearman.mean():.3f}",
                    f"{kendall.mean():.3f}",
                    f"{kendall.min():.3f}",
                    f"{costs.mean():.3f}",
                    f"{costs.max():.3f}",
                ]
            )
    titles = ["criterion", "pairs", "Spearman", "Kendall", "least Kendall", "mean cost", "worst cost"]
    return markdown_table(titles, lines)


def _by_scene(found: Found) -> str:
    shown = ("HQNR", "reduced error", "reduced Q2n")
    lines = []
    for scene, rows in found.items():
        cells = []
        for criterion in shown:
            agreement = _agreement(rows, criterion)
            cells += ["", ""] if agreement is None else [f"{value:.2f}" for value in agreement[:2]]
        lines.append([*scene, *cells])
    titles = ["data set", "scene", "guide", *(f"{c}: {k}" for c in shown for k in ("Spearman", "Kendall"))]
    return markdown_table(titles, lines, left=3)


def _numbers(found: Found) -> str:
    lines = [
        [
            *scene,
            method,
            f"{1e4 * row.rmse:.2f}",
            *(f"{float(row.notes.get(c, 'nan')):.5f}" for c in ("HQNR", "D_lambda", "D_s", "reduced error")),
        ]
        for scene, rows in found.items()
        for method, row in rows.items()
    ]
    titles = ["data set", "scene", "guide", "method", "RMSE 1e-4", "HQNR", "D_lambda", "D_s", "reduced error"]
    return markdown_table(titles, lines, left=4)
