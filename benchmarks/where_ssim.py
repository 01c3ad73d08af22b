"""Where residual mode loses on CAVE at x32: the ends of the spectrum, and columns in which the truth is noise.

The four validation scenes with the network of the other 16 training scenes: scores as they are, and with a part of the
result taken from the truth. Then what the truth's first columns hold, on the 16.

Usage: python -m benchmarks.where_ssim
"""

from __future__ import annotations

from statistics import fmean

import numpy as np
import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.fusers import make_fuser
from hsrdiff.metrics import ergas, psnr_db, sam_deg, ssim
from hsrdiff.rng import generator

PARTS = ("nothing", "columns 0 to 3", "row 0", "bands 400 to 420 and 680 to 700 nm")
COLUMNS, SHOWN = 6, (0, 8, 15, 22, 30)


def with_truth(Z_hat: torch.Tensor, Z: torch.Tensor, part: str) -> torch.Tensor:
    """Return the result with a part taken from the truth."""
    mixed = Z_hat.clone()
    if part.startswith("columns"):
        mixed[..., :4] = Z[..., :4]
    elif part.startswith("row"):
        mixed[..., 0, :] = Z[..., 0, :]
    elif part.startswith("bands"):
        mixed[:3], mixed[-3:] = Z[:3], Z[-3:]
    return mixed


def main() -> None:
    """Print both tables."""
    dataset = make_dataset("cave", factor=32)
    found: dict[str, list[tuple[float, ...]]] = {part: [] for part in PARTS}
    for name in dataset.scenes("validation"):
        scene = dataset_scene(dataset, name, seed=0)
        fuser = make_fuser("hsr-diff-residual", weights="cave-x32-residual-16")
        Z_hat = fuser.fuse(scene, generator=generator(0, "x")).Z_hat[0].clamp(0, 1)
        assert scene.Z is not None
        Z = scene.Z[0].clamp(0, 1)
        for part in PARTS:
            a, b = with_truth(Z_hat, Z, part).numpy(), Z.numpy()
            found[part].append((psnr_db(a, b, peak=1.0), ssim(a, b), sam_deg(a, b), ergas(a, b, factor=32)))
    print("| taken from the truth | PSNR dB | SSIM | SAM ° | ERGAS |\n|---|---:|---:|---:|---:|")
    for part, rows in found.items():
        psnr, similarity, angle, error = (fmean(column) for column in zip(*rows, strict=True))
        print(f"| {part} | {psnr:.2f} | {similarity:.4f} | {angle:.2f} | {error:.3f} |")
    columns = np.stack([dataset.load(name).values[:, :, :COLUMNS] for name in dataset.scenes("fit")])
    print("\n| column | likeness of neighbours in a column | " + " | ".join(f"{400 + 10 * b} nm" for b in SHOWN) + " |")
    print("|---:|---:|" + "---:|" * len(SHOWN))
    for column in range(COLUMNS):
        values = columns[..., column][:, SHOWN]
        centred = values - values.mean(axis=-1, keepdims=True)
        alike = (centred[..., 1:] * centred[..., :-1]).mean() / (centred**2).mean()
        means = " | ".join(f"{mean:.4f}" for mean in values.mean(axis=(0, 2)))
        print(f"| {column} | {alike:.2f} | {means} |")


if __name__ == "__main__":
    main()
