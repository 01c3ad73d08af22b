"""R and the PSF estimated where the PSF is 30 % wider or narrower than assumed: their errors, and those of kriging.

Usage: python -m benchmarks.estimated
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch.nn import functional as F

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_truth, simulate_scene
from hsrdiff.fusers import make_fuser
from hsrdiff.observation import (
    Observation,
    Scene,
    SpatialResponse,
    estimate_pair,
    estimate_response,
    pair_noise,
)
from hsrdiff.observation.spatial import FWHM_PER_SIGMA
from hsrdiff.rng import generator

PAIRS = (
    ("samson", "samson", 4, "gaussian4"),
    ("samson", "samson", 4, "gaussian8"),
    ("jasper-ridge", "jasper-ridge", 4, "gaussian4"),
    ("aviris-la", "abu-airport-1", 4, "gaussian4"),
    ("cave", "flowers", 8, None),
)
SIDE = 256  # of the middle of a larger scene
WIDTHS = {"wider": 1.3, "narrower": 1 / 1.3}


def rmse(scene: Scene, observation: Observation) -> float:
    """Error of kriging with R and D as given, 1e-4."""
    assert scene.Z is not None
    told = replace(scene, observation=observation)
    levels = pair_noise(told)
    told = replace(told, Z=None, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y)
    fusion = make_fuser("kriging", std=False).fuse(told, generator=generator(0, "estimated"))
    return 1e4 * float((fusion.Z_hat - scene.Z).double().square().mean().sqrt())


def apart(a: SpatialResponse, b: SpatialResponse) -> float:
    """Difference of two kernels over the size of the second."""
    size = max(a.size, b.size)
    kernels = [F.pad(D.kernel, [(size - D.size) // 2] * 4) for D in (a, b)]
    return float((kernels[0] - kernels[1]).norm() / kernels[1].norm())


def main() -> None:
    titles = ["pair", "PSF", "R Z off, %: both estimated", "R fitted, PSF assumed", "kernel off: estimated", "assumed"]
    titles += ["kriging RMSE, 1e-4: true", "both estimated", "true R, PSF assumed", "R fitted, PSF assumed"]
    print(f"| {' | '.join(titles)} |")
    print(f"|---|---|{'---:|' * (len(titles) - 2)}")
    for name, scene_name, factor, guide in PAIRS:
        truth = dataset_truth(make_dataset(name, factor=factor, sensor=guide), scene_name)
        top, left = (max(0, (truth.Z.sizes[axis] - SIDE) // 2) for axis in ("y", "x"))
        cube = truth.Z.isel(y=slice(top, top + SIDE), x=slice(left, left + SIDE))
        R, assumed = truth.observation.spectral, SpatialResponse.gaussian(factor)
        for words, width in WIDTHS.items():
            size = factor + 2 * math.ceil(width * factor / 2)
            D = SpatialResponse.gaussian(factor, sigma=width * factor / FWHM_PER_SIGMA, size=size)
            scene = simulate_scene(cube, Observation(R, D), seed=0)
            assert scene.Z is not None
            found = estimate_pair(scene).observation
            fitted = estimate_response(scene, assumed, blur_lr=1.0).spectral
            X = R.apply(scene.Z.double())
            off = [100 * float((r.apply(scene.Z.double()) - X).norm() / X.norm()) for r in (found.spectral, fitted)]
            kernels = [apart(found.spatial, D), apart(assumed, D)]
            told = (Observation(R, D), found, Observation(R, assumed), Observation(fitted, assumed))
            cells = [f"{scene_name} x{factor} {guide or 'D700'}", words]
            cells += [f"{value:.3f}" for value in (*off, *kernels)] + [f"{rmse(scene, each):.1f}" for each in told]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
