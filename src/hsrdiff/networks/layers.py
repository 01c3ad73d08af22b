"""The Spatio-Spectral Transformer Layer of Figure 4 and its three parts.

Feature maps are kept as ``(n, H, W, C)``: every 1x1 convolution is one matrix product, and a depthwise convolution sees
them as channels-last images without a copy.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.windows import RelativePositionBias, attend, attend_shifted, merge, partition


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
        image = features.permute(0, 3, 1, 2)  # a channels-last view, not a copy
        # P38: zeros beyond the edge.
        out = F.conv2d(image, self.weight, padding=1, groups=image.shape[1])
        return out.permute(0, 2, 3, 1)


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
        self.qkv = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)
        self.bias = RelativePositionBias(window, heads)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Attend inside windows; (n, H, W, C) to (n, H, W, C), H and W multiples of the window."""
        half = self.window // 2
        if self.shift:
            features = features.roll((-half, -half), dims=(1, 2))
        q, k, v = (partition(t, self.window, self.heads) for t in self.qkv(features).chunk(3, dim=-1))
        if self.shift:
            out = merge(attend_shifted(q, k, v, self.bias(), self.window), self.window)
            out = out.roll((half, half), dims=(1, 2))
        else:
            out = merge(attend(q, k, v, self.bias()), self.window)
        projected: torch.Tensor = self.project(out)
        return projected


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
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.depthwise = DepthwiseConv(3 * channels)
        self.project = nn.Linear(channels, channels, bias=False)
        self.temperature = nn.Parameter(torch.ones(heads))

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        """Return A from q and k of shape (n, pixels, C): shape (n, heads, C/heads, C/heads)."""
        q, k = (rearrange(t, "n p (k d) -> n k d p", k=self.heads) for t in (q, k))
        precise = torch.promote_types(q.dtype, torch.float32)
        gram = (q @ k.transpose(-1, -2)).to(precise)
        # Numerics: the unit length is applied to the small Gram matrix, not to the maps.
        scale = q.to(precise).square().sum(-1).clamp_min(1e-24).rsqrt()[..., :, None]
        scale = scale * k.to(precise).square().sum(-1).clamp_min(1e-24).rsqrt()[..., None, :]
        return torch.softmax(gram * scale * self.temperature[:, None, None], dim=-1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Attend across channels; (n, H, W, C) to (n, H, W, C)."""
        q, k, v = self.depthwise(self.qkv(features)).flatten(1, 2).chunk(3, dim=-1)
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
        self.expand = nn.Linear(channels, 2 * hidden, bias=False)
        self.depthwise = DepthwiseConv(2 * hidden)
        self.project = nn.Linear(hidden, channels, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Transform each pixel with its neighbours; (n, H, W, C) to (n, H, W, C)."""
        a, b = self.depthwise(self.expand(features)).chunk(2, dim=-1)
        # P39: the exact GELU, by erf.
        out: torch.Tensor = self.project(F.gelu(a) * b)
        return out


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
