"""Can paper mode learn at all? Sample the crop that the recipe overfit-crop was trained on, and score it.

Usage: python -m benchmarks.overfit runs/overfit/overfit-crop.safetensors
"""

from __future__ import annotations

import sys

from hsrdiff.fusers import make_fuser
from hsrdiff.metrics import score
from hsrdiff.observation import Scene
from hsrdiff.rng import generator
from hsrdiff.training import load_recipe
from hsrdiff.training.data import load_training_data


def main(weights: str) -> None:
    data = load_training_data(load_recipe("overfit-crop").data)
    Z = data.scenes[0][None]
    X, Y = data.observation.observe(Z)
    scene = Scene(X=X, Y=Y, observation=data.observation, name="the training crop")
    for name, options in (("bicubic", {}), ("hsr-diff", {"weights": weights})):
        fusion = make_fuser(name, **options).fuse(scene, generator=generator(0, "overfit"))
        scores = score(fusion.Z_hat, Z, factor=data.factor)
        print(f"{name}: PSNR {scores.psnr_db:.2f} dB, SAM {scores.sam_deg:.2f} degrees ({scores.convention})")


if __name__ == "__main__":
    main(sys.argv[1])
