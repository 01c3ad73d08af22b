"""Another light on a scene: gains that are a random smooth curve over the bands."""

from __future__ import annotations

import math

import torch


def tint(bands: int, spread: float, draw: torch.Generator) -> torch.Tensor:
    """Draw the gains of another light: the exponential of three random waves over the band axis.

    Args:
        bands: B.
        spread: Standard deviation of the natural logarithm, at least 0.
        draw: Source of the draw.

    Returns:
        Shape (B,), float64, positive.
    """
    place = (torch.arange(bands, dtype=torch.float64) + 0.5) / bands
    waves = torch.stack([torch.cos(math.pi * k * place) / k for k in (1, 2, 3)])
    # a cosine has mean square 1/2, so that the waves' sum has the wanted spread on average
    size = spread / math.sqrt(0.5 * (1 + 1 / 4 + 1 / 9))
    return (size * torch.randn(3, generator=draw, dtype=torch.float64) @ waves).exp()
