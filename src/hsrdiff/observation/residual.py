"""Residual: how far what two instruments would see of a cube is from what they saw, over the pixels that count."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from hsrdiff.observation.model import Observation
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.typing import HRHSI, LRHSI, MSI

_TOUCHED = 1e-12  # weight on invalid pixels from which an LR pixel does not count
_STRIP_PIXELS = 4 * 2**20  # HR pixels of a strip: float64 of the whole image may not fit the memory


@dataclass(frozen=True)
class Residual:
    """Difference between an image and its model.

    Args:
        rms: Root mean square, in the image's unit; NaN where no pixel counts.
        relative: The same over the root mean square of the image; infinite over an image of zeros.
        pixels: How many pixels count.
        of: How many the image has.
    """

    rms: float
    relative: float
    pixels: int
    of: int

    def describe(self, unit: float = 1.0) -> str:
        """Return one line for a record.

        Args:
            unit: What `rms` is multiplied by to come into the file's unit.
        """
        if not self.pixels:
            return "not known, as every pixel touches invalid ones"
        where = "" if self.pixels == self.of else f", over {self.pixels} of {self.of} pixels"
        return f"RMS {self.rms * unit:.3g}, {100 * self.relative:.3g} % of the image's{where}"


def residuals(
    observation: Observation,
    Z: HRHSI,
    X: MSI,
    Y: LRHSI,
    valid: torch.Tensor | None = None,
    valid_lr: torch.Tensor | None = None,
    *,
    unit: float = 1.0,
) -> tuple[Residual, Residual]:
    """Compare R Z with X and Z D with Y, in float64, band by band; LR pixels that touch invalid HR ones do not count.

    Z may be larger than memory: it is read in strips of rows.

    Args:
        observation: R and D.
        Z: Shape (1, B, H, W); a pixel that is NaN in a band is invalid.
        X: Shape (1, b, H, W); values under the mask are not used.
        Y: Shape (1, B, h, w); values under the mask are not used.
        valid: True where X may be used, bool (1, 1, H, W), or None for everywhere.
        valid_lr: True where Y may be used, bool (1, 1, h, w), or None for everywhere.
        unit: What Z is divided by to come into the unit of X and Y.

    Returns:
        The residual of X and that of Y, in their units.

    Raises:
        ShapeError: They do not fit R or D.
    """
    sums_x, sums_y = _Sums(), _Sums()
    for rows, own in _strips(observation.spatial, Y, X):
        s = observation.spatial.factor
        fine, coarse = slice(rows.start * s, rows.stop * s), rows
        own_fine = slice(own.start * s, own.stop * s)
        known = finite_pixels(Z[..., fine, :])
        counts_x = known if valid is None else known & valid[..., fine, :]
        counts_x = counts_x[..., own_fine, :]
        counts_y = observation.spatial.apply((~known).double()).abs() <= _TOUCHED
        counts_y = counts_y if valid_lr is None else counts_y & valid_lr[..., coarse, :]
        counts_y = counts_y[..., own, :]
        part_x, part_y = X[..., fine, :][..., own_fine, :], Y[..., coarse, :][..., own, :]
        RZ = torch.zeros(part_x.shape, dtype=torch.float64)
        for band in range(Z.shape[1]):
            layer = torch.where(known, Z[:, band : band + 1, fine], 0.0).double() / unit
            RZ += observation.spectral.matrix[:, band, None, None] * layer[..., own_fine, :]
            sums_y.add(observation.spatial.apply(layer)[..., own, :], part_y[:, band : band + 1], counts_y)
        sums_x.add(RZ, part_x, counts_x)
        sums_x.count(counts_x)
        sums_y.count(counts_y)
    return sums_x.residual(int(X.shape[1])), sums_y.residual(int(Y.shape[1]))


def _strips(D: SpatialResponse, Y: LRHSI, X: MSI) -> Iterator[tuple[slice, slice]]:
    """Yield LR rows to read, with what D reaches beyond them, and which of these are the strip's own."""
    h = Y.shape[-2]
    reach = max(0, -(-D.offset // D.factor))
    tall = max(1, _STRIP_PIXELS // (D.factor * X.shape[-1]))
    if D.border == "circular" or h <= tall:
        yield slice(0, h), slice(0, h)
        return
    for start in range(0, h, tall):
        stop = min(start + tall, h)
        top, bottom = max(0, start - reach), min(h, stop + reach)
        yield slice(top, bottom), slice(start - top, stop - top)


def finite_pixels(Z: torch.Tensor) -> torch.Tensor:
    """Mark the pixels that are finite in every band, band by band, as a cube may be larger than memory.

    Args:
        Z: Shape (n, B, H, W).

    Returns:
        Bool (n, 1, H, W).
    """
    known = torch.ones_like(Z[:, :1], dtype=torch.bool)
    for band in range(Z.shape[1]):
        known &= torch.isfinite(Z[:, band : band + 1])
    return known


class _Sums:
    """Squares of what an image and its model differ by, and of the image, over the pixels that count."""

    def __init__(self) -> None:
        self.squares = self.energy = 0.0
        self.pixels = self.of = 0

    def add(self, model: torch.Tensor, image: torch.Tensor, counts: torch.Tensor) -> None:
        """Add some bands of a strip."""
        seen = torch.where(counts, image, 0.0).double()
        self.squares += float(torch.where(counts, model - seen, 0.0).square().sum())
        self.energy += float(seen.square().sum())

    def count(self, counts: torch.Tensor) -> None:
        """Add the pixels of a strip."""
        self.pixels += int(counts.sum())
        self.of += counts.numel()

    def residual(self, bands: int) -> Residual:
        """Return what was added up."""
        if not self.pixels:
            return Residual(math.nan, math.nan, 0, self.of)
        relative = math.sqrt(self.squares / self.energy) if self.energy else (math.inf if self.squares else 0.0)
        return Residual(math.sqrt(self.squares / (self.pixels * bands)), relative, self.pixels, self.of)
