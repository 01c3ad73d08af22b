"""Where residual mode loses on CAVE at x32: the ends of the spectrum, and columns in which the truth is noise.

The four validation scenes with the network of the other 16 training scenes: scores as they are, and with a part of the
result taken from the truth. At the end of the first table each band is foretold from the 30 others of the truth: what
is missing there is the noise of the truth, and more than any method can be asked for. Then the same for the twelve test
scenes, whose truth alone is looked at, and what the truth's first columns hold, on the 16.

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

PARTS = (
    "nothing",
    "columns 0 to 3",
    "row 0",
    "bands 400 to 420 and 680 to 700 nm",
    "for each band, the 30 others",
)
COLUMNS, SHOWN = 6, (0, 8, 15, 22, 30)
BLOCK_PX, RIDGE = 64, 1e-9


def from_other_bands(Z: torch.Tensor) -> torch.Tensor:
    """Return each band as the other bands foretell it, by least squares in each block of 64 x 64 pixels.

    With K the inverse covariance of a block's bands, the residual of band b on the others is ``(K z)_b / K_bb``.
    """
    foretold = torch.empty_like(Z)
    for y in range(0, Z.shape[-2], BLOCK_PX):
        for x in range(0, Z.shape[-1], BLOCK_PX):
            block = (slice(None), slice(y, y + BLOCK_PX), slice(x, x + BLOCK_PX))
            values = Z[block].flatten(1).double()
            centred = values - values.mean(dim=1, keepdim=True)
            covariance = centred @ centred.T / centred.shape[1]
            K = torch.linalg.inv(covariance + RIDGE * torch.eye(len(Z), dtype=torch.float64))
            foretold[block] = (values - K @ centred / K.diagonal()[:, None]).reshape(Z[block].shape).to(Z)
    return foretold


def with_truth(Z_hat: torch.Tensor, Z: torch.Tensor, part: str) -> torch.Tensor:
    """Return the result with a part taken from the truth."""
    if part.startswith("for each band"):
        return from_other_bands(Z).clamp(0, 1)
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
    limits = []
    for name in dataset.scenes("test"):
        Z = torch.from_numpy(dataset.load(name).values.astype("float32")).clamp(0, 1)
        limits.append(ssim(from_other_bands(Z).clamp(0, 1).numpy(), Z.numpy()))
    print(f"\nTest scenes, each band from the 30 others: SSIM {fmean(limits):.4f}, least {min(limits):.4f}")
    columns = np.stack([dataset.load(name).values[:, :, :COLUMNS] for name in dataset.scenes("fit")])
    print("\n| column | correlation along the column | " + " | ".join(f"mean, {400 + 10 * b} nm" for b in SHOWN) + " |")
    print("|---:|---:|" + "---:|" * len(SHOWN))
    for column in range(COLUMNS):
        values = columns[..., column][:, SHOWN]
        centred = values - values.mean(axis=-1, keepdims=True)
        alike = (centred[..., 1:] * centred[..., :-1]).mean() / (centred**2).mean()
        means = " | ".join(f"{mean:.4f}" for mean in values.mean(axis=(0, 2)))
        print(f"| {column} | {alike:.2f} | {means} |")


if __name__ == "__main__":
    main()
