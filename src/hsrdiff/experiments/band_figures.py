"""Figures 6 to 8 of the paper: one band of every method and its squared error, the weights those of Table 1."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.kept_images import KeptImages
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

        def keep(title: str, fusion: Fusion, given: Scene) -> dict[str, str]:
            assert given.Z is not None
            shown = ((title, fusion.Z_hat), (_TRUTH, given.Z))
            return images.keep({name: image[0, self.band - 1].double().numpy() for name, image in shown})

        for entry in protocol.entries:
            ready = trained_fuser(entry, seed, workshop)
            yield from fusion_trials(
                (protocol.dataset, scene),
                partial(dataset_scene, dataset, scene, seed=seed),
                {entry.title: ready.make},
                seed,
                paired=True,
                made_of=ready.made_of(entry.title),
                keep=keep,
                kept=lambda title, row: images.belong(row, (title, _TRUTH)),
            )

    def draw(self, rows: Rows, folder: Path) -> Path:
        """Draw all methods on one scale."""
        images = self._images(folder)
        scene = next(iter(rows))[1]
        return band_comparison(
            folder / f"{self.name}.png",
            images.load(_TRUTH),
            {title: images.load(title) for _, _, title in rows},
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
        psf = PROTOCOLS[self.dataset].psf
        return f"![{self.summary}]({self.name}.png)\n\nScores of all bands of the scene. PSF: {psf}.\n\n{table}"

    def _images(self, folder: Path) -> KeptImages:
        return KeptImages(folder / f"{self.name}-images")
