"""One figure a person can read: the two images, the fused cube, the truth, the error and three spectra."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hsrdiff.errors import MissingExtraError, ShapeError, WriteError
from hsrdiff.report.colour import colour_bands, colour_picture, fit_stretch
from hsrdiff.report.places import Place, different_places
from hsrdiff.report.spectra import draw_spectra
from hsrdiff.typing import FloatArray, PathLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_PX, DPI = 1600, 100
# Okabe and Ito's vermilion, blue and green: told apart by people with any colour vision.
PLACE_COLOURS = ("#D55E00", "#0072B2", "#009E73")
INK, QUIET = "#1f2328", "#6b7280"
# Sizes in inches at 100 pixels an inch; LABELS is the room left of a plot for its numbers.
MARGIN, GUTTER, LABELS = 0.55, 0.42, 0.36
HEAD, TITLES, BETWEEN, FOOT = 1.1, 0.66, 1.15, 1.4
ERROR_PERCENTILE = 99.0


def figure_class() -> type[Figure]:
    """Return matplotlib's Figure; jobs call this early, so that a missing extra is said before the work.

    Returns:
        The class, which draws without a screen.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "figures are drawn by matplotlib, which is not installed", do='run pip install "hsrdiff[report]"'
        ) from error
    return Figure


def fusion_figure(
    path: PathLike,
    *,
    hsi: xr.DataArray,
    msi: xr.DataArray,
    fused: xr.DataArray,
    truth: xr.DataArray | None = None,
    title: str = "",
    subtitle: str = "",
    unit: str = "",
    places: tuple[Place, ...] | None = None,
) -> Path:
    """Draw the pair, the fused cube, and the truth and the error map where the truth is known, as one PNG.

    Pictures of hyperspectral cubes share one stretch; the MSI has its own, as its bands are wider. The error is
    the root mean square over the bands at each pixel.

    Args:
        path: The PNG to write; its folder must exist.
        hsi: LR-HSI (B, h, w).
        msi: HR-MSI (b, H, W).
        fused: Fused cube (B, H, W).
        truth: True HR-HSI (B, H, W), if known.
        title: Headline.
        subtitle: One quieter line under it.
        unit: Unit of the values, such as ``"reflectance"``.
        places: Pixels whose spectra are shown, up to three; chosen by `different_places` when None.

    Returns:
        The path written.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ShapeError: The cubes do not fit together.
        WriteError: The file cannot be written; nothing half-written is left.
    """
    Figure = figure_class()
    _check(hsi, fused, truth)
    factor = fused.sizes["y"] // hsi.sizes["y"]
    reference = fused if truth is None else truth
    chosen = places if places is not None else different_places(reference, block=max(factor, 2))
    chosen = chosen[: len(PLACE_COLOURS)]

    bands, words = colour_bands(fused)
    stretch = fit_stretch(reference, bands)
    msi_bands, msi_words = colour_bands(msi)
    pictures = [
        ("Hyperspectral, coarse", hsi, bands, stretch),
        ("Multispectral, fine", msi, msi_bands, fit_stretch(msi, msi_bands)),
        ("Fused", fused, bands, stretch),
    ]
    if truth is not None:
        pictures.append(("Truth", truth, bands, stretch))

    sheet = _Sheet(Figure, columns=len(pictures), aspect=fused.sizes["y"] / fused.sizes["x"], error=truth is not None)
    sheet.headline(title, subtitle)
    for number, (name, cube, shown, own) in enumerate(pictures):
        axes = sheet.upper(number)
        _draw_picture(axes, colour_picture(cube, shown, own), fused)
        _head(axes, name, _counts(cube))
        if cube is not hsi:
            _mark(axes, chosen)
    first = 0
    if truth is not None:
        axes = sheet.lower(0)
        _draw_error(axes, _error(fused, truth))
        _colour_bar(axes, sheet.under(axes), unit)
        _mark(axes, chosen)
        first = 1
    for k, place in enumerate(chosen):
        draw_spectra(
            sheet.lower(first + k, labels=True), place, PLACE_COLOURS[k],
            hsi=hsi, fused=fused, truth=truth, unit=unit if k == 0 else "",
        )  # fmt: skip
    note = f"False colour: {words}" if words.startswith("NIR") else f"Colour: {words}"
    if msi_words != words:
        note += f" (multispectral: {msi_words})"
    note += "; the hyperspectral pictures share one stretch, 1 to 99 % of the "
    note += "truth" if truth is not None else "fused cube"
    sheet.footnote(note + ".")
    return save_figure(sheet.figure, Path(path))


