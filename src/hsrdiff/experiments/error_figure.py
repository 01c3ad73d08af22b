"""Figure 10 of the paper: diffusion against regression by the same network, fused images and error maps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.kept_images import KeptImages
from hsrdiff.experiments.protocols import PROTOCOLS, Entry
from hsrdiff.experiments.table1 import trained_fuser
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import Fusion
from hsrdiff.observation import Scene
from hsrdiff.report.comparison import compare_pictures
from hsrdiff.report.figure import figure_class
from hsrdiff.typing import PathLike

DATASET, SCENE = "cave", "thread_spools"
_COLOURS = (24, 15, 6)  # bands at 640, 550 and 460 nm
_TRUTH = "truth"
_GAMMA = 2.2  # of a screen
ENTRIES = (
    Entry(
        "HSR-Diff, paper mode", "hsr-diff", "cdformer-cave-x32", {"steps": 25, "precision": "bfloat16"}, minutes=45.0
    ),
    Entry("Regression", "regression-cdformer", "regression-cdformer-cave-x32"),
    Entry("HSR-Diff, residual mode", "hsr-diff-residual"),
)


class ErrorFigure:
    """The scene of the figure by the network as denoiser and as regression, and by residual mode."""

    name = "fig10"
    summary = "Figure 10 of the paper: diffusion against regression by the same network, on thread_spools of CAVE"
    takes = frozenset({"budget"})

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield each method on the scene; what it fused is kept as colours and error."""
        figure_class()  # a missing extra is said before the work
        dataset = make_dataset(DATASET, data=data)
        dataset.load(SCENE)  # what is missing is said before hours of training
        images = self._images(workshop.folder.parent)

        def keep(title: str, fusion: Fusion, given: Scene) -> dict[str, str]:
            assert given.Z is not None
            shown = {}
            for name, image in ((title, fusion.Z_hat), (_TRUTH, given.Z)):
                colours = image[0, list(_COLOURS)].clamp(0, 1).double()
                error = (image - given.Z)[0].double().square().mean(dim=0).sqrt()
                shown[name] = np.concatenate([colours.numpy(), error[None].numpy()])
            return images.keep(shown)

        for entry in ENTRIES:
            ready = trained_fuser(entry, seed, workshop)
            yield from fusion_trials(
                (DATASET, SCENE),
                partial(dataset_scene, dataset, SCENE, seed=seed),
                {entry.title: ready.make},
                seed,
                paired=True,
                made_of=ready.made_of(entry.title),
                keep=keep,
                kept=lambda title, row: images.belong(row, (title, _TRUTH)),
            )

    def draw(self, rows: Rows, folder: Path) -> Path:
        """Draw colours and root mean square errors over the bands."""
        images = self._images(folder)
        kept = {title: images.load(title) for _, _, title in rows}
        truth = images.load(_TRUTH)
        pictures = {title: _colours(image) for title, image in kept.items()}
        return compare_pictures(
            folder / f"{self.name}.png",
            {**pictures, "Truth": _colours(truth)},
            {title: image[3] for title, image in kept.items()},
            {title: f"{row.psnr_db:.2f} dB, {row.sam_deg:.2f}°" for (_, _, title), row in rows.items()},
            title="thread_spools, x32: diffusion against regression",
            subtitle="Bands at 640, 550 and 460 nm; below, root mean square error over the bands",
            unit="root mean square error over the bands, one scale for all",
        )

    def report(self, rows: Rows) -> str:
        """Return the scores of the scene."""
        lines = [
            [labels[-1], f"{row.psnr_db:.2f}", f"{row.ssim:.4f}", f"{row.sam_deg:.2f}", f"{row.ergas:.3f}"]
            for labels, row in rows.items()
        ]
        table = markdown_table(["method", "PSNR dB", "SSIM", "SAM °", "ERGAS"], lines)
        return f"![{self.summary}]({self.name}.png)\n\nPSF: {PROTOCOLS[DATASET].psf}.\n\n{table}"

    def _images(self, folder: Path) -> KeptImages:
        return KeptImages(folder / f"{self.name}-images")


def _colours(image: np.ndarray) -> np.ndarray:
    """Return (H, W, 3) for a screen."""
    shown: np.ndarray = np.clip(image[:3].transpose(1, 2, 0), 0.0, 1.0) ** (1 / _GAMMA)
    return shown
