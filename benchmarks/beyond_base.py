"""Seconds and memory of residual mode on a pair of CAVE's size, apart from its base, in a process of its own.

Usage: python -m benchmarks.beyond_base
"""

from __future__ import annotations

import resource
import statistics
import time

import torch

from benchmarks.residual import BANDS, made_up
from hsrdiff.fusers.residual import HsrDiffResidual
from hsrdiff.observation import SpatialResponse
from hsrdiff.rng import generator

WEIGHTS, SIDE, ROUNDS = "cave-x32-residual", 512, 3


def peak_mib() -> float:
    """Highest resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@torch.no_grad()
def main() -> None:
    scene = made_up(BANDS, SIDE, 3, SpatialResponse.cave_x32())
    before = peak_mib()
    print(f"residual mode, {SIDE}x{SIDE}x{BANDS}, factor 32; {before:.0f} MiB before")
    for precision in ("float32", "bfloat16"):
        fuser = HsrDiffResidual(weights=WEIGHTS, precision=precision)
        based, sampled = [], []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            evidence = fuser.gather(scene, generator=generator(0))
            middle = time.perf_counter()
            fuser.sample(evidence, generator=generator(0))
            based.append(middle - begin)
            sampled.append(time.perf_counter() - middle)
        print(
            f"{precision}: base {statistics.median(based):.1f} s, beyond it {statistics.median(sampled):.1f} s "
            f"({min(sampled):.1f} to {max(sampled):.1f}), peak {peak_mib():.0f} MiB"
        )


if __name__ == "__main__":
    main()