class _Sheet:
    """Where things stand on the figure: two rows of equal columns, all sizes in inches."""

    def __init__(self, figure: type[Figure], *, columns: int, aspect: float, error: bool) -> None:
        self.column = (WIDTH_PX / DPI - 2 * MARGIN - (columns - 1) * GUTTER) / columns
        self.picture = self.column * float(np.clip(aspect, 0.4, 1.6))
        self.spectrum = float(np.clip(self.picture, 2.9, 3.6))
        lower = max(self.picture, self.spectrum) if error else self.spectrum
        self.height = HEAD + TITLES + self.picture + BETWEEN + lower + FOOT
        self.figure = figure(figsize=(WIDTH_PX / DPI, self.height), dpi=DPI, facecolor="white")

    def headline(self, title: str, subtitle: str) -> None:
        self._text(0.45, title, size=20, weight="bold", color=INK)
        self._text(0.86, subtitle, size=13, color=QUIET)

    def footnote(self, words: str) -> None:
        self._text(self.height - 0.28, words, size=11, color=QUIET)

    def upper(self, number: int) -> Axes:
        return self._axes(number, HEAD + TITLES, self.picture)

    def lower(self, number: int, *, labels: bool = False) -> Axes:
        """Add axes to the second row; with `labels`, room is left of them and they have a plot's height."""
        top = HEAD + TITLES + self.picture + BETWEEN
        return self._axes(number, top, self.spectrum if labels else self.picture, LABELS if labels else 0.0)

    def under(self, axes: Axes) -> Axes:
        """Add the narrow axes of a colour bar below a picture."""
        box = axes.get_position()
        return self.figure.add_axes((box.x0, box.y0 - 0.32 / self.height, box.width, 0.14 / self.height))

    def _axes(self, number: int, top: float, tall: float, indent: float = 0.0) -> Axes:
        left = MARGIN + number * (self.column + GUTTER) + indent
        inches = WIDTH_PX / DPI
        return self.figure.add_axes(
            (left / inches, 1 - (top + tall) / self.height, (self.column - indent) / inches, tall / self.height)
        )

    def _text(self, down: float, words: str, **style: Any) -> None:
        self.figure.text(MARGIN * DPI / WIDTH_PX, 1 - down / self.height, words, va="center", **style)


def _check(hsi: xr.DataArray, fused: xr.DataArray, truth: xr.DataArray | None) -> None:
    if hsi.sizes["band"] != fused.sizes["band"]:
        raise ShapeError(
            f"the fused cube has {fused.sizes['band']} bands and the HSI {hsi.sizes['band']}",
            expected="the same bands",
        )
    if truth is not None and truth.shape != fused.shape:
        raise ShapeError(f"the truth has shape {truth.shape}", expected=f"{fused.shape}, as the fused cube")


def _counts(cube: xr.DataArray) -> str:
    bands = cube.sizes["band"]
    return f"{bands} band{'s' if bands != 1 else ''}, {cube.sizes['y']} × {cube.sizes['x']} pixels"


def _draw_picture(axes: Axes, picture: Any, fused: xr.DataArray) -> None:
    """Show a picture on the fine grid's coordinates, so that a place has the same position on all of them."""
    extent = (-0.5, fused.sizes["x"] - 0.5, fused.sizes["y"] - 0.5, -0.5)
    axes.imshow(picture, extent=extent, interpolation="nearest", aspect="equal")
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)


def _head(axes: Axes, name: str, words: str) -> None:
    axes.annotate(
        name, (0, 1), (0, 24), "axes fraction", "offset points", size=14, weight="bold", color=INK, va="bottom"
    )
    axes.annotate(words, (0, 1), (0, 7), "axes fraction", "offset points", size=11.5, color=QUIET, va="bottom")


def _mark(axes: Axes, places: tuple[Place, ...]) -> None:
    """Put lettered discs on a picture, the letter inside the disc so that nothing overlaps."""
    for place, colour in zip(places, PLACE_COLOURS, strict=False):
        at = (place.column, place.row)
        axes.plot(*at, "o", ms=17, color=colour, mec="white", mew=2.0)
        axes.annotate(place.letter, at, size=11, weight="bold", color="white", ha="center", va="center_baseline")


def _error(fused: xr.DataArray, truth: xr.DataArray) -> FloatArray:
    """Root mean square over the bands at each pixel, (y, x)."""
    difference = np.asarray(fused.values, dtype=np.float64) - np.asarray(truth.values, dtype=np.float64)
    error: FloatArray = np.sqrt(np.square(difference).mean(axis=0))
    return error


def _draw_error(axes: Axes, error: FloatArray) -> None:
    finite = error[np.isfinite(error)]
    top = float(np.percentile(finite, ERROR_PERCENTILE)) if finite.size else 0.0
    axes.imshow(error, cmap="cividis", vmin=0.0, vmax=top or 1.0, interpolation="nearest", aspect="equal")
    _plain(axes)
    _head(axes, "Error of the fused cube", "RMS over the bands at each pixel")


def _colour_bar(axes: Axes, bar: Axes, unit: str) -> None:
    """Draw the error's colour bar; the brightest colour also stands for everything above it."""
    drawn = bar.figure.colorbar(axes.images[0], cax=bar, orientation="horizontal", extend="max", extendfrac=0.03)
    drawn.outline.set_visible(False)
    bar.locator_params(nbins=4)
    bar.tick_params(labelsize=11, colors=QUIET, length=3)
    bar.set_xlabel(unit or "unit of the data", size=11.5, color=QUIET, labelpad=3)


def save_figure(figure: Figure, target: Path) -> Path:
    """Write a figure as a PNG, all or nothing.

    Args:
        figure: The figure.
        target: The file; its folder must exist.

    Returns:
        The path written.

    Raises:
        WriteError: The file cannot be written.
    """
    part = target.with_name(target.name + ".part")
    try:
        figure.savefig(part, format="png", dpi=DPI)
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise WriteError(
            f"the figure '{target}' could not be written ({error.strerror or error})",
            do="check the folder and the free space",
        ) from error
    return target
