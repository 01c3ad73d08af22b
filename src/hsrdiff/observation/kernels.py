"""Kernels of D: Gaussians, and any kernel moved by a part of a pixel."""

from __future__ import annotations

import math

import numpy as np
import torch

from hsrdiff.errors import InputError
from hsrdiff.typing import FloatArray

FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))  # 2.35482


def gaussian_kernel(sigma: float, size: int) -> FloatArray:
    """Return a Gaussian centred in its square, sum 1.

    Args:
        sigma: Standard deviation, pixels, > 0.
        size: K, at least 1.

    Returns:
        (K, K), float64.

    Raises:
        InputError: sigma or size is not usable.
    """
    if not (math.isfinite(sigma) and sigma > 0):
        raise InputError(f"the PSF's sigma is {sigma}", expected="a positive number of HR pixels")
    if size < 1:
        raise InputError(f"the PSF's size is {size}", expected="at least 1 HR pixel")
    u = np.arange(size, dtype=np.float64) - (size - 1) / 2
    profile = np.exp(-0.5 * (u / sigma) ** 2)
    profile /= profile.sum()
    return np.outer(profile, profile)


def moved_kernel(kernel: torch.Tensor, rows: float, columns: float, least: int) -> torch.Tensor:
    """Move a kernel by cubic convolution (Keys, a = -1/2), which keeps its sum, its width and whole pixels.

    Args:
        kernel: (K, K), float64.
        rows: How far down, pixels.
        columns: How far to the right, pixels.
        least: Side below which rings of zeros at the edge are not cut off.

    Returns:
        (K', K'), K' - K even.
    """
    size = len(kernel)
    room = math.floor(max(abs(rows), abs(columns))) + 2
    place = torch.arange(size + 2 * room, dtype=torch.float64)[:, None] - room - torch.arange(size)
    moved = _keys(place - rows) @ kernel @ _keys(place - columns).T
    while len(moved) > least:  # rings of zeros at the edge need no work
        edge = torch.ones_like(moved)
        edge[1:-1, 1:-1] = 0
        if bool((moved * edge).any()):
            break
        moved = moved[1:-1, 1:-1]
    return moved


def _keys(x: torch.Tensor) -> torch.Tensor:
    """Cubic convolution kernel of Keys with a = -1/2: it reproduces parabolas."""
    x = x.abs()
    near, far = (1.5 * x - 2.5) * x.square() + 1.0, ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0
    return torch.where(x <= 1.0, near, torch.where(x < 2.0, far, torch.zeros_like(x)))
