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


def told(notes: dict[str, str]) -> float:
    """The share that a fusion says it used."""
    return float(notes["kernel"].split("; ")[1].split(" ")[0]) / 100


def rmse(Z_hat: torch.Tensor, Z: torch.Tensor) -> float:
    error = (Z_hat - Z).double()
    return float(error[torch.isfinite(error)].square().mean().sqrt())


def measured(weights: Path, scene: Scene) -> list[float]:
    """The share by leave-one-out, that by left-out guide bands, and the RMSE with both and with SHARES over the plain
    kernel's."""
    assert scene.Z is not None
    fuser, observation = KrigingLearned(weights=weights, std=False), require_observation(scene, "stacking")
    own = learned.share_at_pixels
    learned.share_at_pixels = lambda samples, estimates: None  # type: ignore[attr-defined]
    try:
        fused = fuser.fuse(scene, generator=generator(0, "stacking"))
    finally:
        learned.share_at_pixels = own  # type: ignore[attr-defined]
    kriged, notes = fuser.krige(scene, generator=generator(0, "stacking"), apart=True)
    share = told(notes)
    both, apart = kriged.spectra.chunk(2, dim=1)

    def with_share(w: float) -> float:
        # both = w first + (1 - w) second, apart = second - first
        return rmse(agree(scene, observation, replace(kriged, spectra=both + (share - w) * apart))[0], scene.Z)

    plain = with_share(0.0)
    errors = [rmse(fused.Z_hat, scene.Z), *(with_share(w) for w in (share, *SHARES))]
    return [told(fused.notes), share, *(error / plain for error in errors)]


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
