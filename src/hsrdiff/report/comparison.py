"""Pictures of several methods side by side, and where each errs, on one scale (as Figures 6 to 10 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.report.figure import QUIET, save_figure
from hsrdiff.report.sheet import Sheet, name_picture, picture_height
from hsrdiff.typing import FloatArray, PathLike

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
    if not pictures:
        raise InvalidValueError("a comparison without a picture", expected="at least one")
    columns, rows = len(pictures), 2 if errors else 1
    tall = picture_height(next(iter(pictures.values())), _PICTURE)
    height = _HEAD + _NAMES + rows * tall + (rows - 1) * _GAP + (_FOOT if errors else _MARGIN)
    sheet = Sheet(columns, picture=_PICTURE, gap=_GAP, margin=_MARGIN, height=height)
    sheet.headline(title, subtitle, down=(0.42, 0.78), sizes=(17, 11.5))
    first, second = _HEAD + _NAMES, _HEAD + _NAMES + tall + _GAP
    pooled = np.concatenate([np.zeros(1), *(error[np.isfinite(error)] for error in errors.values())])
    top = float(np.percentile(pooled, _LARGEST_ERROR)) or 1.0
    shown = None
    for column, (name, picture) in enumerate(pictures.items()):
        upper = sheet.axes(column, first, tall)
        upper.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        size = min(11.5, _LETTERS / max(len(name), 1))
        name_picture(upper, name, words.get(name, ""), up=(19, 5), sizes=(size, 10))
        if name in errors:
            lower = sheet.axes(column, second, tall)
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
