"""What the constants as shipped should count for beside those chosen on the scene, by guide bands and coarse pixels.

On training scenes of two sensor families, whole and two crops each of 72 and 144 coarse pixels, without noise. Both
estimates come from the same draws and are consistent with both images; every share's error follows from theirs, as
the projection is affine. Over the scene's constants alone: RMSE, and the geometric mean over bands of RMSE, in which
every band counts alike, the nearly exact ones too; geometric mean over the pairs, and the worst pair.

Usage: python -m benchmarks.averaging
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers.base import require_observation
from hsrdiff.fusers.kriging import Kriging
from hsrdiff.fusers.kriging.start import COLOURED, MULTISPECTRAL, Start, second_share
from hsrdiff.observation import Scene
from hsrdiff.rng import generator

SCENES = {"aviris-la": ("abu-airport-1", "abu-airport-2", "abu-airport-3"), "enmap-potsdam": ("A", "C")}
GUIDES = (4, 6, 8)
FACTORS = (4, 8)
CROPS = ((8, 9), (12, 12))  # LR pixels
SHIPPED = MULTISPECTRAL[1:]
SHARES: dict[str, Callable[[int, int], float]] = {
    "shipped alone": lambda b, n: 1.0,
    "1/2": lambda b, n: 0.5,
    "2/b": lambda b, n: 2 / b,
    "(1/2) N / (N + 50)": lambda b, n: 0.5 * n / (n + 50),
    "(2/b) N / (N + 50)": second_share,  # what is used
}


@dataclass(frozen=True)
class Measured:
    """Mean squares and products of two errors, each shape (B,)."""

    bands: int
    pixels: int
    tuned: torch.Tensor
    shipped: torch.Tensor
    product: torch.Tensor

    def ratios(self, w: float) -> tuple[float, float]:
        """RMSE and its geometric mean over bands with the share w of the shipped, over those without."""
        mixed = w * w * self.shipped + (1 - w) ** 2 * self.tuned + 2 * w * (1 - w) * self.product
        apart = (mixed.clamp_min(0) + 1e-30).log() - (self.tuned + 1e-30).log()
        return math.sqrt(float(mixed.sum() / self.tuned.sum())), math.exp(float(apart.mean()) / 2)


def pairs(bands: int) -> Iterator[Scene]:
    """Whole scenes, and crops of their truth observed anew."""
    for name, scenes in SCENES.items():
        for factor in FACTORS:
            dataset = make_dataset(name, factor=factor, sensor=f"gaussian{bands}")
            for scene in scenes:
                whole = dataset_scene(dataset, scene, seed=0)
                yield whole
                assert whole.Z is not None
                height, width = (int(side) // factor for side in whole.Z.shape[-2:])
                for h, w in CROPS:
                    corners = {(0, 0), (height - h, width - w)} if h < height or w < width else set()
                    for top, left in sorted(corners):
                        yield crop(whole, slice(top, top + h), slice(left, left + w))


def crop(scene: Scene, rows: slice, columns: slice) -> Scene:
    """The pair of a part of the truth, in LR pixels."""
    observation, s = require_observation(scene, "averaging"), scene.factor
    assert scene.Z is not None
    Z = scene.Z[..., rows.start * s : rows.stop * s, columns.start * s : columns.stop * s].contiguous()
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y, Z=Z, observation=observation)


def error(scene: Scene, starts: tuple[Start, ...]) -> torch.Tensor:
    """Error of kriging from these starts, shape (B, pixels)."""
    assert scene.Z is not None
    fuser = Kriging(std=False)
    fuser.starts = starts
    return (fuser.fuse(scene, generator=generator(0, "averaging")).Z_hat - scene.Z).double()[0].flatten(1)


@torch.no_grad()
def measured(scene: Scene) -> Measured:
    """Both errors of one pair."""
    tuned, shipped = error(scene, COLOURED), error(scene, SHIPPED)
    lr_pixels = scene.Y[0, 0].numel()
    return Measured(
        scene.msi_bands,
        lr_pixels,
        tuned.square().mean(dim=1),
        shipped.square().mean(dim=1),
        (tuned * shipped).mean(dim=1),
    )


def kind(pixels: int) -> str:
    """What a pair is called by its coarse pixels."""
    return {h * w: str(h * w) for h, w in CROPS}.get(pixels, "whole scenes")


def summary(found: list[Measured], share: Callable[[int, int], float]) -> str:
    """Means and worst of both measures over some pairs."""
    columns = list(zip(*(one.ratios(share(one.bands, one.pixels)) for one in found), strict=True))
    mean = [math.exp(sum(map(math.log, column)) / len(column)) for column in columns]
    return ", ".join(f"{m:.3f} ({max(column):.3f})" for m, column in zip(mean, columns, strict=True))


def main() -> None:
    """Print a line for each guide and size, RMSE and geometric mean over bands with each share."""
    everything = [measured(scene) for bands in GUIDES for scene in pairs(bands)]
    groups: dict[tuple[str, str], list[Measured]] = {}
    for one in everything:
        groups.setdefault((str(one.bands), kind(one.pixels)), []).append(one)
        groups.setdefault(("all", "all"), []).append(one)
    lines = [
        [bands, size, str(len(found)), *(summary(found, share) for share in SHARES.values())]
        for (bands, size), found in sorted(groups.items())
    ]
    print(markdown_table(["guide bands", "coarse pixels", "pairs", *SHARES], lines, left=2))


if __name__ == "__main__":
    main()
