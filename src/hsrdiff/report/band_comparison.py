"""One band of every method beside the truth, and where each errs, on one scale (as Figures 6 to 8 of the paper)."""

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
    Figure = figure_class()
    if not estimates or not np.isfinite(truth).any():
        raise InvalidValueError(
            "a comparison without an estimate, or with a truth without numbers", expected="at least one of each"
        )
    for name, estimate in estimates.items():
        if estimate.shape != truth.shape:
            raise ShapeError(f"the estimate of {name} has shape {estimate.shape}", expected=f"{truth.shape}")
    errors = {name: np.square(np.asarray(e, dtype=np.float64) - truth) for name, e in estimates.items()}
    pooled = np.concatenate([e[np.isfinite(e)] for e in errors.values()])
    top = float(np.percentile(pooled, _LARGEST_ERROR)) or 1.0
    low, high = np.percentile(truth[np.isfinite(truth)], _SHOWN)

    columns = len(estimates) + 1
    tall = _PICTURE * float(np.clip(truth.shape[0] / truth.shape[1], 0.4, 2.0))
    width = 2 * _MARGIN + columns * _PICTURE + (columns - 1) * _GAP
    height = _HEAD + _NAMES + 2 * tall + _GAP + _FOOT
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    figure.text(_MARGIN / width, 1 - 0.42 / height, title, va="center", size=17, weight="bold", color=INK)
    figure.text(_MARGIN / width, 1 - 0.78 / height, subtitle, va="center", size=11.5, color=QUIET)

    def axes(column: int, row: int) -> Axes:
        left = _MARGIN + column * (_PICTURE + _GAP)
        down = _HEAD + _NAMES + row * (tall + _GAP) + tall
        made: Axes = figure.add_axes((left / width, 1 - down / height, _PICTURE / width, tall / height))
        made.set_axis_off()
        return made

    shown = None
    for column, name in enumerate(estimates):
        picture = axes(column, 0)
        picture.imshow(estimates[name], cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        _name(picture, name, f"MSE {np.nanmean(errors[name]):.2e}")
        shown = axes(column, 1).imshow(errors[name], cmap="inferno", vmin=0.0, vmax=top, interpolation="nearest")
    last = axes(columns - 1, 0)
    last.imshow(truth, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    _name(last, "Truth", "")

    assert shown is not None
    bar = figure.add_axes((_MARGIN / width, 0.62 / height, (2 * _PICTURE + _GAP) / width, 0.13 / height))
    drawn = figure.colorbar(shown, cax=bar, orientation="horizontal", extend="max", extendfrac=0.03)
    drawn.outline.set_visible(False)
    bar.locator_params(nbins=4)
    bar.tick_params(labelsize=10, colors=QUIET, length=3)
    bar.set_xlabel("squared error at each pixel, one scale for all", size=10.5, color=QUIET, labelpad=3)
    return save_figure(figure, Path(path))


def _name(axes: Axes, name: str, words: str) -> None:
    axes.annotate(name, (0, 1), (0, 19), "axes fraction", "offset points", size=11.5, weight="bold", color=INK)
    axes.annotate(words, (0, 1), (0, 5), "axes fraction", "offset points", size=10, color=QUIET)
