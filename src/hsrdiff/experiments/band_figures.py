"""Figures 6 to 8 of the paper: one band of every method and its squared error, the weights those of Table 1."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.protocols import PROTOCOLS
from hsrdiff.experiments.table1 import trained_fuser
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import Fusion
from hsrdiff.observation import Scene
from hsrdiff.report.comparison import band_comparison
from hsrdiff.report.figure import figure_class
from hsrdiff.typing import PathLike

_TRUTH = "truth"


class BandFigure:
    """One band of one test scene by every method of Table 1.

    Args:
        number: Of the figure in the paper.
        dataset: A data set of Table 1.
        scene: Test scene; its first when empty.
        band: Counted from 1, as the paper counts.
    """

    takes = frozenset({"budget"})

    def __init__(self, number: int, dataset: str, scene: str, band: int) -> None:
        self.name = f"fig{number}"
        self.summary = f"Figure {number} of the paper: band {band} of {dataset} by every method, and its squared error"
        self.dataset, self.scene, self.band = dataset, scene, band

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield every method on the scene; each keeps the band as it fused it."""
        figure_class()  # a missing extra is said before the work
        protocol = PROTOCOLS[self.dataset]
        dataset = make_dataset(protocol.dataset, data=data, factor=protocol.factor, sensor=protocol.sensor)
        scene = self.scene or dataset.scenes("test")[0]
        images = self._images(workshop.folder.parent)

        def keep(title: str, fusion: Fusion, given: Scene) -> None:
            assert given.Z is not None
            images.mkdir(parents=True, exist_ok=True)
            for name, image in ((title, fusion.Z_hat), (_TRUTH, given.Z)):
                np.save(images / file_of(name), image[0, self.band - 1].double().numpy())

        for entry in protocol.entries:
            make, digest = trained_fuser(entry, seed, workshop)
            yield from fusion_trials(
                (protocol.dataset, scene),
                partial(dataset_scene, dataset, scene, seed=seed),
                {entry.title: make},
                seed,
                paired=True,
                made_of={entry.title: digest} if digest else None,
                keep=keep,
                kept=lambda title: (images / file_of(title)).exists(),
            )

    def draw(self, rows: Rows, folder: Path) -> Path:
        """Draw all methods on one scale."""
        images = self._images(folder)
        scene = next(iter(rows))[1]
        return band_comparison(
            folder / f"{self.name}.png",
            np.load(images / file_of(_TRUTH)),
            {title: np.load(images / file_of(title)) for _, _, title in rows},
            title=f"{self.dataset}, {scene}: band {self.band}",
            subtitle=f"Every method of Table 1, x{PROTOCOLS[self.dataset].factor}; below each its squared error",
        )

    def report(self, rows: Rows) -> str:
        """Return the scores of the scene."""
        lines = [
            [labels[-1], f"{row.psnr_db:.2f}", f"{row.ssim:.4f}", f"{row.sam_deg:.2f}", f"{row.ergas:.3f}"]
            for labels, row in rows.items()
        ]
        table = markdown_table(["method", "PSNR dB", "SSIM", "SAM °", "ERGAS"], lines)
        return f"![{self.summary}]({self.name}.png)\n\nScores of all bands of the scene.\n\n{table}"

    def _images(self, folder: Path) -> Path:
        return folder / f"{self.name}-images"


def file_of(title: str) -> str:
    """Return the name of a file for what a table calls a method.

    Args:
        title: What the table calls it.

    Returns:
        A name that every file system takes.
    """
    return "".join(c if c.isalnum() else "-" for c in title.lower()) + ".npy"
