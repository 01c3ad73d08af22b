"""What Hyperion and ALI over Paris disagree by, and what it says of the noise of X.

The pair of `reproduce paris`, registered, R and D estimated: how alike neighbours of R Y - X D are, beside white noise
under D and X D itself; and the noise of X with and without the rule that tells them apart.

Usage: python -m benchmarks.paris_noise
"""

from __future__ import annotations

from dataclasses import replace

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.paris import DATASET, moved_guide
from hsrdiff.observation import estimate_pair, noise, pair_noise
from hsrdiff.observation.image_noise import estimate_noise_hr, roughness
from hsrdiff.observation.white_share import likeness, overlap


def main() -> None:
    """Print the likeness of neighbours, then the levels."""
    dataset = make_dataset(DATASET)
    scene = moved_guide(dataset_scene(dataset, *dataset.scenes("test"), seed=0))
    observation = estimate_pair(replace(scene, observation=None)).observation
    scene = replace(scene, observation=observation, sigma_x=0.0, sigma_y=0.0)
    R, D = observation.spectral, observation.spatial
    X_lr = D.apply(scene.X.double())[0]
    apart = R.apply(scene.Y.double())[0] - X_lr
    usable = torch.ones(X_lr.shape[1:], dtype=torch.bool)
    centred = X_lr - X_lr.mean(dim=(1, 2), keepdim=True)
    print("| likeness of neighbours | in a row | in a column |\n|---|---:|---:|")
    for title, pair in (
        ("R Y - X D", [likeness(apart, usable, axis) for axis in (1, 0)]),
        ("white noise under D", [overlap(D, axis) for axis in (1, 0)]),
        ("X D", [likeness(centred, usable, axis) for axis in (1, 0)]),
    ):
        print(f"| {title} | {pair[0]:.2f} | {pair[1]:.2f} |")
    found = pair_noise(scene).sigma_x
    rule = noise.white_share
    noise.white_share = lambda *given: 0.0
    before = pair_noise(scene).sigma_x
    noise.white_share = rule
    print(f"\nNoise of X: {found:.4f}; all of the excess as it stands: {before:.4f}.")
    print(f"From X alone: {estimate_noise_hr(scene.X):.4f}; at most {roughness(scene.X):.4f}.")


if __name__ == "__main__":
    main()
