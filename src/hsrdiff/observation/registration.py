"""Registration: how far Y lies from X, measured on the bands that both see, R Y against X D."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hsrdiff.observation.likeness import Likeness
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.shift_field import ShiftField, fit_field
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.observation.spectral import SpectralResponse
from hsrdiff.typing import FloatArray

# A shift is reliable where the images correlate so well and its standard error is so small, LR pixels.
LEAST_CORRELATION, LARGEST_ERROR = 0.5, 0.1
# It is global where so large a share of the blocks that can tell lie so near to it, LR pixels.
GLOBAL_SHARE, NEAR = 0.75, 0.25
_TELLING = 0.25  # LR pixels: blocks whose own standard error is larger tell nothing
_REGRESSIONS, _SETTLED = 10, 1e-3  # rounds where R is not known, and LR pixels that end them


@dataclass(frozen=True)
class BlockShift:
    """The shift of one block.

    Attributes:
        row: First row, LR pixels.
        column: First column.
        height: Rows, LR pixels.
        width: Columns.
        shift: As in `Registration`.
        error: Standard error of the shift, LR pixels; infinite where the block shows nothing.
    """

    row: int
    column: int
    height: int
    width: int
    shift: tuple[float, float]
    error: float

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column of its middle, LR pixels, counted between pixel centres."""
        return self.row + (self.height - 1) / 2, self.column + (self.width - 1) / 2

    @property
    def telling(self) -> bool:
        """Whether the block shows enough to be counted."""
        return self.error <= _TELLING


@dataclass(frozen=True)
class Registration:
    """Where Y lies, from R Y against X D.

    Attributes:
        shift: (rows, columns) in LR pixels by which what Y shows lies further down and to the right than in X.
        error: Standard error of the shift along its worse axis, LR pixels: the largest of what the fit itself says
            and of what the bands and the blocks say by how they differ; infinite where nothing can be said.
        correlation: Mean over MSI bands of the correlation of R Y and X D with Y moved by the shift.
        bands: Shift of each MSI band alone, shape (b, 2), NaN where it shows nothing.
        blocks: Shifts of parts of the image.
        field: The shift as it changes over the image, where the blocks say clearly that it does.
        size: Rows and columns of the HSI.
    """

    shift: tuple[float, float]
    error: float
    correlation: float
    bands: FloatArray
    blocks: tuple[BlockShift, ...] = ()
    field: ShiftField | None = None
    size: tuple[int, int] = (0, 0)

    @property
    def length(self) -> float:
        """Length of the shift, LR pixels."""
        return math.hypot(*self.shift)

    @property
    def reliable(self) -> bool:
        """Whether the images are alike and the shift is certain to a tenth of an LR pixel."""
        return self.correlation >= LEAST_CORRELATION and self.error <= LARGEST_ERROR

    @property
    def agreeing(self) -> float:
        """Share of the telling blocks that lie near the shift; 1 where there are fewer than two."""
        told = [block for block in self.blocks if block.telling]
        near = [math.dist(block.shift, self.shift) <= max(NEAR, 3.0 * block.error) for block in told]
        return sum(near) / len(near) if len(near) > 1 else 1.0

    @property
    def everywhere(self) -> bool:
        """Whether the whole image is shifted alike."""
        return self.agreeing >= GLOBAL_SHARE

    @property
    def left(self) -> ShiftField | None:
        """The affine field of the blocks, however small it is; None where fewer than 8 of them tell something."""
        return fit_field(*_of_blocks(self.blocks), self.size, least=False)

    def describe(self) -> str:
        """Say the shift and how far to trust it."""
        if not math.isfinite(self.error):
            return "the images show too little detail to measure a shift"
        rows, columns = (f"{value:+.2f}" if abs(value) >= 0.005 else "0" for value in self.shift)
        told = [block for block in self.blocks if block.telling]
        sure = "reliable" if self.reliable else "not reliable"
        words = f"the hyperspectral image lies {rows} rows and {columns} columns from the multispectral one, in "
        words += "hyperspectral pixels"
        if not self.reliable and self.field is None:
            words = (
                f"no shift can be told, {rows} rows and {columns} columns of hyperspectral pixels being the best guess"
            )
        words += f"; {sure}: standard error {self.error:.2g}, correlation {self.correlation:.2f}"
        if len(told) > 1:
            words += f", {100 * self.agreeing:.0f} % of {len(told)} blocks agree"
        if self.field is not None:
            words += f"; it is {self.field.describe()}"
        return words


