"""What the constants as shipped should count for where Y is noisy: shares of what they have without noise.

Training scenes of two sensor families at x4, the noise levels told. Over the scene's constants alone: RMSE, and the
geometric mean over bands of RMSE; geometric mean over the scenes, and the worst scene.

Usage: python -m benchmarks.averaging_noise
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch

from benchmarks.averaging import SCENES
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers.kriging import Kriging
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.start import Chosen
from hsrdiff.observation import Scene
from hsrdiff.rng import generator

FACTOR, GUIDES, SNR_DB = 4, (4, 8), (60, 50, 40, 30)
PARTS = (1.0, 0.5, 0.25)


class PartOfShare(Kriging):
    """Kriging with a part of the share that there would be without noise; None for what is used.

    Args:
        part: The part.
    """

    def __init__(self, part: float | None) -> None:
        super().__init__(std=False)
        self.part = part

    def chosen(self, samples: Samples, generator: torch.Generator, sigma_y: float = 0.0) -> Chosen:
        """Return the same kernels with another share."""
        if self.part is None:
            return super().chosen(samples, generator, sigma_y)
        chosen = super().chosen(samples, generator)
        return replace(chosen, share=self.part * chosen.share)


def band_errors(scene: Scene, part: float | None) -> torch.Tensor:
    """Mean square error of each band, shape (B,)."""
    assert scene.Z is not None
    fusion = PartOfShare(part).fuse(scene, generator=generator(0, "averaging noise"))
    error = (fusion.Z_hat - scene.Z).double()[0].flatten(1)
    return error[:, torch.isfinite(error).all(dim=0)].square().mean(dim=1)


def scenes(bands: int, snr_y_db: float) -> Iterator[Scene]:
    """Every scene with noise in Y."""
    for name, known in SCENES.items():
        dataset = make_dataset(name, factor=FACTOR, sensor=f"gaussian{bands}")
        for scene in known:
            yield dataset_scene(dataset, scene, snr_y_db=snr_y_db, seed=0)


def summary(logs: list[tuple[float, float]]) -> str:
    """Mean and worst of both measures, from their logarithms."""
    return ", ".join(f"{math.exp(sum(v) / len(v)):.3f} ({math.exp(max(v)):.3f})" for v in zip(*logs, strict=True))


@torch.no_grad()
def main() -> None:
    """Print a line for each guide and noise."""
    lines = []
    for bands in GUIDES:
        for snr_db in SNR_DB:
            found: dict[float | None, list[tuple[float, float]]] = {}
            for scene in scenes(bands, snr_db):
                alone = band_errors(scene, 0.0)
                for part in (*PARTS, None):
                    errors = band_errors(scene, part)
                    logs = (
                        0.5 * math.log(float(errors.sum() / alone.sum())),
                        0.5 * float((errors / alone).log().mean()),
                    )
                    found.setdefault(part, []).append(logs)
            lines.append([str(bands), f"{snr_db} dB", *(summary(logs) for logs in found.values())])
    print(markdown_table(["guide bands", "noise in Y", *(f"{part:g}" for part in PARTS), "used"], lines, left=2))


if __name__ == "__main__":
    main()
