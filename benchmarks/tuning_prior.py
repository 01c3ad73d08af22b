"""How far the scene may move the constants of the kernel: kriging's error against the weight of its prior.

On training scenes, for guides of 1, 4 and 8 bands and CAVE's own; ratios to the shipped weight, with the same draws.
One kernel from the shipped constants, with one band too, where `kriging` takes two under a prior of their own.

Usage: python -m benchmarks.tuning_prior
"""

from __future__ import annotations

from math import exp, log
from statistics import fmean

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.fusers.kriging import Kriging, tuning
from hsrdiff.fusers.kriging.start import COLOURED
from hsrdiff.rng import generator

WEIGHTS = (0.03, 0.1, 0.3, 1.0, 100.0)
CASES: tuple[tuple[str, int, str | None, int], ...] = (
    ("cave", 32, None, 3),
    ("cave", 8, None, 4),
    ("aviris-la", 4, "gaussian4", 1),
    ("aviris-la", 8, "gaussian4", 1),
    ("enmap-potsdam", 4, "gaussian4", 1),
    ("enmap-potsdam", 8, "gaussian4", 1),
    ("aviris-la", 4, "gaussian8", 1),
    ("enmap-potsdam", 4, "gaussian8", 1),
    ("aviris-la", 4, "gaussian1", 1),
    ("enmap-potsdam", 4, "gaussian1", 1),
)
MOST_SCENES = 6


def errors(name: str, factor: int, sensor: str | None, scene: str) -> list[float]:
    """RMSE of one scene for each weight."""
    dataset = make_dataset(name, factor=factor, sensor=sensor)
    given = dataset_scene(dataset, scene, seed=0)
    assert given.Z is not None
    found = []
    for weight in WEIGHTS:
        tuning.PRIOR = weight
        fuser = Kriging(std=False)
        fuser.starts = COLOURED
        Z_hat = fuser.fuse(given, generator=generator(0, "x")).Z_hat
        valid = torch.isfinite(given.Z) & torch.isfinite(Z_hat)
        found.append(float((Z_hat - given.Z)[valid].double().square().mean().sqrt()))
    return found


def main() -> None:
    """Print one line for each data set, factor and guide."""
    shipped = tuning.PRIOR
    at = WEIGHTS.index(shipped)
    print("| data set | guide | scenes | " + " | ".join(f"{weight:g}" for weight in WEIGHTS) + " |")
    print("|---|---|---:|" + "---:|" * len(WEIGHTS))
    for name, factor, sensor, every in CASES:
        scenes = make_dataset(name, factor=factor, sensor=sensor).scenes("train")[::every][:MOST_SCENES]
        rows = [errors(name, factor, sensor, scene) for scene in scenes]
        ratios = [exp(fmean(log(row[k] / row[at]) for row in rows)) for k in range(len(WEIGHTS))]
        print(
            f"| {name} x{factor} | {sensor or 'own'} | {len(rows)} | " + " | ".join(f"{r:.3f}" for r in ratios) + " |"
        )
    tuning.PRIOR = shipped


if __name__ == "__main__":
    main()
