"""How often the method chosen on the degraded pair is the best on the pair itself, and what a wrong choice costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from statistics import fmean, median

from hsrdiff.choice import AUTO, candidates, choose
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import Row
from hsrdiff.experiments.base import LR_PIXELS, Rows, Trial, fusion_trials, markdown_table, scene_digest
from hsrdiff.experiments.kriging_scenes import SETS
from hsrdiff.experiments.middles import middle_scene
from hsrdiff.fusers import Fuser
from hsrdiff.observation import Scene, add_noise, pair_noise
from hsrdiff.rng import generator
from hsrdiff.typing import PathLike

# at factor 8 no pair of these scenes leaves enough pixels for a comparison
FACTORS = (4, 3)
GUIDES = ("gaussian4", "gaussian8")
# a choice that costs no more than this is not called wrong: the difference is none to a user
SAME = 1.01


@dataclass(frozen=True)
class _Case:
    """What came of one pair."""

    scene: tuple[str, ...]
    chosen: str
    winner: str  # of the comparison, before equals are taken in their order
    best: str
    cost: float
    compared: bool
    ratios: Mapping[str, float]


class AutoChoice:
    """All scenes of five data sets at two factors with four and eight bands, every method at both resolutions.

    Args:
        sets: Data sets.
        factors: H / h.
        guides: Of X; None for the data set's own.
        methods: Those to compare; all candidates when None.
        snr_db: Signal-to-noise ratios of both images, dB; without noise when empty. Levels are estimated on the pair.
        side: HR pixels along the square in the middle that is fused; None for whole scenes.
        name: Name in the catalog.
        summary: One line for a list.
    """

    def __init__(
        self,
        sets: Sequence[str] = SETS,
        factors: Sequence[int] = FACTORS,
        guides: Sequence[str | None] = GUIDES,
        methods: Sequence[str] | None = None,
        snr_db: Sequence[float] = (),
        side: int | None = None,
        name: str = "auto-choice",
        summary: str = "The method chosen on the degraded pair against the best on the pair itself, small real scenes",
    ) -> None:
        self.sets, self.factors, self.guides, self.methods = sets, factors, guides, methods
        self.snr_db, self.side, self.name, self.summary = snr_db, side, name, summary

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every method on every pair, then the choice."""
        fusers = {name: make for name, make in candidates().items() if self.methods is None or name in self.methods}
        for factor in self.factors:
            for name in self.sets:
                for guide in self.guides:
                    dataset = make_dataset(name, data=data, factor=factor, sensor=guide)
                    for scene in (*dataset.scenes("train"), *dataset.scenes("test")):
                        make = partial(middle_scene, dataset, scene, self.side, seed)
                        for kind, made in self._kinds(make, scene, seed):
                            labels = (name, scene, f"x{factor}", f"{guide or 'own'}{kind}")
                            yield from fusion_trials(labels, made, fusers, seed)
                            yield _choice_trial(labels, made, fusers, seed)

    def _noise(self) -> str:
        """Say what noise there is."""
        return f"white noise of {', '.join(f'{s:g}' for s in self.snr_db)} dB in both" if self.snr_db else "no noise"

    def _kinds(self, make: Callable[[], Scene], name: str, seed: int) -> Iterator[tuple[str, Callable[[], Scene]]]:
        """Yield what is done to a scene, in words, and what makes it."""
        if not self.snr_db:
            yield "", cache(make)
        for snr_db in self.snr_db:
            yield f", {snr_db:g} dB", cache(partial(_noisy, make, snr_db, name, seed))

    def report(self, rows: Rows) -> str:
        """Return how often the choice was the best by data set and factor, and every choice that was not."""
        cases = [_case(labels[:-1], rows) for labels in rows if labels[-1] == AUTO]
        names = list(cases[0].ratios)
        groups = {
            **{s: [c for c in cases if c.scene[0] == s] for s in self.sets},
            **{f"x{f}": [c for c in cases if c.scene[2] == f"x{f}"] for f in self.factors},
            **{f"{s:g} dB": [c for c in cases if c.scene[3].endswith(f", {s:g} dB")] for s in self.snr_db},
            "nothing compared": [c for c in cases if not c.compared],
            "all": cases,
        }
        titles = [
            "pairs",
            "number",
            "winner is best",
            "winner's mean cost",
            "best chosen",
            f"within {SAME}",
            "median cost",
            "mean cost",
            "worst cost",
        ]
        titles += [f"always {name}" for name in names]
        lines = []
        for title, group in groups.items():
            if group:
                costs = [c.cost for c in group]
                lines.append(
                    [
                        title,
                        str(len(group)),
                        str(sum(c.winner == c.best for c in group)),
                        f"{fmean(c.ratios[c.winner] for c in group):.3f}",
                        str(sum(c.chosen == c.best for c in group)),
                        str(sum(cost <= SAME for cost in costs)),
                        *(f"{f(costs):.3f}" for f in (median, fmean, max)),
                        *(f"{fmean(c.ratios[name] for c in group):.3f}" for name in names),
                    ]
                )
        wrong = sorted((c for c in cases if c.cost > SAME), key=lambda c: -c.cost)
        listed = [
            [*c.scene, c.chosen if c.compared else f"{c.chosen} (nothing compared)", c.best, f"{c.cost:.3f}"]
            for c in wrong
        ]
        return (
            f"Gaussian PSF as wide at half maximum as the factor, {self._noise()}. "
            "Cost is the RMSE of a method over that of the best, at full resolution. The winner is the method with the "
            "least error on the degraded pair; of those equal to it the preferred is chosen. The last columns are "
            "what a method costs in the mean when it is always used.\n\n"
            f"{markdown_table(titles, lines)}\n"
            f"## Choices that cost more than {SAME}\n\n"
            f"{markdown_table(['data set', 'scene', 'factor', 'guide', 'chosen', 'best', 'cost'], listed, left=6)}"
        )


