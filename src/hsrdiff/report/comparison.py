"""Pictures of several methods side by side, and where each errs, on one scale (as Figures 6 to 10 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.report.figure import DPI, INK, QUIET, figure_class, save_figure
from hsrdiff.typing import FloatArray, PathLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# inches at 100 pixels an inch
_PICTURE, _GAP, _MARGIN = 2.05, 0.12, 0.4
_HEAD, _NAMES, _FOOT = 1.0, 0.5, 0.95
_LARGEST_ERROR = 99.0  # percentile of all methods' errors that the scale ends at
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
    """Draw one band of every estimate and of the truth, and under each its squared error.

    All pictures share the truth's stretch, all heat maps one scale, which ends at the 99th percentile of the errors of
    all methods together; the brightest colour also stands for what is above it.

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
    """Draw pictures in a row, and under those that have one a map of their error.

    Args:
        path: The PNG to write; its folder must exist.
        pictures: Name -> values in 0..1, shape (H, W) for grey or (H, W, 3) for colour, all of one size.
        errors: Name -> shape (H, W), at least 0; none at all leaves the second row out.
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
    Figure = figure_class()
    if not pictures:
        raise InvalidValueError("a comparison without a picture", expected="at least one")
    first = next(iter(pictures.values()))
    columns, rows = len(pictures), 2 if errors else 1
    tall = _PICTURE * float(np.clip(first.shape[0] / first.shape[1], 0.4, 2.0))
    width = 2 * _MARGIN + columns * _PICTURE + (columns - 1) * _GAP
    height = _HEAD + _NAMES + rows * tall + (rows - 1) * _GAP + (_FOOT if errors else _MARGIN)
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    figure.text(_MARGIN / width, 1 - 0.42 / height, title, va="center", size=17, weight="bold", color=INK)
    figure.text(_MARGIN / width, 1 - 0.78 / height, subtitle, va="center", size=11.5, color=QUIET)

    def axes(column: int, row: int) -> Axes:
        left = _MARGIN + column * (_PICTURE + _GAP)
        down = _HEAD + _NAMES + row * (tall + _GAP) + tall
        made: Axes = figure.add_axes((left / width, 1 - down / height, _PICTURE / width, tall / height))
        made.set_axis_off()
        return made

    pooled = np.concatenate([np.zeros(1), *(error[np.isfinite(error)] for error in errors.values())])
    top = float(np.percentile(pooled, _LARGEST_ERROR)) or 1.0
    shown = None
    for column, (name, picture) in enumerate(pictures.items()):
        upper = axes(column, 0)
        upper.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        size = min(11.5, _LETTERS / max(len(name), 1))
        upper.annotate(name, (0, 1), (0, 19), "axes fraction", "offset points", size=size, weight="bold", color=INK)
        upper.annotate(words.get(name, ""), (0, 1), (0, 5), "axes fraction", "offset points", size=10, color=QUIET)
        if name in errors:
            shown = axes(column, 1).imshow(errors[name], cmap="inferno", vmin=0.0, vmax=top, interpolation="nearest")
    if shown is not None:
        length = min(2, columns) * _PICTURE / width
        bar = figure.add_axes((_MARGIN / width, 0.62 / height, length, 0.13 / height))
        drawn = figure.colorbar(shown, cax=bar, orientation="horizontal", extend="max", extendfrac=0.03)
        drawn.outline.set_visible(False)
        bar.locator_params(nbins=4)
        bar.tick_params(labelsize=10, colors=QUIET, length=3)
        bar.set_xlabel(unit, size=10.5, color=QUIET, labelpad=3, loc="left")
    return save_figure(figure, Path(path))
