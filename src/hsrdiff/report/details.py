"""Colour pictures of several results, each whole and with a detail magnified below it (as Figure 9 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.report.figure import DPI, INK, QUIET, figure_class, save_figure
from hsrdiff.typing import FloatArray, PathLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# inches at 100 pixels an inch
_PICTURE, _GAP, _MARGIN = 3.0, 0.14, 0.45
_HEAD, _NAMES, _BETWEEN, _FOOT = 1.1, 0.52, 0.32, 0.5
COLUMNS = 5
_FRAME = "#ffd400"


def busiest_window(picture: FloatArray, side: int) -> tuple[int, int]:
    """Find the square of a picture in which neighbouring pixels differ most.

    Args:
        picture: Shape (H, W) or (H, W, 3).
        side: Side of the square in pixels, at least 1; cut to the picture.

    Returns:
        Its first row and column.
    """
    grey = np.nan_to_num(np.asarray(picture, dtype=np.float64).reshape(*picture.shape[:2], -1).mean(axis=2))
    change = sum(np.abs(np.diff(grey, axis=axis, append=np.take(grey, [-1], axis=axis))) for axis in (0, 1))
    tall, wide = (min(side, length) for length in grey.shape)
    mean = ndimage.uniform_filter(np.asarray(change), (tall, wide), mode="nearest", origin=(-(tall // 2), -(wide // 2)))
    inside = mean[: grey.shape[0] - tall + 1, : grey.shape[1] - wide + 1]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(row), int(column)


def detail_comparison(
    path: PathLike,
    pictures: Mapping[str, FloatArray],
    words: Mapping[str, str],
    *,
    row: int,
    column: int,
    side: int,
    title: str = "",
    subtitle: str = "",
    footnote: str = "",
) -> Path:
    """Draw pictures side by side, up to five in a line, and below each a framed square of it magnified.

    Args:
        path: The PNG to write; its folder must exist.
        pictures: Name -> values in 0..1, shape (H, W, 3), all of one size.
        words: Name -> a quieter line under the name.
        row: First row of the square.
        column: Its first column.
        side: Its side in pixels.
        title: Headline.
        subtitle: One quieter line under it.
        footnote: One quieter line at the bottom.

    Returns:
        The path written.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ShapeError: The pictures differ in size.
        InvalidValueError: There is nothing to show.
        WriteError: The file cannot be written.
    """
    Figure = figure_class()
    if not pictures:
        raise InvalidValueError("a comparison without a picture", expected="at least one")
    first = next(iter(pictures.values()))
    for name, picture in pictures.items():
        if picture.shape != first.shape:
            raise ShapeError(f"the picture of {name} has shape {picture.shape}", expected=f"{first.shape}")
    lines = -(-len(pictures) // COLUMNS)
    columns = min(len(pictures), COLUMNS)
    whole = _PICTURE * float(np.clip(first.shape[0] / first.shape[1], 0.4, 2.0))
    line = _NAMES + whole + _GAP + _PICTURE
    width = 2 * _MARGIN + columns * _PICTURE + (columns - 1) * _GAP
    height = _HEAD + lines * line + (lines - 1) * _BETWEEN + _FOOT
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    left_edge = _MARGIN / width
    figure.text(left_edge, 1 - 0.42 / height, title, va="center", size=19, weight="bold", color=INK)
    figure.text(left_edge, 1 - 0.82 / height, subtitle, va="center", size=12.5, color=QUIET)
    figure.text(left_edge, 0.24 / height, footnote, va="center", size=11, color=QUIET)

    def axes(number: int, down: float, tall: float) -> Axes:
        top = _HEAD + number // COLUMNS * (line + _BETWEEN) + _NAMES + down
        left = _MARGIN + number % COLUMNS * (_PICTURE + _GAP)
        made: Axes = figure.add_axes((left / width, 1 - (top + tall) / height, _PICTURE / width, tall / height))
        made.set_axis_off()
        return made

    for number, (name, picture) in enumerate(pictures.items()):
        upper, lower = axes(number, 0.0, whole), axes(number, whole + _GAP, _PICTURE)
        for shown, image in ((upper, picture), (lower, picture[row : row + side, column : column + side])):
            shown.imshow(image, vmin=0.0, vmax=1.0, interpolation="nearest", aspect="equal")
        corners = (column - 0.5, row - 0.5, column + side - 0.5, row + side - 0.5)
        left, top, right, bottom = corners
        upper.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=_FRAME, lw=1.4)
        upper.annotate(name, (0, 1), (0, 20), "axes fraction", "offset points", size=12.5, weight="bold", color=INK)
        upper.annotate(words.get(name, ""), (0, 1), (0, 6), "axes fraction", "offset points", size=10.5, color=QUIET)
    return save_figure(figure, Path(path))
