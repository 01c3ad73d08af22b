"""Print every comparison; nothing is asserted, since a time is not a test."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
from collections.abc import Iterator

import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from benchmarks.residual import achieved, cost_ratios, residual_ratios, training_ratios
from benchmarks.timing import Ratio, compare
from hsrdiff.fusers.kriging.area import TILE
from hsrdiff.fusers.kriging.kernel import Sites, SpectralKernel
from hsrdiff.memory import keep_memory
from hsrdiff.networks import PRESETS, CDFormer
from hsrdiff.observation import SpatialResponse


def network_ratios() -> Iterator[Ratio]:
    torch.manual_seed(0)
    network = CDFormer(31, 3, PRESETS["small"]).eval()
    X, Y = torch.randn(1, 3, 128, 128), torch.randn(1, 31, 4, 4)
    Z, gamma = torch.randn(1, 31, 128, 128), torch.tensor([0.5])
    condition = network.encode(X, Y)

    def half() -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return network.denoise(condition, Z, gamma)

    yield compare(
        "one step, small, 128x128: SR stream run each time / remembered",
        lambda: network(X, Y, Z, gamma),
        lambda: network.denoise(condition, Z, gamma),
    )
    yield compare("one step, small, 128x128: float32 / bfloat16", lambda: network.denoise(condition, Z, gamma), half)
    large = torch.randn(1, 31, 256, 256)
    wide = network.encode(torch.randn(1, 3, 256, 256), torch.randn(1, 31, 8, 8))
    yield compare(
        "one step, small: 256x256 / 128x128 (4 if linear in pixels)",
        lambda: network.denoise(wide, large, gamma),
        lambda: network.denoise(condition, Z, gamma),
    )


def observation_ratios() -> Iterator[Ratio]:
    Z = torch.randn(1, 31, 512, 512)
    D = SpatialResponse.cave_x32()
    kernel = D.kernel.float()[None, None].expand(31, 1, -1, -1)
    yield compare(
        "Y = Z D, 512x512x31, factor 32: one 2-D convolution / two 1-D passes",
        lambda: F.conv2d(Z, kernel, stride=32, groups=31),
        lambda: D.apply(Z),
    )


def kriging_ratios() -> Iterator[Ratio]:
    """The kernel between 128 x 128 pixels and 1000 landmarks, as formula and as kriging computes it."""
    draw = torch.Generator().manual_seed(0)
    sites = Sites(torch.rand((128 * 128, 4), generator=draw), 32 * torch.rand((128 * 128, 2), generator=draw))
    kernel = SpectralKernel()
    P = kernel.coordinates(sites)
    C = P.at(slice(0, 1000))

    def formula() -> torch.Tensor:
        with torch.enable_grad():
            return kernel.matrix(P, C)

    def tiles() -> None:
        step = max(1, TILE // len(C))
        for start in range(0, len(P), step):
            kernel.matrix(P.at(slice(start, start + step)), C)

    yield compare("kriging, k of 16384 pixels and 1000 landmarks: formula / tiles, in place", formula, tiles)


def main() -> None:
    keep_memory()
    table = Table(title=f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for column in ("comparison", "first, ms", "second, ms", "ratio", "lowest … highest"):
        table.add_column(column, justify="left" if column == "comparison" else "right")
    with torch.no_grad():
        for r in (
            *network_ratios(),
            *residual_ratios(),
            *cost_ratios(),
            *training_ratios(),
            *observation_ratios(),
            *kriging_ratios(),
        ):
            span = f"{r.low:.2f} … {r.high:.2f}"
            table.add_row(r.title, f"{1e3 * r.slow_s:.1f}", f"{1e3 * r.fast_s:.1f}", f"{r.ratio:.2f}", span)
    console = Console(width=120)
    console.print(table)
    with torch.no_grad():
        console.print(achieved())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"peak memory of this process: {peak:.0f} MiB")
    # a process of its own, as what was taken once stays the peak
    subprocess.run([sys.executable, "-m", "benchmarks.beyond_base"], check=True)


if __name__ == "__main__":
    main()
