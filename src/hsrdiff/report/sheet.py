"""A sheet of pictures in equal columns, each with its name above it, under a headline; all sizes in inches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.report.figure import DPI, INK, QUIET, figure_class

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hsrdiff.typing import FloatArray


def picture_height(picture: FloatArray, width: float) -> float:
    """Return how tall a picture is drawn; one that is very wide or tall is kept to what a line has room for.

    Args:
        picture: Shape (H, W) or (H, W, 3).
        width: How wide it is drawn.
    """
    return width * float(np.clip(picture.shape[0] / picture.shape[1], 0.4, 2.0))


class Sheet:
    """A figure whose parts are placed by column and by how far down they are.

    Args:
        columns: How many pictures stand side by side.
        picture: Width of a picture.
        gap: Between two pictures.
        margin: Left and right of them.
        height: Of the whole sheet.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """

    def __init__(self, columns: int, *, picture: float, gap: float, margin: float, height: float) -> None:
        self.picture, self.gap, self.margin, self.height = picture, gap, margin, height
        self.width = 2 * margin + columns * picture + (columns - 1) * gap
        self.figure = figure_class()(figsize=(self.width, height), dpi=DPI, facecolor="white")

    def headline(self, title: str, subtitle: str, *, down: tuple[float, float], sizes: tuple[float, float]) -> None:
        """Write title and subtitle; `down` says where their middles are, `sizes` is in points."""
        self._line(down[0], title, size=sizes[0], weight="bold", color=INK)
        self._line(down[1], subtitle, size=sizes[1], color=QUIET)

    def footnote(self, words: str, *, up: float, size: float) -> None:
        """Write a line at the bottom; `up` says where its middle is, `size` is in points."""
        self._line(self.height - up, words, size=size, color=QUIET)

    def axes(self, column: int, top: float, tall: float) -> Axes:
        """Add axes as wide as a picture, without ticks and frame."""
        left = self.margin + column * (self.picture + self.gap)
        place = (left / self.width, 1 - (top + tall) / self.height, self.picture / self.width, tall / self.height)
        made: Axes = self.figure.add_axes(place)
        made.set_axis_off()
        return made

    def _line(self, down: float, words: str, **style: Any) -> None:
        self.figure.text(self.margin / self.width, 1 - down / self.height, words, va="center", **style)


def name_picture(axes: Axes, name: str, words: str, *, up: tuple[float, float], sizes: tuple[float, float]) -> None:
    """Write a picture's name above it, and a quieter line between.

    Args:
        axes: Where the picture is.
        name: Its name.
        words: The quieter line.
        up: Points from the picture up to each of the two.
        sizes: Points of type.
    """
    axes.annotate(name, (0, 1), (0, up[0]), "axes fraction", "offset points", size=sizes[0], weight="bold", color=INK)
    axes.annotate(words, (0, 1), (0, up[1]), "axes fraction", "offset points", size=sizes[1], color=QUIET)
