"""Kriging with the constants chosen on the scene, with the shipped ones, and with the mean of both estimates.

On training scenes, for guides of four and eight bands and CAVE's own of three, which takes no mean; RMSE over that with
the constants of the scene, with the same draws of landmarks and samples.

Usage: python -m benchmarks.averaging
"""

from __future__ import annotations

import math

import torch

from benchmarks.stacking import rmse
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers.kriging import Kriging
from hsrdiff.fusers.kriging.start import COLOURED, MULTISPECTRAL, Start
from hsrdiff.observation import Scene
from hsrdiff.rng import generator

CASES: tuple[tuple[str, int, str | None, int], ...] = (
    ("aviris-la", 4, "gaussian4", 1),
    ("aviris-la", 8, "gaussian4", 1),
    ("aviris-la", 4, "gaussian8", 1),
    ("aviris-la", 8, "gaussian8", 1),
    ("enmap-potsdam", 4, "gaussian4", 1),
    ("enmap-potsdam", 8, "gaussian4", 1),
    ("enmap-potsdam", 4, "gaussian8", 1),
    ("enmap-potsdam", 8, "gaussian8", 1),
    ("cave", 32, None, 5),
)
SHIPPED = MULTISPECTRAL[1:]


def error(scene: Scene, starts: tuple[Start, ...]) -> float:
    """RMSE of kriging from these starts."""
    assert scene.Z is not None
    fuser = Kriging(std=False)
    fuser.starts = starts
    return rmse(fuser.fuse(scene, generator=generator(0, "averaging")).Z_hat, scene.Z)


@torch.no_grad()
def main() -> None:
    """Print a line for each scene, and the geometric means of each guide."""
    lines, found = [], {}
    for name, factor, sensor, every in CASES:
        dataset = make_dataset(name, factor=factor, sensor=sensor)
        for scene in dataset.scenes("train")[::every]:
            pair = dataset_scene(dataset, scene, seed=0)
            tuned, shipped, mean = (error(pair, starts) for starts in (COLOURED, SHIPPED, MULTISPECTRAL))
            ratios = (shipped / tuned, mean / tuned)
            found.setdefault(pair.msi_bands, []).append(ratios)
            lines.append([f"{name}, {scene}, x{factor}", str(pair.msi_bands), *(f"{ratio:.3f}" for ratio in ratios)])
    for bands, ratios in sorted(found.items()):
        means = (math.exp(sum(map(math.log, column)) / len(ratios)) for column in zip(*ratios, strict=True))
        lines.append([f"mean of {len(ratios)}", str(bands), *(f"{mean:.3f}" for mean in means)])
    print(markdown_table(["pair", "guide bands", "shipped constants", "mean of both"], lines, left=1))


if __name__ == "__main__":
    main()
