"""Which method to take for a pair too small for a comparison: parts of scenes with few coarse pixels.

Parts of training scenes of three sets, and of two scenes that no shipped weights saw, at x4 and x8 with guides of four
and eight bands, without noise and with 30 dB in both images (levels estimated): RMSE over that of kriging.

Usage: python -m benchmarks.small_pairs
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean

from hsrdiff.choice import candidates
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.experiments.conditions import Truth, clean, noise
from hsrdiff.fusers.base import require_observation
from hsrdiff.observation import pair_noise
from hsrdiff.rng import generator

SETS = {
    "training scenes": {
        "aviris-la": ("abu-airport-1", "abu-airport-3"),
        "enmap-potsdam": ("A", "C"),
        "cave": ("beads", "cloth"),
    },
    "never seen": {"jasper-ridge": ("jasper-ridge",), "samson": ("samson",)},
}
SIDES = (4, 7, 10)  # coarse pixels
CONDITIONS = {"clean": clean, "30 dB": noise(30.0, 30.0, told=False)}
METHODS = ("hsr-diff-residual", "kriging-learned", "kriging", "regression-projected", "regression")


def ratios(name: str, scene: str, factor: int, bands: int, side: int, condition: str) -> dict[str, float]:
    """RMSE of each method over that of kriging on the upper left part of a scene."""
    whole = dataset_scene(make_dataset(name, factor=factor, sensor=f"gaussian{bands}"), scene, seed=0)
    assert whole.Z is not None
    Z = whole.Z[..., : side * factor, : side * factor].double().contiguous()
    made = CONDITIONS[condition](Truth(Z, require_observation(whole, "small_pairs"), math.nan, 0, scene))
    if condition != "clean":
        levels = pair_noise(made)
        made = replace(made, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y)
    makers, found = candidates(), {}
    for method in METHODS:
        Z_hat = makers[method]().fuse(replace(made, Z=None), generator=generator(0, "small_pairs")).Z_hat
        found[method] = float((Z_hat - Z).square().mean().sqrt())
    return {method: rmse / found["kriging"] for method, rmse in found.items()}


def main() -> None:
    """Print geometric mean and worst for each group of scenes, condition and number of coarse pixels."""
    lines = []
    for group, sets in SETS.items():
        for condition in CONDITIONS:
            for side in SIDES:
                rows = [
                    ratios(name, scene, factor, bands, side, condition)
                    for name, scenes in sets.items()
                    for scene in scenes
                    for factor in (4, 8)
                    for bands in (4, 8)
                ]
                cells = [[row[method] for row in rows] for method in METHODS]
                told = [f"{math.exp(fmean(map(math.log, c))):.3f}, {max(c):.3f}" for c in cells]
                lines.append([group, condition, str(side**2), str(len(rows)), *told])
    print(markdown_table(["scenes", "condition", "coarse pixels", "pairs", *METHODS], lines, left=2))


if __name__ == "__main__":
    main()
