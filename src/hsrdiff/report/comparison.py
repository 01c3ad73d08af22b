"""Pictures of several methods side by side, and where each errs, on one scale (as Figures 6 to 10 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.report.figure import QUIET, save_figure
from hsrdiff.report.sheet import Sheet, name_picture, picture_height
from hsrdiff.typing import FloatArray, PathLike

COLUMNS = 7
# inches at 100 pixels an inch
_PICTURE, _GAP, _MARGIN = 2.05, 0.12, 0.4
_HEAD, _NAMES, _MORE, _BETWEEN, _FOOT = 1.0, 0.5, 0.18, 0.2, 0.95
_LARGEST_ERROR = 99.0  # percentile of a method's errors; the scale ends at the median of those
_LONG = 24  # letters of a name from which on its last part has a line of its own
_LETTERS = 235.0  # points of type size times letters that a picture is wide
_SHOWN = (1.0, 99.0)  # percentiles of the truth that are black and white


def band_comparison(
    path: PathLike,
    truth: FloatArray,
    estimates: Mapping[str, FloatArray],
    *,
    title: str = "",
    subtitle: str = "",
) -> Path:
    """Draw one band of every estimate and of the truth, up to seven in a line, and under each its squared error.

    All pictures share the truth's stretch, all heat maps one scale. It ends at the median of the methods' 99th
    percentiles, so that one that is far off does not leave the others black; the brightest colour also stands for what
    is above it.

    Args:
        path: The PNG to write; its folder must exist.
        truth: Shape (H, W).
        estimates: Name -> shape (H, W), in the order to show them.
        title: Headline.
        subtitle: One quieter line under it.

    Returns:
        The path written.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ShapeError: An estimate has another shape than the truth.
        InvalidValueError: There is nothing to show.
        WriteError: The file cannot be written.
    """
    if not np.isfinite(truth).any():
        raise InvalidValueError("a truth without numbers", expected="at least one", do="choose another band")
    for name, estimate in estimates.items():
        if estimate.shape != truth.shape:
            raise ShapeError(f"the estimate of {name} has shape {estimate.shape}", expected=f"{truth.shape}")
    low, high = np.percentile(truth[np.isfinite(truth)], _SHOWN)
    errors = {name: np.square(np.asarray(e, dtype=np.float64) - truth) for name, e in estimates.items()}

    def grey(image: FloatArray) -> FloatArray:
        shown: FloatArray = np.clip((image - low) / ((high - low) or 1.0), 0.0, 1.0)
        return shown

    pictures = {name: grey(estimate) for name, estimate in estimates.items()}
    words = {name: f"MSE {np.nanmean(error):.2e}" for name, error in errors.items()}
    return compare_pictures(
        path,
        {**pictures, "Truth": grey(truth)},
        errors,
        words,
        title=title,
        subtitle=subtitle,
        unit="squared error at each pixel, one scale for all",
    )


def compare_pictures(
    path: PathLike,
    pictures: Mapping[str, FloatArray],
    errors: Mapping[str, FloatArray],
    words: Mapping[str, str],
    *,
    title: str = "",
    subtitle: str = "",
    unit: str = "",
) -> Path:
    """Draw pictures side by side, up to seven in a line, and under those that have one a map of their error.

    Args:
        path: The PNG to write; its folder must exist.
        pictures: Name -> values in 0..1, shape (H, W) for grey or (H, W, 3) for colour, all of one size.
        errors: Name -> shape (H, W), at least 0; none at all leaves no room for them.
        words: Name -> a quieter line under the name.
        title: Headline.
        subtitle: One quieter line under it.
        unit: What the errors are.

    Returns:
        The path written.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InvalidValueError: There is nothing to show.
        WriteError: The file cannot be written.
    """
    if not pictures:
        raise InvalidValueError("a comparison without a picture", expected="at least one")
    columns, lines = _columns(len(pictures))
    tall = picture_height(next(iter(pictures.values())), _PICTURE)
    names = {name: _parted(name) for name in pictures}
    lead = _NAMES + (_MORE if any(rest for _, rest in names.values()) else 0.0)
    line = lead + tall + (_GAP + tall if errors else 0.0)
    height = _HEAD + lines * line + (lines - 1) * _BETWEEN + (_FOOT if errors else _MARGIN)
    sheet = Sheet(columns, picture=_PICTURE, gap=_GAP, margin=_MARGIN, height=height)
    sheet.headline(title, subtitle, down=(0.42, 0.78), sizes=(17, 11.5))
    top = _scale(errors)
    shown = None
    for number, (name, picture) in enumerate(pictures.items()):
        column, begins = number % columns, _HEAD + number // columns * (line + _BETWEEN) + lead
        upper = sheet.axes(column, begins, tall)
        upper.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        short, rest = names[name]
        size = min(11.5, _LETTERS / max(len(short), 1))
        words_below = [text for text in (rest, words.get(name, "")) if text]
        name_picture(upper, short, "", up=(6 + 13 * len(words_below), 0), sizes=(size, 10))
        for up, text in enumerate(reversed(words_below)):
            upper.annotate(text, (0, 1), (0, 5 + 13 * up), "axes fraction", "offset points", size=10, color=QUIET)
        if name in errors:
            lower = sheet.axes(column, begins + tall + _GAP, tall)
            shown = lower.imshow(errors[name], cmap="inferno", vmin=0.0, vmax=top, interpolation="nearest")
    if shown is not None:
        length = min(2, columns) * _PICTURE / sheet.width
        bar = sheet.figure.add_axes((_MARGIN / sheet.width, 0.62 / height, length, 0.13 / height))
        drawn = sheet.figure.colorbar(shown, cax=bar, orientation="horizontal", extend="max", extendfrac=0.03)
        drawn.outline.set_visible(False)
        bar.locator_params(nbins=4)
        bar.tick_params(labelsize=10, colors=QUIET, length=3)
        bar.set_xlabel(unit, size=10.5, color=QUIET, labelpad=3, loc="left")
    return save_figure(sheet.figure, Path(path))


def _columns(pictures: int) -> tuple[int, int]:
    """Return columns and lines: as few lines as hold all pictures, as few columns as those lines need."""
    lines = -(-pictures // COLUMNS)
    return -(-pictures // lines), lines


def _scale(errors: Mapping[str, FloatArray]) -> float:
    """Return where the scale of the heat maps ends."""
    known = [error[np.isfinite(error)] for error in errors.values()]
    ends = [np.percentile(error, _LARGEST_ERROR) for error in known if error.size]
    return (float(np.median(ends)) if ends else 0.0) or 1.0


def _parted(name: str) -> tuple[str, str]:
    """Return a name short enough for its picture, and its last part where it is too long."""
    head, _, rest = name.rpartition(", ")
    return (name, "") if len(name) < _LONG or not head else (head, rest)
