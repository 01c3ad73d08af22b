"""Is a network for any sensors better on sensors it never saw, if it trains longer, or is asked more than once?

The recipe `any-without-aviris` over the shipped kernel; RMSE over that of the registered base, so of what the network
alone adds, on training scenes of AVIRIS over Los Angeles and on Jasper Ridge, guides of four Gaussians. Scenes of a
test split are not looked at. A run goes on where it was stopped.

Usage: python -m benchmarks.unseen_training FOLDER
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers.residual import HsrDiffResidual
from hsrdiff.rng import generator
from hsrdiff.training.residual import run_residual_recipe

RECIPE, GUIDE, FACTORS = "any-without-aviris", "gaussian4", (4, 8)
# column -> folder of its run, what differs from the recipe, and views that are averaged
WAYS: dict[str, tuple[str, dict[str, str], int]] = {
    "1200 steps": ("short", {"training.steps": "1200"}, 1),
    "the recipe, 3600 steps": ("recipe", {}, 1),
    "8 views": ("recipe", {}, 8),
}
SCENES = ("aviris-la", "jasper-ridge")


def main(folder: Path) -> None:
    fusers = {}
    for title, (name, changed, views) in WAYS.items():
        run = folder / name
        overrides = {"base": "kriging-learned", **changed}
        trained = run_residual_recipe(RECIPE, run, overrides=overrides, pairs=folder / "pairs", threads=1)
        fusers[title] = HsrDiffResidual(weights=trained.weights, views=views)
    lines = []
    for name in SCENES:
        for factor in FACTORS:
            dataset = make_dataset(name, factor=factor, sensor=GUIDE)
            for scene in dataset.scenes("train") or dataset.scenes("test"):
                pair = dataset_scene(dataset, scene, seed=0)
                assert pair.Z is not None
                first = next(iter(fusers.values()))
                evidence = first.gather(replace(pair, Z=None), generator=generator(0, "unseen", scene))
                ratios = []
                for fuser in fusers.values():
                    Z_hat = fuser.sample(evidence, generator=generator(0, "unseen", scene)).Z_hat
                    known = torch.isfinite(Z_hat) & torch.isfinite(pair.Z)
                    squares = [
                        float((Z.double() - pair.Z.double())[known].square().mean()) for Z in (Z_hat, evidence.base)
                    ]
                    ratios.append(f"{(squares[0] / squares[1]) ** 0.5:.3f}")
                lines.append([scene, f"x{factor}", *ratios])
                print(lines[-1], flush=True)
    print(markdown_table(["scene", "factor", *WAYS], lines, left=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
