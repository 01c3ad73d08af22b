"""Windows of a kernel along one axis: K pixels for each block of the factor, read beyond the border by a rule."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from hsrdiff.errors import FactorError, InputError, did_you_mean

_STRIP_PIXELS = 2**20  # of all images together, correlated at a time
BORDERS = ("symmetric", "circular", "replicate")


@dataclass(frozen=True)
class KernelWindows:
    """Windows of K pixels centred on blocks of s.

    Args:
        size: K.
        factor: s.
        border: How an image continues outside, one of `BORDERS`.

    Raises:
        InputError: The border rule is unknown.
    """

    size: int
    factor: int
    border: str

    def __post_init__(self) -> None:
        if self.border not in BORDERS:
            raise InputError(f"the border rule is '{self.border}'", do=did_you_mean(str(self.border), BORDERS))

    @property
    def offset(self) -> int:
        """Pixels that a window reaches beyond its block, o = (K - s) / 2."""
        return (self.size - self.factor) // 2

    def split(self, image: torch.Tensor, axis: int) -> torch.Tensor:
        """Split an axis into (blocks, K), reading beyond the border by the rule.

        Args:
            image: Any shape; the axis a multiple of the factor.
            axis: Which, counted from the end.

        Returns:
            A tensor with one axis more.
        """
        length = image.shape[axis]
        if self.size != self.factor:
            image = image.index_select(axis, self._index(length, image.device))
        shape = list(image.shape)
        shape[axis : axis + 1 or None] = [length // self.factor, self.size]
        return image.reshape(shape)

    def fold(self, windows: torch.Tensor, axis: int, length: int) -> torch.Tensor:
        """Return the adjoint of `split`: each element of a window added to the pixel it was read from.

        Args:
            windows: As `split` returns them.
            axis: The one of K, counted from the end, behind that of the blocks.
            length: Pixels of the image along it.

        Returns:
            A tensor with one axis less.
        """
        image = windows.flatten(axis - 1, axis)
        if self.size == self.factor:
            return image
        shape = list(image.shape)
        shape[axis] = length
        folded = torch.zeros(shape, dtype=image.dtype, device=image.device)
        return folded.index_add(axis, self._index(length, image.device), image)

    def _index(self, length: int, device: torch.device) -> torch.Tensor:
        """Source pixel s i + u - o of each window element along an axis, shape (length / s * K,)."""
        blocks = torch.arange(length // self.factor, device=device)[:, None] * self.factor
        index = (blocks + torch.arange(self.size, device=device) - self.offset).flatten()
        if self.border == "circular":
            return index.remainder(length)
        if self.border == "replicate":
            return index.clamp(0, length - 1)
        index = index.remainder(2 * length)  # the mirrored image repeats after 2 lengths
        return torch.minimum(index, 2 * length - 1 - index)


def correlated(images: torch.Tensor, columns: torch.Tensor, rows: torch.Tensor, before: int) -> torch.Tensor:
    """Correlate images, 0 outside, with a kernel given as a sum of products.

    Args:
        images: Shape (n, 1, H, W).
        columns: Vertical factors, shape (K, r).
        rows: Horizontal factors, likewise.
        before: Pixels that the kernel reaches up and to the left of a pixel, in 0 .. K - 1.

    Returns:
        Shape (n, 1, H, W).
    """
    after = len(columns) - 1 - before
    height, width = images.shape[-2:]
    found = torch.empty_like(images)
    # Numerics: in strips, as a convolution takes K times the memory of what it is given
    tall = max(1, _STRIP_PIXELS // (len(images) * width))
    for start in range(0, height, tall):
        stop = min(start + tall, height)
        top, bottom = start - before, stop + after
        strip = images[:, :, max(0, top) : min(height, bottom)]
        strip = F.pad(strip, (before, after, max(0, -top), max(0, bottom - height)))
        found[:, :, start:stop] = F.conv2d(F.conv2d(strip, columns.T[:, None, :, None]), rows.T[None, :, None, :])
    return found


def check_factor(factor: Any) -> int:
    """Return `factor` as an int of at least 2.

    Args:
        factor: s = H / h.

    Returns:
        The same number.

    Raises:
        FactorError: It is not a whole number of at least 2.
    """
    try:
        whole = operator.index(factor)
    except TypeError:
        whole = int(factor) if isinstance(factor, float) and factor.is_integer() else 0
    if whole < 2:
        raise FactorError(f"the factor is {factor}", expected="a whole number of at least 2")
    return whole
