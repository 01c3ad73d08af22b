"""How much of what kriging leaves on CAVE at x32 a lens explains: one multiple of each aberration for each band.

The multiples are fitted by least squares on the sixteen scenes of `fit` and tried on the four of `validation`.

Usage: python -m benchmarks.lens
"""

from __future__ import annotations

from statistics import fmean

import torch
from torch.nn import functional as F

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.residual.evidence import REACH, Evidence, hide, unseen
from hsrdiff.fusers.residual.registration import gradients
from hsrdiff.rng import generator

BASIC = ("radial slope", "Laplacian")
FURTHER = ("rows", "columns", "rotation", "r^2 radial slope", "r^2 Laplacian", "rows less columns", "shear")


def second(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Second differences along rows and columns."""
    e = F.pad(z, (1, 1, 1, 1), mode="replicate")
    rows = e[..., 2:, 1:-1] + e[..., :-2, 1:-1] - 2 * z
    return rows, e[..., 1:-1, 2:] + e[..., 1:-1, :-2] - 2 * z


def aberrations(z: torch.Tensor) -> dict[str, torch.Tensor]:
    """What each does to an image, (1, B, H, W)."""
    down, right = gradients(z)
    height, width = z.shape[-2:]
    y = ((torch.arange(height) - (height - 1) / 2) / REACH).to(z)[:, None]
    x = ((torch.arange(width) - (width - 1) / 2) / REACH).to(z)
    rows, columns = second(z)
    radial, r2 = y * down + x * right, y.square() + x.square()
    return {
        "radial slope": radial,
        "Laplacian": rows + columns,
        "rows": down,
        "columns": right,
        "rotation": x * down - y * right,
        "r^2 radial slope": r2 * radial,
        "r^2 Laplacian": r2 * (rows + columns),
        "rows less columns": rows - columns,
        "shear": y * down - x * right,
    }


def missing(given: Evidence) -> torch.Tensor:
    """What the base leaves, (1, B, H, W)."""
    assert given.scene.Z is not None
    return given.scene.Z.double() - given.base.double()


@torch.no_grad()
def main() -> None:
    dataset, base, names = make_dataset("cave"), KrigingLearned(std=False), (*BASIC, *FURTHER)

    def evidence(scene: str) -> Evidence:
        return Evidence.of(dataset_scene(dataset, scene, seed=0), base, generator=generator(0, "base", scene))

    bands, count = 31, len(names)
    gram = torch.zeros(bands, count, count, dtype=torch.float64)
    products = torch.zeros(bands, count, dtype=torch.float64)
    for scene in dataset.scenes("fit"):
        given = evidence(scene)
        error = missing(given)[0].flatten(1)
        made = torch.stack([a[0].flatten(1).double() for a in aberrations(given.base).values()])
        weight = 1.0 / error.square().mean(dim=1)
        gram += torch.einsum("kbn,lbn,b->bkl", made, made, weight)
        products += torch.einsum("kbn,bn,b->bk", made, error, weight)
    held = [evidence(scene) for scene in dataset.scenes("validation")]
    print("| multiples of | gain on each validation scene, dB | mean |")
    print("|---|---|---:|")
    for chosen in (BASIC[:1], BASIC[1:], BASIC, *((*BASIC, name) for name in FURTHER), names):
        at = [names.index(name) for name in chosen]
        multiples = torch.linalg.solve(gram[:, at][:, :, at], products[:, at])
        gains = [gain(given, multiples, chosen) for given in held]
        print(f"| {', '.join(chosen)} | {', '.join(f'{g:.2f}' for g in gains)} | {fmean(gains):.2f} |", flush=True)


def gain(given: Evidence, multiples: torch.Tensor, chosen: tuple[str, ...]) -> float:
    """PSNR that a scene gains by it, mean over bands, dB; what the images have said stays as it is."""
    assert given.scene.observation is not None
    made = aberrations(given.base)
    added = sum(multiples[:, k].to(given.base)[:, None, None] * made[name] for k, name in enumerate(chosen))
    assert isinstance(added, torch.Tensor)
    added = unseen(hide(added, given.scene.observation.spectral), given.gram).double()
    before = missing(given)
    ratio = before.square().mean(dim=(0, 2, 3)) / (before - added).square().mean(dim=(0, 2, 3))
    return float(10 * ratio.log10().mean())


if __name__ == "__main__":
    main()
