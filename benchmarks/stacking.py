"""Which share the learned kernel should have of kriging-learned on sensors it never saw, and which two rules give it.

FOLDER is the folder ``weights`` that ``hsrdiff reproduce left-out`` leaves. RMSE over that of the plain kernel, both
from the same landmarks.

Usage: python -m benchmarks.stacking FOLDER
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers.base import require_observation
from hsrdiff.fusers.kriging import KrigingLearned, learned
from hsrdiff.fusers.kriging.finish import agree
from hsrdiff.fusers.kriging.windows import Kriged
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
GUIDES = (4, 8)  # bands; CAVE keeps its own
SHARES = (0.25, 0.5, 1.0)
NEVER = 10**6  # guide bands that no guide has


def told(notes: dict[str, str]) -> float:
    """The share that a fusion says it used."""
    return float(notes["kernel"].split("; ")[1].split(" ")[0]) / 100


def rmse(Z_hat: torch.Tensor, Z: torch.Tensor) -> float:
    """Over all bands and pixels that are known in both."""
    error = (Z_hat - Z).double()
    return float(error[torch.isfinite(error)].square().mean().sqrt())


def kriged(weights: Path, scene: Scene, fewest: int) -> tuple[Kriged, float]:
    """The estimate with the kernels' difference behind it, and the share by left-out bands from `fewest` bands on."""
    own = learned.FEWEST
    learned.FEWEST = fewest  # type: ignore[attr-defined]
    try:
        fuser = KrigingLearned(weights=weights, std=False)
        found, notes = fuser.krige(scene, generator=generator(0, "stacking"), apart=True)
    finally:
        learned.FEWEST = own  # type: ignore[attr-defined]
    return found, told(notes)


def measured(weights: Path, scene: Scene) -> list[float]:
    """The share by leave-one-out, that by left-out guide bands, and the RMSE with both and with SHARES over the plain
    kernel's."""
    Z = scene.Z
    assert Z is not None
    (found, by_samples), (_, by_bands) = kriged(weights, scene, NEVER), kriged(weights, scene, 2)
    both, apart = found.spectra.chunk(2, dim=1)
    observation = require_observation(scene, "stacking")

    def with_share(w: float) -> float:
        # both = share first + (1 - share) second, apart = second - first
        spectra = both + (by_samples - w) * apart
        return rmse(agree(scene, observation, replace(found, spectra=spectra))[0], Z)

    plain = with_share(0.0)
    return [by_samples, by_bands, *(with_share(w) / plain for w in (by_samples, by_bands, *SHARES))]


def main() -> None:
    folder = Path(sys.argv[1])
    lines = []
    for kernel, sets in LEFT_OUT.items():
        weights = folder / kernel / f"{kernel}.safetensors"
        for name, scenes in sets.items():
            own = name == "cave"
            for factor, bands in [(32, 3)] if own else itertools.product((4, 8), GUIDES):
                dataset = make_dataset(name, factor=factor, sensor=None if own else f"gaussian{bands}")
                for scene in scenes:
                    found = measured(weights, dataset_scene(dataset, scene, seed=0))
                    cells = [kernel.rsplit("-", 1)[1], f"{scene}, x{factor}", str(bands)]
                    cells += [f"{each:.2f}" for each in found[:2]]
                    lines.append([*cells, *(f"{each:.3f}" for each in found[2:])])
                    print(*lines[-1], file=sys.stderr, flush=True)
    titles = [
        *("left out", "pair", "guide bands", "share by leave-one-out", "by left-out bands"),
        *("RMSE with the one", "with the other", *(f"with {s:g}" for s in SHARES)),
    ]
    print(markdown_table(titles, lines, left=2))


if __name__ == "__main__":
    main()
