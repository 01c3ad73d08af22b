"""Differences with free ends: their matrices are diagonal in the cosine transform (DCT-II)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from scipy import fft


def cosine(image: torch.Tensor, axes: Sequence[int], *, inverse: bool = False) -> torch.Tensor:
    """Return the orthonormal DCT-II along some axes, or its inverse.

    Args:
        image: Any shape, floating point.
        axes: Axes to transform.
        inverse: Whether to go back.

    Returns:
        Same shape, type and device.
    """
    transform = fft.idctn if inverse else fft.dctn
    return torch.from_numpy(transform(image.cpu().numpy(), type=2, axes=tuple(axes), norm="ortho")).to(image)


def path_spectrum(length: int) -> torch.Tensor:
    """Eigenvalues of ``E^T E`` for first differences E with free ends: ``2 - 2 cos(pi k / length)``.

    Args:
        length: Points along the axis.

    Returns:
        Shape (length,), float64, for k = 0 ... length - 1 of the DCT-II.
    """
    return 2.0 - 2.0 * torch.cos(math.pi * torch.arange(length, dtype=torch.float64) / length)


def difference(image: torch.Tensor, axis: int) -> torch.Tensor:
    """Return ``image[i + 1] - image[i]`` along an axis, 0 behind the last one.

    Args:
        image: Any shape.
        axis: Where to.

    Returns:
        Same shape.
    """
    last = image.narrow(axis, image.shape[axis] - 1, 1)
    return torch.diff(image, dim=axis, append=last)


def difference_adjoint(image: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the exact adjoint of `difference`.

    Args:
        image: Any shape; what stands behind the last difference is not used.
        axis: Where to.

    Returns:
        Same shape.
    """
    inner = image.narrow(axis, 0, image.shape[axis] - 1)
    zero = torch.zeros_like(image.narrow(axis, 0, 1))
    return -torch.diff(inner, dim=axis, prepend=zero, append=zero)


def soft(values: torch.Tensor, threshold: float) -> torch.Tensor:
    """Soft threshold: ``sign(x) max(|x| - t, 0)``, the proximal point of ``t |x|_1``.

    Args:
        values: Any shape.
        threshold: t, at least 0.

    Returns:
        Same shape.
    """
    return values.sign() * (values.abs() - threshold).clamp_min(0.0)