def _noisy(make: Callable[[], Scene], snr_db: float, name: str, seed: int) -> Scene:
    """Add white noise of one ratio to both images, and estimate its levels as `fuse` does."""
    scene = make()
    X, _ = add_noise(scene.X, snr_db, generator(seed, "noise", name, "X"))
    Y, _ = add_noise(scene.Y, snr_db, generator(seed, "noise", name, "Y"))
    scene = replace(scene, X=X, Y=Y)
    levels = pair_noise(scene)
    return replace(scene, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y)


def _choice_trial(
    labels: tuple[str, ...], make: Callable[[], Scene], fusers: Mapping[str, Callable[[], Fuser]], seed: int
) -> Trial:
    """Return the trial whose row has the chosen method, its error on the degraded pair as the only score."""

    def run() -> Row:
        scene = make()
        choice = choose(scene, fusers, seed=seed)
        errors = dict(choice.errors)
        valid = scene.Y[0, 0].numel() if scene.valid_lr is None else int(scene.valid_lr.sum())
        nan = math.nan
        return Row(
            choice.method,
            ", ".join(labels),
            scene.factor,
            nan,
            nan,
            nan,
            nan,
            nan,
            convention="error on the degraded pair, geometric mean over bands of the relative RMSE",
            notes={
                LR_PIXELS: str(valid),
                **{f"degraded {name}": f"{error:.6g}" for name, error in errors.items()},
                "remarks": "; ".join((f"by {choice.factor}", f"{choice.pixels} pixels", *choice.remarks)),
            },
        )

    return Trial((*labels, AUTO), lambda: scene_digest(make()), run)


def _case(scene: tuple[str, ...], rows: Rows) -> _Case:
    """Hold the choice against the RMSE of every method at full resolution."""
    found = {labels[-1]: row.rmse for labels, row in rows.items() if labels[:-1] == scene and labels[-1] != AUTO}
    best = min(found, key=lambda name: found[name])
    ratios = {name: rmse / found[best] for name, rmse in found.items()}
    choice = rows[(*scene, AUTO)]
    degraded = {
        topic.removeprefix("degraded "): float(error)
        for topic, error in choice.notes.items()
        if topic.startswith("degraded ")
    }
    winner = min(degraded, key=lambda name: degraded[name], default=choice.method)
    return _Case(scene, choice.method, winner, best, ratios[choice.method], bool(degraded), ratios)
