"""Bands that lie a little off each other, as a spectrometer draws them."""

from __future__ import annotations

import torch

from hsrdiff.fusers.residual.registration import registered
from hsrdiff.training.residual.tint import tint


def displaced(Z: torch.Tensor, most_px: float, draw: torch.Generator) -> torch.Tensor:
    """Move every band by a random smooth curve over the bands, one for rows and one for columns, to first order.

    Args:
        Z: Shape (1, B, H, W).
        most_px: Largest standard deviation of the curves, in pixels; that of a scene is even between 0 and it.
        draw: Source of the draw.

    Returns:
        Same shape and type.
    """
    spread = most_px * float(torch.rand((), generator=draw))
    shifts = torch.stack([tint(Z.shape[1], spread, draw).log() for _ in range(2)], dim=1)
    return Z + registered(Z, shifts)
