"""The Spatio-Spectral Transformer Layer of Figure 4 and its three parts.

Feature maps are kept as ``(n, H, W, C)``: every 1x1 convolution is one matrix product, and a convolution sees them as
channels-last images without a copy (`convolutions`).
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.convolutions import DepthwiseConv, Pointwise, depthwise, pointwise, whole_lanes
from hsrdiff.networks.windows import RelativePositionBias, attend, attend_shifted, merge, partition


class SpatialAttention(nn.Module):
    """SpatioMSA: multi-head self-attention inside windows, with relative position bias.

    Args:
        channels: C.
        heads: Number of heads.
        window: Side M of a window in pixels.
        shift: Roll the map by M/2 first.
    """

    def __init__(self, channels: int, heads: int, window: int, *, shift: bool) -> None:
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv = Pointwise(channels, 3 * channels)
        self.project = Pointwise(channels, channels)
        self.bias = RelativePositionBias(window, heads)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Attend inside windows; (n, H, W, C) to (n, H, W, C), H and W multiples of the window."""
        half = self.window // 2
        if self.shift:
            features = features.roll((-half, -half), dims=(1, 2))
        q, k, v = self.qkv(partition(features, self.window)).chunk(3, dim=-1)
        bias = self.bias()
        out = attend_shifted(q, k, v, bias, self.window) if self.shift else attend(q, k, v, bias)
        out = merge(self.project(out), self.window)
        return out.roll((half, half), dims=(1, 2)) if self.shift else out


class SpectralAttention(nn.Module):
    """SpectralMSA: transposed attention, in which channels attend to channels over all pixels.

    ``A = softmax(tau * q_hat k_hatᵀ)`` with q and k scaled to unit length along the pixels; ``out = W (A v)``.
    The cost is linear in pixels.

    Args:
        channels: C.
        heads: Number of heads.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Pointwise(channels, 3 * channels, bias=False)
        self.depthwise = DepthwiseConv(3 * channels)
        self.project = Pointwise(channels, channels, bias=False)
        self.temperature = nn.Parameter(torch.ones(heads))

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        """Return A from q and k of shape (n, pixels, C): shape (n, heads, C/heads, C/heads)."""
        # Numerics: in float32 at least, as both sums run over all pixels.
        with torch.autocast(q.device.type, enabled=False):
            precise = torch.promote_types(q.dtype, torch.float32)
            q, k = (rearrange(t.to(precise), "n p (k d) -> n k p d", k=self.heads) for t in (q, k))
            gram = q.transpose(-1, -2) @ k
            # Numerics: the unit length is applied to the small Gram matrix, not to the maps.
            of_q, of_k = (t.square().sum(-2).clamp_min(1e-24).rsqrt() for t in (q, k))
            scale = of_q[..., :, None] * of_k[..., None, :]
            return torch.softmax(gram * scale * self.temperature.to(precise)[:, None, None], dim=-1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Attend across channels; (n, H, W, C) to (n, H, W, C)."""
        channels = features.shape[-1]
        both, v = self.depthwise(self.qkv(features)).flatten(1, 2).split((2 * channels, channels), dim=-1)
        q, k = both.to(torch.promote_types(both.dtype, torch.float32)).chunk(2, dim=-1)
        attention = self.weights(q, k)
        # W (A v) is one matrix product with (W A), since A does not depend on the pixel.
        w = rearrange(self.project.weight, "o (k d) -> k o d", k=self.heads)
        mixed = rearrange(w.to(attention.dtype) @ attention, "n k o d -> n (k d) o")
        out = torch.bmm(v, mixed.to(v.dtype))
        return out.view(features.shape)


class GatedFeedForward(nn.Module):
    """The gated feed-forward network (GDFN): ``W_o (gelu(a) * b)`` with ``a, b = depthwise(W_i f)``.

    Args:
        channels: C.
        ratio: Hidden channels over C.
    """

    def __init__(self, channels: int, ratio: float) -> None:
        super().__init__()
        hidden = int(ratio * channels)
        self.expand = Pointwise(channels, 2 * hidden, bias=False)
        self.depthwise = DepthwiseConv(2 * hidden)
        self.project = Pointwise(hidden, channels, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Transform each pixel with its neighbours; (n, H, W, C) to (n, H, W, C)."""
        # Numerics: each half on its own, so that both are contiguous: GELU is many times slower on a part of a map.
        a, b = (
            depthwise(pointwise(features, whole_lanes(expand)), whole_lanes(kernels))
            for expand, kernels in zip(self.expand.weight.chunk(2), self.depthwise.weight.chunk(2), strict=True)
        )
        # P39: the exact GELU, by erf.
        return pointwise(F.gelu(a) * b, whole_lanes(self.project.weight, dim=1))


class S2TL(nn.Module):
    """Spatio-Spectral Transformer Layer, Figure 4: spatial attention, spectral attention, feed-forward, all residual.

    Args:
        channels: C.
        heads: Number of heads in both attentions.
        window: Side of a spatial window in pixels.
        ffn_ratio: Hidden channels of the feed-forward network over C.
        shift: Shift the spatial windows by half.
    """

    def __init__(self, channels: int, heads: int, window: int, ffn_ratio: float, *, shift: bool) -> None:
        super().__init__()
        self.norm_spatial = nn.LayerNorm(channels)
        self.spatial = SpatialAttention(channels, heads, window, shift=shift)
        self.norm_spectral = nn.LayerNorm(channels)
        self.spectral = SpectralAttention(channels, heads)
        self.norm_ffn = nn.LayerNorm(channels)
        self.ffn = GatedFeedForward(channels, ffn_ratio)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Transform a feature map; (n, H, W, C) to (n, H, W, C)."""
        features = features + self.spatial(self.norm_spatial(features))
        features = features + self.spectral(self.norm_spectral(features))
        features = features + self.ffn(self.norm_ffn(features))
        return features
