"""What the figures of the documents share: the sheet, the heads of its panels, pictures and maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

INK, QUIET = "#1f2328", "#6b7280"
WIDTH_PX, DPI = 1600, 100


def sheet(height_px: int, title: str, subtitle: str) -> Figure:
    """A white sheet with a headline and one quieter line under it."""
    figure = Figure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI, facecolor="white")
    figure.text(0.03, 1 - 38 / height_px, title, size=20, weight="bold", color=INK, va="center")
    figure.text(0.03, 1 - 76 / height_px, subtitle, size=13, color=QUIET, va="center")
    return figure


def place_axes(figure: Figure, left: float, top: float, wide: float, tall: float) -> Axes:
    """Axes at a place in pixels, counted from the upper left corner."""
    width, height = figure.get_size_inches() * DPI
    return figure.add_axes((left / width, 1 - (top + tall) / height, wide / width, tall / height))


def head(axes: Axes, name: str, words: str = "") -> None:
    """A bold name over a panel and a quieter line between the two."""
    lines = words.count("\n") + 1 if words else 0
    style = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate(name, (0, 1), (0, 8 + 14.5 * lines), size=14, weight="bold", color=INK, **style)
    axes.annotate(words, (0, 1), (0, 6), size=11.5, color=QUIET, linespacing=1.15, **style)


def bare(axes: Axes) -> None:
    """No ticks and no frame, as around a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)


def quiet_plot(axes: Axes, x: str, y: str) -> None:
    """Axes of a plot with quiet numbers, a light grid, and labels."""
    axes.set_xlabel(x, size=11.5, color=QUIET)
    axes.set_ylabel(y, size=11.5, color=QUIET)
    axes.tick_params(labelsize=11, colors=QUIET, length=3)
    axes.grid(color="#e5e7eb", lw=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#c5cad1")


def colours(image: torch.Tensor, bands: Sequence[int]) -> np.ndarray:
    """Three bands of (b, H, W) as red, green and blue, each stretched over 1 to 99 % of its values."""
    picture = image[list(bands)].double()
    low, high = (picture.flatten(1).quantile(q, dim=1)[:, None, None] for q in (0.01, 0.99))
    return ((picture - low) / (high - low)).clamp(0, 1).permute(1, 2, 0).numpy()


def show(axes: Axes, picture: torch.Tensor | np.ndarray, size: tuple[int, int], **how: object) -> AxesImage:
    """A picture over the fine grid's coordinates, so that coarse and fine ones lie on each other."""
    bare(axes)
    extent = (-0.5, size[1] - 0.5, size[0] - 0.5, -0.5)
    return axes.imshow(picture, extent=extent, interpolation="nearest", aspect="equal", **how)


def colour_bar(axes: Axes, image: AxesImage, label: str, extend: str = "max") -> None:
    """A narrow bar under a picture."""
    figure = axes.figure
    height = figure.get_size_inches()[1] * DPI
    box = axes.get_position()
    under = figure.add_axes((box.x0, box.y0 - 24 / height, box.width, 12 / height))
    bar = figure.colorbar(image, cax=under, orientation="horizontal", extend=extend, extendfrac=0.03)
    bar.outline.set_visible(False)
    under.locator_params(axis="x", nbins=4)
    under.tick_params(labelsize=11, colors=QUIET, length=3)
    under.set_xlabel(label, size=11.5, color=QUIET, labelpad=3)


def save(figure: Figure, path: Path, colours: int | None = None) -> None:
    """Write the PNG without transparency, which nothing here needs; with `colours`, of so many, for photographs."""
    figure.savefig(path, format="png", dpi=DPI)
    with Image.open(path) as drawn:
        opaque = drawn.convert("RGB")
    if colours is not None:
        opaque = opaque.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    opaque.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
