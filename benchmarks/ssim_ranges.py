"""SSIM under the conventions that papers may have used, on the four validation scenes of CAVE at x32.

With weights of BRResNet, trained to the PSNR that the paper has for it, on the twelve test scenes: which convention
gives the paper's SSIM for it?

Usage: python -m benchmarks.ssim_ranges [WEIGHTS]
"""

from __future__ import annotations

import sys
from statistics import fmean
from typing import Any

import numpy as np
from skimage.metrics import structural_similarity

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.fusers import make_fuser
from hsrdiff.rng import generator

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
# name -> options of scikit-image, and the grey levels that both images are rounded to, 0 for none
CONVENTIONS: dict[str, tuple[dict[str, Any], int]] = {
    "range 1, Gaussian 1.5 (ours)": ({"data_range": 1.0, **GAUSSIAN}, 0),
    "range 1, 7 x 7": ({"data_range": 1.0}, 0),
    "range 2, 7 x 7": ({"data_range": 2.0}, 0),
    "range 2, Gaussian 1.5": ({"data_range": 2.0, **GAUSSIAN}, 0),
    "8 bit, Gaussian 1.5": ({"data_range": 1.0, **GAUSSIAN}, 255),
}


def main() -> None:
    dataset = make_dataset("cave")
    if len(sys.argv) > 1:
        split = "test"
        methods: dict[str, dict[str, object]] = {
            "regression": {},
            "brresnet": {"weights": sys.argv[1]},
            "hsr-diff-residual": {"weights": "cave-x32-residual"},
        }
    else:
        split = "validation"
        methods = {
            "regression": {},
            "kriging": {"std": False},
            "hsr-diff-residual": {"weights": "cave-x32-residual-16"},
        }
    found: dict[str, list[list[float]]] = {name: [] for name in methods}
    for name in dataset.scenes(split):
        scene = dataset_scene(dataset, name, seed=0)
        assert scene.Z is not None
        Z = scene.Z[0].numpy().clip(0, 1)
        for method, options in methods.items():
            Z_hat = (
                make_fuser(method, **options).fuse(scene, generator=generator(0, "ssim")).Z_hat[0].numpy().clip(0, 1)
            )
            psnr = 10 * np.log10(1 / np.square(Z_hat - Z).mean(axis=(1, 2))).mean()
            row = [float(psnr)]
            for given, levels in CONVENTIONS.values():
                a, b = (np.round(z * levels) / levels if levels else z for z in (Z, Z_hat))
                row.append(fmean(float(structural_similarity(x, y, **given)) for x, y in zip(a, b, strict=True)))
            found[method].append(row)
    print(f"| method | PSNR dB | {' | '.join(CONVENTIONS)} |")
    print(f"|---|---:|{'---:|' * len(CONVENTIONS)}")
    for method, rows in found.items():
        psnr, *ssim = (fmean(column) for column in zip(*rows, strict=True))
        print(f"| {method} | {psnr:.2f} | {' | '.join(f'{value:.4f}' for value in ssim)} |")


if __name__ == "__main__":
    main()
