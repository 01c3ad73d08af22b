"""Does the standard deviation of kriging say how large its errors are? Training scenes only.

Usage: python -m benchmarks.coverage
"""

from __future__ import annotations

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.fusers import make_fuser
from hsrdiff.rng import generator

PAIRS = (
    ("aviris-la", "abu-airport-1", 4),
    ("aviris-la", "abu-airport-2", 8),
    ("enmap-potsdam", "A", 4),
    ("indian-pines", "west", 4),
    ("cave", "flowers", 8),
    ("cave", "flowers", 32),
    ("cave", "balloons", 32),
)
GUIDE = "gaussian4"  # CAVE keeps its own


def main() -> None:
    print("| scene | method | RMS error over RMS deviation | within one | within two |")
    print("|---|---|---:|---:|---:|")
    for name, scene, factor in PAIRS:
        dataset = make_dataset(name, factor=factor, sensor=None if name == "cave" else GUIDE)
        pair = dataset_scene(dataset, scene, seed=0)
        for method in ("kriging", "kriging-learned"):
            fusion = make_fuser(method).fuse(pair, generator=generator(0, "coverage"))
            assert fusion.std is not None
            assert pair.Z is not None
            error, deviation = (fusion.Z_hat - pair.Z).double(), fusion.std.double()
            known = torch.isfinite(error) & torch.isfinite(deviation) & (deviation > 0)
            error, deviation = error[known].abs(), deviation[known]
            ratio = float((error.square().mean() / deviation.square().mean()).sqrt())
            shares = [100 * float((error < k * deviation).double().mean()) for k in (1, 2)]
            print(
                f"| {scene}, x{factor} | {method} | {ratio:.2f} | {shares[0]:.0f} % | {shares[1]:.1f} % |", flush=True
            )


if __name__ == "__main__":
    main()
