"""Seconds of residual mode on a pair of CAVE's size beyond its base, and the memory of both.

Usage: python -m benchmarks.beyond_base
"""

from __future__ import annotations

import resource
import statistics
import time
from pathlib import Path

import torch

from benchmarks.residual import BANDS, made_up
from hsrdiff.fusers.residual import HsrDiffResidual
from hsrdiff.observation import SpatialResponse
from hsrdiff.rng import generator

WEIGHTS, SIDE, ROUNDS = "cave-x32-residual", 512, 3


def peak_mib() -> float:
    """Highest resident memory since this program began; by getrusage that of the one that started it counts too."""
    status = Path("/proc/self/status")
    if status.exists() and "VmHWM:" in (text := status.read_text()):
        return int(text.split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@torch.no_grad()
def main() -> None:
    scene = made_up(BANDS, SIDE, 3, SpatialResponse.cave_x32())
    before = peak_mib()
    evidence, based = None, []
    for precision in ("float32", "bfloat16"):
        fuser = HsrDiffResidual(weights=WEIGHTS, precision=precision)
        sampled = []
        for _ in range(ROUNDS):
            if precision == "float32":  # the base is the same for both
                begin = time.perf_counter()
                evidence = fuser.gather(scene, generator=generator(0))
                based.append(time.perf_counter() - begin)
            assert evidence is not None
            begin = time.perf_counter()
            fuser.sample(evidence, generator=generator(0))
            sampled.append(time.perf_counter() - begin)
        print(
            f"residual mode, {SIDE}x{SIDE}x{BANDS}, factor 32, {precision}: base {statistics.median(based):.1f} s, "
            f"beyond it {statistics.median(sampled):.2f} s ({min(sampled):.2f} to {max(sampled):.2f})"
        )
        if precision == "float32":
            print(f"peak memory of both {peak_mib():.0f} MiB, of which {before:.0f} before")


if __name__ == "__main__":
    main()
