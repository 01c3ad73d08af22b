"""Residual HSR-Diff on sensor families that neither its network nor its base ever saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import Row
from hsrdiff.evaluation.noise_floor import noise_floor
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.middles import middle_scene
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import Fuser, make_fuser
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

PLAIN, LEARNED, OURS = "kriging", "kriging-learned", "hsr-diff-residual"
FACTORS, GUIDE = (4, 8), "gaussian4"
EXCUSED = 1.5  # kriging over the truth's noise: nearer to it, less is left to gain than can be seen
BOUND = 1.0
_FLOOR = "noise floor"


@dataclass(frozen=True)
class Family:
    """Sensors that are left out together.

    Attributes:
        name: What tables call it.
        kernel: Recipe of the base's kernel, trained without the family; empty for the shipped one.
        network: Recipe of the denoiser, likewise.
        scenes: Data set -> its scenes; empty means the training and test scenes all.
        side: HR pixels along the square in the middle that is fused; None for whole scenes.
    """

    name: str
    kernel: str
    network: str
    scenes: dict[str, tuple[str, ...]]
    side: int | None = None


FAMILIES = (
    Family(
        "aviris",
        "kriging-without-aviris",
        "any-without-aviris",
        {"aviris-la": (), "jasper-ridge": (), "indian-pines": ()},
    ),
    Family("enmap", "kriging-without-enmap", "any-without-enmap", {"enmap-potsdam": ()}),
    Family("samson", "", "any-residual", {"samson": ()}),
    Family("cave", "kriging-without-cave", "any-without-cave", {"cave": ()}, side=160),
)


class LeftOut:
    """Every scene of a family with weights that were trained without it; Samson is in no training."""

    name = "left-out"
    takes: frozenset[str] = frozenset()
    summary = "Residual HSR-Diff on sensor families that were left out of all training, guides of 4 bands, x4 and x8"

    def __init__(self, families: tuple[Family, ...] = FAMILIES, factors: tuple[int, ...] = FACTORS) -> None:
        self.families, self.factors = families, factors

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield every method on every scene; they draw the same landmarks."""
        for family in self.families:
            fusers, digests = _fusers(family, workshop)
            for name, chosen in family.scenes.items():
                for factor in self.factors:
                    dataset = make_dataset(name, data=data, factor=factor, sensor=GUIDE)
                    for scene in chosen or (*dataset.scenes("train"), *dataset.scenes("test")):
                        labels = (family.name, name, scene, f"x{factor}")
                        make = partial(middle_scene, dataset, scene, family.side, seed)
                        trials = fusion_trials(labels, make, fusers, seed, paired=True, made_of=digests)
                        yield from (_with_floor(trial, make) for trial in trials)

    def report(self, rows: Rows) -> str:
        """Return by scene the error over plain kriging's, and how far that is above the noise of the truth."""
        scenes = list(dict.fromkeys(labels[:-1] for labels in rows))
        lines, counted = [], {}
        for scene in scenes:
            plain = rows[(*scene, PLAIN)].rmse
            floor = float(rows[(*scene, PLAIN)].notes[_FLOOR])
            above = plain / floor if floor else float("inf")
            ratio = rows[(*scene, OURS)].rmse / plain
            excused = above < EXCUSED
            if not excused:
                counted[scene] = ratio
            lines.append(
                [
                    *scene,
                    f"{1e4 * plain:.1f}",
                    f"{above:.2f}{' (excused)' if excused else ''}",
                    f"{rows[(*scene, LEARNED)].rmse / plain:.3f}",
                    f"{ratio:.3f}",
                ]
            )
        titles = [
            "left out",
            "data set",
            "scene",
            "factor",
            "kriging, RMSE 1e-4",
            "over its noise floor",
            LEARNED,
            OURS,
        ]
        text = f"RMSE over that of `{PLAIN}`.\n\n{markdown_table(titles, lines, left=4)}"
        for factor in (f"x{f}" for f in self.factors):
            found = {scene: ratio for scene, ratio in counted.items() if scene[3] == factor}
            if found:
                worse = [f"{scene[2]} {ratio:.3f}" for scene, ratio in found.items() if ratio > BOUND]
                text += (
                    f"\n{factor}, {len(found)} scenes not excused: median {median(found.values()):.3f}, worst "
                    f"{max(found.values()):.3f}, {len(worse)} above 1{': ' if worse else ''}{', '.join(worse)}.\n"
                )
        return text


def _fusers(family: Family, workshop: Workshop) -> tuple[dict[str, Callable[[], Fuser]], dict[str, str]]:
    """Return the three methods with the family's weights, trained where there are none yet, and their digests."""
    plain: dict[str, Callable[[], Fuser]] = {PLAIN: partial(make_fuser, PLAIN, std=False)}
    if not family.kernel:
        learned = partial(make_fuser, LEARNED, std=False)
        return {**plain, LEARNED: learned, OURS: partial(make_fuser, OURS, weights=family.network)}, {}
    kernel = workshop.weights(family.kernel)
    network = workshop.weights(family.network, overrides={"base": str(kernel.path)})
    learned = partial(make_fuser, LEARNED, weights=kernel.path, std=False)
    ours = partial(make_fuser, OURS, weights=network.path, base=kernel.path)
    return {**plain, LEARNED: learned, OURS: ours}, {LEARNED: kernel.digest, OURS: kernel.digest + network.digest}


def _with_floor(trial: Trial, make: Callable[[], Scene]) -> Trial:
    """Add the noise of the truth to the row of plain kriging, beside which it is shown."""
    if trial.labels[-1] != PLAIN:
        return trial

    def run() -> Row:
        row = trial.run()
        scene = make()
        floor = 0.0 if scene.Z is None else noise_floor(scene.Z, scene.valid)
        return replace(row, notes=row.notes | {_FLOOR: repr(floor)})

    return replace(trial, run=run)
