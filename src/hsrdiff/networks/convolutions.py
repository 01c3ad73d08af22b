"""Convolutions of feature maps (n, H, W, C) by the fastest way that the processor has for each.

A map in this order is a channels-last image, so that a convolution sees it without a copy.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

_LANES = 16  # float32 numbers in the widest vector register


def pointwise(features: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """Apply a 1x1 convolution, ``W f + b`` at each position.

    Args:
        features: Shape (..., C).
        weight: Shape (C', C).
        bias: Shape (C',), or None.

    Returns:
        Shape (..., C').
    """
    if not _by_convolution(features):
        return F.linear(features, weight, bias)
    image = features.reshape(1, -1, 1, features.shape[-1]).permute(0, 3, 1, 2)  # channels last, one column
    # Numerics: a 1x1 kernel is the same at any dilation; with one, torch takes oneDNN on a single thread too.
    out = F.conv2d(image, weight[:, :, None, None], bias, dilation=2)
    return out.permute(0, 2, 3, 1).reshape(*features.shape[:-1], weight.shape[0])


def _by_convolution(features: torch.Tensor) -> bool:
    """Whether oneDNN does it: in float32 it is fast on processors of every make, matrix products are not."""
    return (
        features.device.type == "cpu"
        and features.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    )


class Pointwise(nn.Linear):
    """A 1x1 convolution of feature maps (..., C)."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve (..., C) to (..., C')."""
        return pointwise(features, self.weight, self.bias)


def depthwise(features: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Convolve each channel with its own 3x3 kernel, zeros beyond the edge.

    Args:
        features: Shape (n, H, W, C).
        weight: Shape (C, 1, 3, 3).

    Returns:
        Shape (n, H, W, C).
    """
    image = features.permute(0, 3, 1, 2)
    # P38: zeros beyond the edge.
    return F.conv2d(image, weight, padding=1, groups=image.shape[1]).permute(0, 2, 3, 1)


class DepthwiseConv(nn.Module):
    """A 3x3 convolution of each channel with itself, without bias, zero padding.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, 1, 3, 3))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve (n, H, W, C) to (n, H, W, C)."""
        return depthwise(features, self.weight)


def whole_lanes(weight: torch.Tensor, dim: int = 0) -> torch.Tensor:
    """Append zeros along a dimension up to whole vector registers: channels that stay 0 and cost less than a remainder.

    Args:
        weight: A weight whose dimension `dim` runs over channels.
        dim: The dimension.

    Returns:
        The weight, with a multiple of 16 channels there.
    """
    missing = -weight.shape[dim] % _LANES
    if not missing:
        return weight
    return F.pad(weight, (0, 0) * (weight.dim() - 1 - dim) + (0, missing))


def folded(image: torch.Tensor, convolution: nn.Conv2d, patch: int) -> torch.Tensor:
    """Fold squares of pixels into tokens and convolve these, ``conv(pixel_unshuffle(image))``, without the fold.

    A 3x3 convolution of tokens of p x p pixels is one of 3p x 3p pixels with stride p.

    Args:
        image: Shape (n, K, H, W); H and W are multiples of `patch`.
        convolution: 3x3, padding 1, on K p**2 channels.
        patch: p, side of the square of pixels that makes one token.

    Returns:
        Tokens, shape (n, H/p, W/p, C).
    """
    weight = rearrange(convolution.weight, "o (k p q) y x -> o k (y p) (x q)", p=patch, q=patch)
    # Numerics: channels last is faster; torch copies a transposed matrix by blocks, a channels-last image by pixels.
    last = torch.stack([each.flatten(1).t().contiguous() for each in image])
    last = last.view(len(image), *image.shape[-2:], -1).permute(0, 3, 1, 2)
    out = F.conv2d(last, weight, convolution.bias, stride=patch, padding=patch)
    return out.permute(0, 2, 3, 1).contiguous()
