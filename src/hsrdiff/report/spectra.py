"""The spectra of one place: fused, true and as the coarse image sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hsrdiff.report.places import Place
from hsrdiff.typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, QUIET, COARSE = "#1f2328", "#6b7280", "#9aa1ab"
# Centres further apart than this many median spacings have removed bands between them: no line across.
GAP = 3.0


def band_axis(cube: xr.DataArray) -> tuple[FloatArray, str]:
    """Return what stands on the x axis and its label: wavelengths in nm, or band numbers from 1.

    Args:
        cube: (band, y, x).

    Returns:
        (B,) and the label.
    """
    if "wavelength" in cube.coords:
        return np.asarray(cube["wavelength"].values, dtype=np.float64), "Wavelength (nm)"
    return np.arange(1, cube.sizes["band"] + 1, dtype=np.float64), "Band"


def broken_at_gaps(axis: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sort by the axis and put a NaN into every gap, so that a drawn line stops there.

    Args:
        axis: (B,), wavelengths or band numbers.
        values: (B,).

    Returns:
        Axis and values, longer by one for each gap.
    """
    order = np.argsort(axis, kind="stable")
    axis, values = axis[order], values[order]
    spacing = np.diff(axis)
    if spacing.size == 0:
        return axis, values
    after = np.flatnonzero(spacing > GAP * np.median(spacing)) + 1
    return np.insert(axis, after, np.nan), np.insert(values, after, np.nan)


def draw_spectra(
    axes: Axes,
    place: Place,
    colour: str,
    *,
    hsi: xr.DataArray,
    fused: xr.DataArray,
    truth: xr.DataArray | None,
    unit: str,
) -> None:
    """Draw one place's spectra with direct, non-overlapping labels.

    Args:
        axes: Where.
        place: Which pixel of the fine grid.
        colour: Colour of the place and of its fused spectrum.
        hsi: LR-HSI (B, h, w).
        fused: (B, H, W).
        truth: (B, H, W) or None.
        unit: Label of the y axis; none when empty.
    """
    axis, label = band_axis(fused)
    factor = fused.sizes["y"] // hsi.sizes["y"]
    coarse = hsi.isel(y=place.row // factor, x=place.column // factor)
    lines: list[tuple[xr.DataArray, str, float, Any, str, int]] = [(coarse, COARSE, 1.6, (0, (3, 2)), "coarse", 2)]
    if truth is not None:
        lines.append((truth.isel(y=place.row, x=place.column), INK, 3.2, "-", "truth", 3))
    lines.append((fused.isel(y=place.row, x=place.column), colour, 1.7, "-", "fused", 4))
    for pixel, line_colour, width, style, name, order in lines:
        values = np.asarray(pixel.values, dtype=np.float64)
        axes.plot(
            *broken_at_gaps(axis, values), color=line_colour, lw=width, ls=style, label=name, zorder=order,
            solid_capstyle="round",
        )  # fmt: skip
    axes.margins(x=0.02)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.0) if low > -0.05 * high else low, high * 1.30)
    axes.legend(
        loc="upper right", frameon=False, fontsize=10.5, ncols=3, handlelength=1.1, columnspacing=0.9, labelcolor=INK
    )
    axes.annotate(
        place.letter, (0, 1), (11, 19), "axes fraction", "offset points", size=11, weight="bold", color="white",
        ha="center", va="center", bbox={"boxstyle": "circle,pad=0.28", "fc": colour, "ec": "none"},
    )  # fmt: skip
    axes.annotate(
        f"row {place.row}, column {place.column}", (0, 1), (28, 19), "axes fraction", "offset points",
        size=11.5, color=QUIET, va="center",
    )  # fmt: skip
    axes.set_xlabel(label, size=11.5, color=QUIET)
    if unit:
        axes.set_ylabel(unit[:1].upper() + unit[1:], size=11.5, color=QUIET)
    axes.tick_params(labelsize=11, colors=QUIET, length=3)
    axes.locator_params(nbins=5)
    axes.grid(axis="y", color="#e5e7eb", lw=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#c5cad1")
