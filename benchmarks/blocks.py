"""What blocks cost: the error of scenes fused in blocks over that of the same scenes fused as a whole.

Whole training scenes of CAVE at x4, in four blocks of 256 x 256 fine pixels: RMSE everywhere, where blocks fade into
each other and elsewhere, and what both images see of the results.

Usage: python -m benchmarks.blocks [METHOD ...]
"""

from __future__ import annotations

import sys

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers import make_fuser
from hsrdiff.fusers.base import require_observation
from hsrdiff.fusers.blocks import HALO, Blocks, fuse_blocks
from hsrdiff.rng import generator

FACTOR, SIDE = 4, 256


def fading(blocks: Blocks, size: tuple[int, int]) -> torch.Tensor:
    """Where two blocks count, bool (H, W)."""
    zone = torch.zeros(size, dtype=torch.bool)
    for axis, spans in ((0, blocks.rows), (1, blocks.columns)):
        for span in spans[1:]:
            at = (span.own[0] - HALO) * FACTOR
            zone.narrow(axis, at, 2 * HALO * FACTOR)[...] = True
    return zone


def main() -> None:
    """Print a line for each scene and method."""
    lines = []
    dataset = make_dataset("cave", factor=FACTOR)
    for method in sys.argv[1:] or ["hsr-diff-residual", "regression-projected"]:
        for name in dataset.scenes("train")[:: len(dataset.scenes("train")) // 4][:4]:
            scene = dataset_scene(dataset, name)
            assert scene.Z is not None
            fuser, blocks = make_fuser(method), Blocks.of(scene, SIDE)
            whole = fuser.fuse(scene, generator=generator(0, "blocks")).Z_hat
            cut = fuse_blocks(fuser, scene, blocks, generator=generator(0, "blocks")).Z_hat
            zone = fading(blocks, (scene.X.shape[-2], scene.X.shape[-1]))
            errors = [(Z.double() - scene.Z.double()).square().mean(dim=(0, 1)) for Z in (cut, whole)]
            ratios = [
                float((errors[0][at].mean() / errors[1][at].mean()).sqrt())
                for at in (torch.ones_like(zone), zone, ~zone)
            ]
            observation = require_observation(scene, "blocks")
            _, apart = observation.residuals(cut.double(), scene.X.double(), scene.Y.double())
            level = float(scene.Y.double().square().mean().sqrt())
            lines.append([method, name, *(f"{ratio:.3f}" for ratio in ratios), f"{apart / level:.1e}"])
            print(lines[-1], file=sys.stderr, flush=True)
    titles = ["method", "scene", "everywhere", "where blocks fade", "elsewhere", "Z D against Y, relative"]
    print(markdown_table(titles, lines, left=2))


if __name__ == "__main__":
    main()
