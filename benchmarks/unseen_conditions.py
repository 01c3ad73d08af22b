"""Does a network for any sensors hold at factors and noise levels that it was not trained at, on sensors it never saw?

RMSE over that of the registered base, that of the kernel named, so of what the network alone adds, geometric mean and
worst scene, for a family that kernel and weights must not have seen: the training scenes of all AVIRIS sets and Jasper
Ridge, or the four validation scenes of CAVE. Guides of four Gaussians; white noise of so many dB in both images, told
to the methods. With the first weights also: the network's answer times the share that would have been best on the
degraded pair, from 0 to 1, where that pair has 64 pixels in every scene. Scenes of a test split are not looked at
where there are others. Last, over all pairs that can be degraded: what the network alone does, its share, and the
network or the base, whichever has less error on the degraded pair.

Usage: python -m benchmarks.unseen_conditions aviris|cave KERNEL WEIGHTS.safetensors ...
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import torch

from hsrdiff.choice import degrade
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers.residual import HsrDiffResidual
from hsrdiff.observation import Scene, add_noise
from hsrdiff.rng import generator
from hsrdiff.typing import HRHSI

GUIDE = "gaussian4"
Condition = tuple[int, float | None]  # factor and signal-to-noise ratio, dB
# family -> data sets with their split, and conditions; Jasper Ridge has no split but "test" and is in no training
FAMILIES: dict[str, tuple[dict[str, str], tuple[Condition, ...]]] = {
    "aviris": (
        {"aviris-la": "train", "jasper-ridge": "test", "indian-pines": "train"},
        (*((factor, None) for factor in (2, 3, 4, 5, 6, 8)), (4, 40.0), (4, 30.0), (4, 20.0), (8, 30.0)),
    ),
    "cave": ({"cave": "validation"}, ((8, None), (16, None), (16, 30.0))),
}


class Products:
    """Squares and products of what the network adds, d, and of what the base leaves, e = Z - base."""

    def __init__(self, base: HRHSI, Z_hat: HRHSI, Z: HRHSI) -> None:
        d, e = (Z_hat - base).double(), (Z - base).double()
        known = torch.isfinite(d) & torch.isfinite(e)
        d, e = d[known], e[known]
        self.dd, self.de, self.ee = float(d @ d), float(d @ e), float(e @ e)

    @property
    def share(self) -> float:
        """Of d, that leaves the least error: from 0 to 1."""
        return min(1.0, max(0.0, self.de / self.dd)) if self.dd else 0.0

    def ratio(self, share: float = 1.0) -> float:
        """RMSE over the base's with a share of d."""
        return math.sqrt((self.ee - 2 * share * self.de + share**2 * self.dd) / self.ee)


def products(fuser: HsrDiffResidual, others: list[HsrDiffResidual], scene: Scene, Z: HRHSI) -> list[Products]:
    """Krige once, then ask every network."""
    evidence = fuser.gather(replace(scene, Z=None), generator=generator(0, "unseen", scene.name))
    answers = (f.sample(evidence, generator=generator(0, "unseen", scene.name)).Z_hat for f in (fuser, *others))
    return [Products(evidence.base, Z_hat, Z) for Z_hat in answers]


def noisy(scene: Scene, snr_db: float | None) -> Scene:
    """White noise in both images, told."""
    if snr_db is None:
        return scene
    X, sigma_x = add_noise(scene.X, snr_db, generator(0, "noise", scene.name, "X"))
    Y, sigma_y = add_noise(scene.Y, snr_db, generator(0, "noise", scene.name, "Y"))
    return replace(scene, X=X, Y=Y, sigma_x=sigma_x, sigma_y=sigma_y)


def mean_and_worst(ratios: Sequence[float]) -> str:
    """Geometric mean and largest."""
    return f"{math.exp(fmean(map(math.log, ratios))):.3f}, {max(ratios):.3f}"


def main(family: str, kernel: str, weights: list[str]) -> None:
    sets, conditions = FAMILIES[family]
    first, *others = (HsrDiffResidual(weights=path, base=kernel) for path in weights)
    lines = []
    guarded: list[tuple[float, float, float]] = []
    for factor, snr_db in conditions:
        for name, split in sets.items():
            dataset = make_dataset(name, factor=factor, sensor=GUIDE)
            found: list[list[float]] = []
            shared = []
            for title in dataset.scenes(split):
                pair = dataset_scene(dataset, title, seed=0)
                assert pair.Z is not None
                scene = noisy(pair, snr_db)
                each = products(first, others, scene, pair.Z)
                found.append([p.ratio() for p in each])
                if (degraded := degrade(scene)) is not None:
                    there = products(first, [], degraded.scene, degraded.truth)[0]
                    shared.append(each[0].ratio(there.share))
                    guarded.append((each[0].ratio(), shared[-1], each[0].ratio(float(there.ratio() < 1.0))))
            columns = [*zip(*found, strict=True), shared if len(shared) == len(found) else ()]
            cells = [mean_and_worst(c) if c else "" for c in columns]
            noise = "" if snr_db is None else f"{snr_db:g} dB"
            lines.append([f"x{factor}", noise, name, str(len(found)), *cells])
            print(lines[-1], flush=True)
    titles = ["factor", "noise", "data set", "scenes", *weights, "share of the degraded pair"]
    print(markdown_table(titles, lines, left=3))
    titles = ["pairs", "the network", "share of the degraded pair", "network or base"]
    print(markdown_table(titles, [[str(len(guarded)), *map(mean_and_worst, zip(*guarded, strict=True))]], left=0))


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] not in FAMILIES:
        sys.exit("expected a family (aviris or cave), a kernel and at least one file of weights")
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
