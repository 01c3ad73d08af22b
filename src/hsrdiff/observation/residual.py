"""Residual: how far what two instruments would see of a cube is from what they saw, over the pixels that count."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from hsrdiff.observation.model import Observation
from hsrdiff.typing import HRHSI, LRHSI, MSI

_TOUCHED = 1e-12  # weight on invalid pixels from which an LR pixel does not count


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
) -> tuple[Residual, Residual]:
    """Compare R Z with X and Z D with Y, in float64, band by band; LR pixels that touch invalid HR ones do not count.

    Args:
        observation: R and D.
        Z: Shape (1, B, H, W); a pixel that is NaN in a band is invalid.
        X: Shape (1, b, H, W); values under the mask are not used.
        Y: Shape (1, B, h, w); values under the mask are not used.
        valid: True where X may be used, bool (1, 1, H, W), or None for everywhere.
        valid_lr: True where Y may be used, bool (1, 1, h, w), or None for everywhere.

    Returns:
        The residual of X and that of Y, in their units.

    Raises:
        ShapeError: They do not fit R or D.
    """
    spectral, spatial = observation.spectral, observation.spatial
    known = torch.isfinite(Z).all(dim=1, keepdim=True)
    counts_x = known if valid is None else known & valid
    counts_y = spatial.apply((~known).double()).abs() <= _TOUCHED
    if valid_lr is not None:
        counts_y = counts_y & valid_lr
    RZ = torch.zeros(X.shape, dtype=torch.float64)
    squares_y, energy_y = 0.0, 0.0
    for band in range(Z.shape[1]):  # one band at a time: float64 of the whole cube may not fit the memory
        layer = torch.where(known, Z[:, band : band + 1], 0.0).double()
        RZ += spectral.matrix[:, band, None, None] * layer
        seen = Y[:, band : band + 1].double()
        difference = torch.where(counts_y, spatial.apply(layer) - seen, 0.0)
        squares_y += float(difference.square().sum())
        energy_y += float(torch.where(counts_y, seen, 0.0).square().sum())
    difference = torch.where(counts_x, RZ - X, 0.0)
    energy_x = float(torch.where(counts_x, X, 0.0).double().square().sum())
    return (
        _residual(float(difference.square().sum()), energy_x, counts_x, int(X.shape[1])),
        _residual(squares_y, energy_y, counts_y, int(Y.shape[1])),
    )


def _residual(squares: float, energy: float, counts: torch.Tensor, bands: int) -> Residual:
    pixels, of = int(counts.sum()), counts.numel()
    if not pixels:
        return Residual(math.nan, math.nan, 0, of)
    relative = math.sqrt(squares / energy) if energy else (math.inf if squares else 0.0)
    return Residual(math.sqrt(squares / (pixels * bands)), relative, pixels, of)
