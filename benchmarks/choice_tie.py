"""How far the comparison on the degraded pair may be off, and how far apart methods may be that `auto` calls equal.

Training scenes of four sets, whole and parts of them, so that 64 to 1024 pixels of the degraded Y judge, at x3 and x4
with guides of four and eight bands: clean, with noise of 30 dB in both images, and with Y displaced by two fine
pixels, where the methods that are best otherwise are not. A method's *deceit* is the logarithm of what the degraded
pair says its error is over that of another method, less the same of their RMSE on the pair itself. Residual mode was
trained on scenes of these sets; kriging was not.

Usage: python -m benchmarks.choice_tie [ROWS.jsonl]     # rows that are in the file are not computed anew
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from hsrdiff.choice import candidates, choose
from hsrdiff.datasets import Dataset, make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.experiments.conditions import Truth, clean, displaced, noise
from hsrdiff.fusers.base import require_observation
from hsrdiff.observation import Scene, pair_noise
from hsrdiff.rng import generator

# data set, scenes, sensors, factors, HR sides of the parts (None: the whole)
CASES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[int, ...], tuple[tuple[int, int] | None, ...]], ...] = (
    ("aviris-la", ("abu-airport-1", "abu-airport-3"), ("gaussian4", "gaussian8"), (3, 4), (None, (72, 64))),
    ("enmap-potsdam", ("A", "C"), ("gaussian4", "gaussian8"), (3, 4), (None, (64, 64))),
    ("indian-pines", ("west",), ("gaussian4", "gaussian8"), (3, 4), (None, (72, 64))),
    ("cave", ("beads", "cloth"), ("gaussian4", "gaussian8"), (4,), ((128, 128), (256, 256))),
    ("cave", ("beads", "cloth"), ("gaussian4",), (4,), (None,)),
)
METHODS = ("hsr-diff-residual", "kriging", "regression-projected", "regression")
CONDITIONS = {"clean": clean, "30 dB": noise(30.0, 30.0, told=False), "Y displaced": displaced(0.5)}
WIDTHS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, math.inf)  # of the tie
PIXELS = (64, 100, 200, 500, 2000)  # groups of pairs
HELD = [(METHODS[i], METHODS[k]) for i, k in ((0, 2), (1, 2), (0, 3))]  # methods against each other


@dataclass(frozen=True)
class Compared:
    """One pair: pixels of the degraded Y, and each method's error there and on the pair itself, the preferred first."""

    pair: str
    condition: str
    pixels: int
    errors: dict[str, tuple[float, float]]

    def taken(self, width: float) -> str:
        """The method that a tie of this width takes."""
        least = min(degraded for degraded, _ in self.errors.values())
        return next(name for name, (degraded, _) in self.errors.items() if degraded <= (1 + width) * least)

    def cost(self, name: str) -> float:
        """RMSE of a method over that of the best."""
        return self.errors[name][1] / min(rmse for _, rmse in self.errors.values())


def scenes() -> Iterator[tuple[str, str, Callable[[], Scene]]]:
    """What a pair is called, the condition, and what makes the pair."""
    for name, names, sensors, factors, sides in CASES:
        for sensor in sensors:
            for factor in factors:
                dataset = make_dataset(name, factor=factor, sensor=sensor)
                for scene in names:
                    for side in sides:
                        for condition in CONDITIONS:
                            label = f"{name}, {scene}, {sensor}, x{factor}, {side or 'whole'}"
                            yield label, condition, lambda d=dataset, s=scene, a=side, c=condition: pair(d, s, a, c)


def pair(dataset: Dataset, scene: str, side: tuple[int, int] | None, condition: str) -> Scene:
    """The part of a scene under a condition, its noise estimated as `fuse` does."""
    given = dataset_scene(dataset, scene, seed=0)
    assert given.Z is not None
    Z = given.Z.double()
    height, width = side or tuple(int(n) for n in Z.shape[-2:])
    Z = Z[..., :height, :width]
    Z = Z[..., Z.isfinite().flatten(0, 2).all(dim=0)]
    factor = given.factor
    Z = Z[..., : Z.shape[-2] // factor * factor, : Z.shape[-1] // factor * factor].contiguous()
    truth = Truth(Z, require_observation(given, "choice_tie"), math.nan, 0, scene)
    made = CONDITIONS[condition](truth)
    if condition == "clean":
        return made
    levels = pair_noise(made)
    return replace(made, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y)


def compared(label: str, condition: str, scene: Scene) -> Compared | None:
    """Every one of METHODS on the degraded pair and on the pair itself."""
    methods = {name: make for name, make in candidates().items() if name in METHODS}
    choice = choose(scene, methods, seed=0)
    if len(choice.errors) < len(methods):
        return None
    assert scene.Z is not None
    found = {}
    for name, make in methods.items():
        Z_hat = make().fuse(replace(scene, Z=None), generator=generator(0, "choice_tie", name)).Z_hat
        found[name] = (dict(choice.errors)[name], float((Z_hat - scene.Z).square().mean().sqrt()))
    return Compared(label, condition, choice.pixels, found)


def rows(kept: Path | None) -> Iterator[Compared]:
    """Every pair, from the file where it is there."""
    known = {}
    if kept is not None and kept.exists():
        for line in kept.read_text().splitlines():
            row = json.loads(line)
            known[row["pair"], row["condition"]] = row
    for label, condition, make in scenes():
        row = known.get((label, condition))
        if row is None:
            one = compared(label, condition, make())
            row = {"pair": label, "condition": condition} | ({} if one is None else vars(one))
            if kept is not None:
                with kept.open("a") as file:
                    file.write(json.dumps(row) + "\n")
        if "errors" in row:
            yield Compared(
                row["pair"], row["condition"], row["pixels"], {k: tuple(v) for k, v in row["errors"].items()}
            )


def deceit(one: Compared, first: str, second: str) -> float:
    """What the degraded pair says of the first over the second, over what is true, as a logarithm."""
    said, true = (one.errors[first][k] / one.errors[second][k] for k in (0, 1))
    return math.log(said / true)


def deceits(found: list[Compared]) -> str:
    """The table of deceits by methods, condition and number of pixels."""
    lines = []
    for first, second in HELD:
        for condition in CONDITIONS:
            for low, high in pairwise(PIXELS):
                group = [one for one in found if low <= one.pixels < high and one.condition == condition]
                if group:
                    d = [deceit(one, first, second) for one in group]
                    root = math.sqrt(fmean(x * x for x in d))
                    n = fmean(one.pixels for one in group)
                    names = [f"{first} over {second}", condition, f"{n:.0f}", str(len(d))]
                    lines.append([*names, f"{fmean(d):+.3f}", f"{root:.3f}"])
    titles = ["methods", "condition", "pixels, mean", "pairs", "mean", "root mean square"]
    return markdown_table(titles, lines, left=2)


def costs(found: list[Compared]) -> str:
    """The table of what each width of the tie costs: mean and worst."""
    lines = []
    for condition in (*CONDITIONS, "all"):
        group = [one for one in found if condition in (one.condition, "all")]
        columns = [[one.cost(one.taken(width)) for one in group] for width in WIDTHS]
        lines.append([condition, str(len(group)), *(f"{fmean(c):.3f}, {max(c):.3f}" for c in columns)])
    return markdown_table(
        ["condition", "pairs", *("any" if width == math.inf else f"{100 * width:g} %" for width in WIDTHS)], lines
    )


def main() -> None:
    """Print how far the degraded pair was off, and what each width of the tie costs."""
    found = list(rows(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
    print(deceits(found))
    print(costs(found))


if __name__ == "__main__":
    main()
