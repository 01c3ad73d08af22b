"""Colour pictures of several results, each whole and with a detail magnified below it (as Figure 9 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy import ndimage

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.report.figure import save_figure
from hsrdiff.report.sheet import Sheet, name_picture, picture_height
from hsrdiff.typing import FloatArray, PathLike

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
    if not pictures:
        raise InvalidValueError("a comparison without a picture", expected="at least one")
    first = next(iter(pictures.values()))
    for name, picture in pictures.items():
        if picture.shape != first.shape:
            raise ShapeError(f"the picture of {name} has shape {picture.shape}", expected=f"{first.shape}")
    lines = -(-len(pictures) // COLUMNS)
    whole = picture_height(first, _PICTURE)
    line = _NAMES + whole + _GAP + _PICTURE
    height = _HEAD + lines * line + (lines - 1) * _BETWEEN + _FOOT
    sheet = Sheet(min(len(pictures), COLUMNS), picture=_PICTURE, gap=_GAP, margin=_MARGIN, height=height)
    sheet.headline(title, subtitle, down=(0.42, 0.82), sizes=(19, 12.5))
    sheet.footnote(footnote, up=0.24, size=11)
    left, top, right, bottom = column - 0.5, row - 0.5, column + side - 0.5, row + side - 0.5
    for number, (name, picture) in enumerate(pictures.items()):
        begins = _HEAD + number // COLUMNS * (line + _BETWEEN) + _NAMES
        upper = sheet.axes(number % COLUMNS, begins, whole)
        lower = sheet.axes(number % COLUMNS, begins + whole + _GAP, _PICTURE)
        for shown, image in ((upper, picture), (lower, picture[row : row + side, column : column + side])):
            shown.imshow(image, vmin=0.0, vmax=1.0, interpolation="nearest", aspect="equal")
        upper.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=_FRAME, lw=1.4)
        name_picture(upper, name, words.get(name, ""), up=(20, 6), sizes=(12.5, 10.5))
    return save_figure(sheet.figure, Path(path))
