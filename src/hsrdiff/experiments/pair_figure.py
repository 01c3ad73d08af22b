"""Figure 9 of the paper: a real pair without truth, fused by every method that needs no training on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from hsrdiff.cubes import as_cube
from hsrdiff.datasets import make_pairs
from hsrdiff.evaluation import Row
from hsrdiff.experiments.base import Rows, Trial, markdown_table, scene_digest
from hsrdiff.experiments.kept_images import KeptImages
from hsrdiff.experiments.protocols import Entry
from hsrdiff.experiments.real_pair import REDUCED_ERROR, fuse_pair, real_scene
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import make_fuser
from hsrdiff.networks import shipped_digest
from hsrdiff.observation import Scene
from hsrdiff.report.colour import colour_bands, colour_picture, fit_stretch
from hsrdiff.report.details import busiest_window, detail_comparison
from hsrdiff.report.figure import figure_class
from hsrdiff.sensors import load_sensor
from hsrdiff.typing import FloatArray, PathLike

PAIRS = {name: name for name in ("hypsen", "hyperion-ali-pan")}
ENTRIES = (
    Entry("bicubic", "bicubic"),
    Entry("regression", "regression"),
    Entry("HySure", "hysure"),
    Entry("UTV-TD", "utv-td"),
    Entry("kriging", "kriging", options={"std": False}),
    Entry("kriging-learned", "kriging-learned", options={"std": False}),
    Entry("HSR-Diff, residual mode", "hsr-diff-residual"),
)
_COARSE, _FINE = "Hyperspectral", "Multispectral"
_SHOWN = (0, 1, 2)  # of the three bands kept
_DETAIL = 3  # the detail's side is this part of the shorter side
# name of a note -> title of its column
_NOTES = {"HQNR": "HQNR", "D_lambda": "D_λ", "D_s": "D_s", "R Z - X": "R Z - X", "Z D - Y": "Z D - Y"}


class PairFigure:
    """One real pair by methods without training on it, as colours, with what can be measured without truth."""

    name = "fig9"
    summary = "Figure 9 of the paper: a real pair without truth, by the methods that need no training on it"
    takes = frozenset({"dataset"})

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield every method on the pair; three bands of each result are kept."""
        figure_class()  # a missing extra is said before the work
        pairs = make_pairs(workshop.choose(PAIRS), data=data)
        pair = pairs.pairs()[0]
        images = self._images(workshop.folder.parent, pairs.name)
        made = cache(lambda: real_scene(pairs, pair))

        @cache
        def inputs() -> dict[str, FloatArray]:
            scene = made()[0]
            fine = _cube(scene.X, load_sensor(pairs.sensor).centroids_nm)
            coarse = scene.Y.repeat_interleave(scene.factor, -2).repeat_interleave(scene.factor, -1)
            return {_FINE: fine.values[list(colour_bands(fine)[0])], _COARSE: _three(coarse, scene)}

        for entry in ENTRIES:

            def run(entry: Entry = entry) -> Row:
                scene, degraded = made()
                row, Z_hat = fuse_pair(partial(make_fuser, entry.method, **entry.options), scene, degraded, seed)
                kept = images.keep({entry.title: _three(Z_hat, scene), **inputs()})
                notes = row.notes | _described(scene) | kept
                return replace(row, method=entry.title, scene=f"{pairs.name}, {pair}", notes=notes)

            def content(entry: Entry = entry) -> str:
                needs = make_fuser(entry.method, **entry.options).needs
                return scene_digest(made()[0]) + (shipped_digest() if needs.weights else "")

            def whole(row: Row, entry: Entry = entry) -> bool:
                return images.belong(row, (entry.title, _COARSE, _FINE))

            yield Trial((pairs.name, pair, entry.title), content, run, whole)

    def draw(self, rows: Rows, folder: Path) -> Path:
        """Draw both images and every result, with a detail of each."""
        name = next(iter(rows))[0]
        images = self._images(folder, name)
        kept = {title: images.load(title) for title in (_COARSE, _FINE, *(labels[-1] for labels in rows))}
        side_by_side = np.concatenate([image for title, image in kept.items() if title != _FINE], axis=2)
        shared, own = (fit_stretch(as_cube(image), _SHOWN) for image in (side_by_side, kept[_FINE]))
        pictures = {
            title: colour_picture(as_cube(image), _SHOWN, own if title == _FINE else shared)
            for title, image in kept.items()
        }
        words = {labels[-1]: f"{row.psnr_db:.1f} dB at reduced resolution" for labels, row in rows.items()}
        first = next(iter(rows.values()))
        words |= {_COARSE: first.notes["Y"], _FINE: first.notes["X"]}
        side = max(1, min(pictures[_FINE].shape[:2]) // _DETAIL)
        row, column = busiest_window(pictures[_FINE], side)
        return detail_comparison(
            folder / f"{self.name}.png",
            pictures,
            words,
            row=row,
            column=column,
            side=side,
            title=f"{name}, x{first.factor}: fused without truth",
            subtitle=f"Colour: {first.notes['colours']}; below each picture the framed part of it",
            footnote="All but the multispectral image share one stretch, 1 to 99 % of their values.",
        )

    def report(self, rows: Rows) -> str:
        """Return what can be measured of every result without truth."""
        lines = [
            [
                labels[-1],
                *(f"{float(row.notes[topic]):.4f}" for topic in _NOTES),
                f"{float(row.notes.get(REDUCED_ERROR, 'nan')):.4f}",
                f"{row.psnr_db:.2f}",
                f"{row.sam_deg:.2f}",
                f"{row.seconds:.1f}",
            ]
            for labels, row in rows.items()
        ]
        first = next(iter(rows.values()))
        titles = ["method", *_NOTES.values(), "reduced error", "reduced PSNR dB", "reduced SAM °", "s"]
        return (
            f"![{self.summary}]({self.name}.png)\n\n"
            "R, D and both noise levels were estimated from the pair; the first columns hold the result against the "
            "pair, relative to each band's root mean square. The reduced columns are of the pair degraded once more, "
            f"whose truth is the hyperspectral image.\n\nPSF: {first.notes['PSF']}.\n\n{markdown_table(titles, lines)}"
        )

    def _images(self, folder: Path, dataset: str) -> KeptImages:
        return KeptImages(folder / f"{self.name}-images" / dataset)


def _described(scene: Scene) -> dict[str, str]:
    """Return what the report and the figure say of a pair."""
    assert scene.observation is not None

    def size(image: torch.Tensor) -> str:
        bands, height, width = image.shape[1:]
        return f"{bands} band{'s' if bands > 1 else ''}, {height} x {width} pixels"

    return {
        "PSF": scene.observation.spatial.describe(),
        "X": size(scene.X),
        "Y": size(scene.Y),
        "colours": colour_bands(_cube(scene.Y, scene.wavelengths_nm))[1],
    }


def _cube(image: torch.Tensor, wavelengths_nm: FloatArray | None) -> xr.DataArray:
    return as_cube(image[0].numpy(), wavelengths_nm=wavelengths_nm)


def _three(image: torch.Tensor, scene: Scene) -> FloatArray:
    """Return the bands of an image of B bands that are shown as red, green and blue, shape (3, H, W)."""
    bands, _ = colour_bands(_cube(scene.Y, scene.wavelengths_nm))
    return image[0, list(bands)].float().numpy()
