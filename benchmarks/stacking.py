"""Which share the learned kernel should have of kriging-learned on sensors it never saw, and which it is given.

FOLDER is the folder ``weights`` that ``hsrdiff reproduce left-out`` leaves. RMSE over that of the plain kernel, both
from the same landmarks.

Usage: python -m benchmarks.stacking FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers.kriging import KrigingLearned, learned
from hsrdiff.fusers.kriging.stacking import Estimate, average, stack
from hsrdiff.observation import Scene
from hsrdiff.rng import generator

LEFT_OUT = {
    "kriging-without-aviris": {
        "aviris-la": ("abu-airport-1", "abu-airport-2", "abu-airport-3", "abu-urban-4", "abu-urban-5"),
        "jasper-ridge": ("jasper-ridge",),
        "indian-pines": ("west", "southeast", "northeast"),
        "samson": ("samson",),
    },
    "kriging-without-enmap": {"enmap-potsdam": ("A", "B", "C")},
    "kriging-without-cave": {"cave": ("beads", "cloth", "balloons", "face")},  # training scenes
}
GUIDE = "gaussian4"  # CAVE keeps its own
SHARES = (0.25, 0.5, 1.0)


def share_given(weights: Path, scene: Scene, share: float | None, told: list[float]) -> torch.Tensor:
    """Fuse with a share of the learned kernel, or with that of leave-one-out, which is told."""

    def stacked(
        first: Estimate, second: Estimate, spread: torch.Tensor, hidden: torch.Tensor
    ) -> tuple[Estimate, float]:
        both, w = stack(first, second, spread, hidden)
        told.append(w)
        return (both, w) if share is None else (average(first, second, share), share)

    own = learned.stack
    learned.stack = stacked  # type: ignore[attr-defined]
    try:
        fuser = KrigingLearned(weights=weights, std=False)
        return fuser.fuse(scene, generator=generator(0, "stacking")).Z_hat
    finally:
        learned.stack = own  # type: ignore[attr-defined]


def main() -> None:
    folder = Path(sys.argv[1])
    lines = []
    for kernel, sets in LEFT_OUT.items():
        weights = folder / kernel / f"{kernel}.safetensors"
        for name, scenes in sets.items():
            for factor in (32,) if name == "cave" else (4, 8):
                dataset = make_dataset(name, factor=factor, sensor=None if name == "cave" else GUIDE)
                for scene in scenes:
                    pair = dataset_scene(dataset, scene, seed=0)
                    told: list[float] = []
                    found = []
                    for share in (0.0, None, *SHARES):
                        Z_hat = share_given(weights, pair, share, told)
                        assert pair.Z is not None
                        error = (Z_hat - pair.Z).double()
                        found.append(float(error[torch.isfinite(error)].square().mean().sqrt()))
                    plain, *others = found
                    cells = [f"{kernel.rsplit('-', 1)[1]}", f"{scene}, x{factor}", f"{told[0]:.2f}"]
                    lines.append([*cells, *(f"{each / plain:.3f}" for each in others)])
                    print(*lines[-1], file=sys.stderr, flush=True)
    titles = ["left out", "pair", "share by leave-one-out", "RMSE with it", *(f"with {s:g}" for s in SHARES)]
    print(markdown_table(titles, lines, left=2))


if __name__ == "__main__":
    main()
