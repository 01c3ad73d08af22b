"""The Noise-aware Conditional S2TL of Figure 5: noise level in, cross attention to the SR stream, then an S2TL."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from hsrdiff.networks.convolutions import Pointwise
from hsrdiff.networks.embedding import NoiseInjection
from hsrdiff.networks.layers import S2TL
from hsrdiff.networks.windows import attend, distance_bias, merge, partition


@dataclass(frozen=True)
class KeysValues:
    """Keys and values of one layer's cross attention, cut into windows once per image.

    Attributes:
        k: Shape (n, H/M, W/M, M*M, C).
        v: The same shape.
    """

    k: torch.Tensor
    v: torch.Tensor


class CrossAttention(nn.Module):
    """Multi-head cross attention (MCA): pixels of F^DS ask the pixels of F^SR in the same window.

    Args:
        channels: C.
        heads: Number of heads.
        window: Side of a window in pixels.
    """

    # P11: attention over all pixels of an image is impossible, so MCA is windowed like SpatioMSA, without shift. A
    # query made of noise cannot tell the pixels of a window apart, so that nothing but the window's mean would pass:
    # a fixed distance bias lets the first heads hand over their own pixel.
    bias: torch.Tensor

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.query = Pointwise(channels, channels, bias=False)
        self.key = Pointwise(channels, channels, bias=False)
        self.value = Pointwise(channels, channels, bias=False)
        self.project = Pointwise(channels, channels)
        self.register_buffer("bias", distance_bias(window, heads), persistent=False)

    def remember(self, normed: torch.Tensor, sr: torch.Tensor) -> KeysValues:
        """Compute keys of LN(F^SR) and values of F^SR, shapes (n, H, W, C); they do not depend on the noise level."""
        return KeysValues(self.key(partition(normed, self.window)), self.value(partition(sr, self.window)))

    def forward(self, features: torch.Tensor, memory: KeysValues) -> torch.Tensor:
        """Attend to the remembered SR features; (n, H, W, C) to (n, H, W, C)."""
        q = self.query(partition(features, self.window))
        return merge(self.project(attend(q, memory.k, memory.v, self.bias)), self.window)


class NCS2TL(nn.Module):
    """Noise-aware Conditional S2TL, Figure 5.

    Args:
        channels: C.
        heads: Number of heads.
        window: Side of a spatial window in pixels.
        ffn_ratio: Hidden channels of the feed-forward network over C.
        shift: Shift the S2TL's spatial windows by half.
        embedding_scale: Scale of gamma in the noise-level embedding, Eq. (7).
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        window: int,
        ffn_ratio: float,
        *,
        shift: bool,
        embedding_scale: float,
    ) -> None:
        super().__init__()
        self.inject = NoiseInjection(channels, scale=embedding_scale)
        self.norm_query = nn.LayerNorm(channels)
        self.norm_memory = nn.LayerNorm(channels)
        self.cross = CrossAttention(channels, heads, window)
        self.layer = self.transform(channels, heads, window, ffn_ratio, shift=shift)

    @staticmethod
    def transform(channels: int, heads: int, window: int, ffn_ratio: float, *, shift: bool) -> nn.Module:
        """Make the layer that follows the conditioning."""
        return S2TL(channels, heads, window, ffn_ratio, shift=shift)

    def remember(self, sr: torch.Tensor) -> KeysValues:
        """Keys and values of F^SR of the same depth, shape (n, H, W, C)."""
        # P11: values without layer norm, so that the brightness of X reaches the denoising stream undistorted.
        return self.cross.remember(self.norm_memory(sr), sr)

    def forward(self, features: torch.Tensor, memory: KeysValues, gamma: torch.Tensor) -> torch.Tensor:
        """Inject the noise level, attend to the SR stream, transform; (n, H, W, C) to (n, H, W, C)."""
        features = self.inject(features, gamma)
        features = features + self.cross(self.norm_query(features), memory)
        out: torch.Tensor = self.layer(features)
        return out