def register(scene: Scene, spatial: SpatialResponse, spectral: SpectralResponse | None = None) -> Registration | None:
    """Measure the shift d that makes R Y and X D most alike, ``(R Y)[i] ~ a (X D)[i - d] + c`` with a, c per band.

    X is blurred as D does and read at any place by cubic splines, so that d need be no whole pixel. It begins at the
    best of no shift and of the masked cross-correlation (Padfield, IEEE TIP 21(5), 2012) and is refined by
    Gauss-Newton steps, over the whole image, over each band and over blocks. LR pixels that are invalid, or whose
    kernel touches the border or (where enough are left without them) an invalid pixel of X, are not counted.

    Where R is not known, R Y is a regression of X D on the three largest principal components of Y, made anew at every
    shift that is found. A fit to all bands would follow a shift: among many bands that lie a little off each other
    some mixture lies as X does.

    Args:
        scene: X, Y and their masks, in any units.
        spatial: D.
        spectral: R where it is known (not fitted to this pair), else None.

    Returns:
        The shift, or None where fewer than `LEAST_PIXELS` LR pixels can be compared.
    """
    seen = Likeness.of(scene, spatial, spectral)
    if seen is None:
        return None
    fits = []
    for begin in seen.beginnings():
        if spectral is None:
            seen.regress(begin)
        fits.append(seen.fit(begin))
    best = max(fits, key=lambda fit: fit.correlation)
    for _ in range(_REGRESSIONS if spectral is None else 0):
        before = best.shift[0]
        seen.regress(before)
        best = seen.fit(before)
        if np.abs(best.shift[0] - before).max() < _SETTLED:
            break
    weights = best.weights
    whole = seen.fit(best.shift[0], weights=weights)
    if not math.isfinite(whole.error[0]):
        return Registration((0.0, 0.0), math.inf, whole.correlation, np.full((seen.bands, 2), np.nan))
    shift = whole.shift[0]
    alone = [seen.fit(shift, bands=slice(band, band + 1)) for band in range(seen.bands)]
    of_bands = np.array([fit.shift[0] if fit.error[0] <= _TELLING else (np.nan, np.nan) for fit in alone])
    labels, places = seen.blocks()
    blocks: tuple[BlockShift, ...] = ()
    if len(places) > 1:
        parts = seen.fit(shift, weights=weights, labels=labels, count=len(places))
        blocks = tuple(
            BlockShift(*place, (float(d[0]), float(d[1])), float(error))
            for place, d, error in zip(places, parts.shift, parts.error, strict=True)
        )
    middles, told, errors = _of_blocks(blocks)
    known = of_bands[np.isfinite(of_bands).all(axis=1)]
    error = max(float(whole.error[0]), _scatter(told), _scatter(known))
    size = int(scene.Y.shape[-2]), int(scene.Y.shape[-1])
    field = fit_field(middles, told, errors, size)
    return Registration((float(shift[0]), float(shift[1])), error, whole.correlation, of_bands, blocks, field, size)


def _of_blocks(blocks: tuple[BlockShift, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return middles (n, 2), shifts (n, 2) and standard errors (n,) of the blocks that tell something."""
    telling = [block for block in blocks if block.telling]
    middles, shifts = (
        np.array([getattr(block, name) for block in telling], dtype=np.float64).reshape(-1, 2)
        for name in ("middle", "shift")
    )
    return middles, shifts, np.array([block.error for block in telling], dtype=np.float64)


def _scatter(shifts: FloatArray) -> float:
    """Return the standard error of the mean of several shifts by how they differ, along the worse axis; 0 for few."""
    if len(shifts) < 3:
        return 0.0
    # Numerics: 1.4826 times the median distance from the median is the standard deviation of a normal distribution
    spread = 1.4826 * np.median(np.abs(shifts - np.median(shifts, axis=0)), axis=0)
    return float(spread.max() / math.sqrt(len(shifts)))
