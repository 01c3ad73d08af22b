"""The residual CDFormer as one would write it from the figures: the same weights, plain operations, nothing saved.

Feature maps are (n, C, H, W), attention is a softmax between two products with a mask for each window, and every part
is written out. It is what the network's own layers are compared with, in results and in time.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from einops import rearrange
from torch.nn import functional as F

from hsrdiff.networks.conditioning import NCS2TL, CrossAttention
from hsrdiff.networks.embedding import noise_level_embedding
from hsrdiff.networks.layers import S2TL, GatedFeedForward, SpatialAttention, SpectralAttention
from hsrdiff.networks.residual_cdformer import ResidualCDFormer


def literal(network: ResidualCDFormer, condition: torch.Tensor, c_t: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    """Return what `network(condition, c_t, gamma)` does; for networks without optics.

    Args:
        network: Whose weights are used.
        condition: Shape (n, K, H, W); H and W are multiples of a window's pixels.
        c_t: Noisy coordinates, shape (n, r, H, W).
        gamma: Signal power left, shape (n,), in [0, 1].
    """
    patch = network.config.patch
    level = (torch.log(gamma) - torch.log1p(-gamma)).clamp(-8.0, 8.0)
    signal, noise = (g.sqrt().to(c_t)[:, None, None, None] for g in (gamma, 1.0 - gamma))
    sr = network.sr_in(F.pixel_unshuffle(condition, patch))
    ds = network.ds_in(F.pixel_unshuffle(signal * c_t, patch))
    for of_sr, of_ds in zip(network.sr, network.ds, strict=True):
        sr = transform(of_sr, sr)
        ds = conditioned(of_ds, ds, sr, level.to(c_t))
    answer = F.pixel_shuffle(network.reconstruct(torch.cat([ds, sr], dim=1)), patch)
    return signal * c_t + noise * answer


def conditioned(layer: NCS2TL, ds: torch.Tensor, sr: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """NCS2TL: inject the noise level, ask the SR stream, transform."""
    embedded = noise_level_embedding(level, ds.shape[1], scale=layer.inject.scale)
    ds = ds + layer.inject.transform(embedded)[:, :, None, None]
    ds = ds + cross_attention(layer.cross, norm(layer.norm_query, ds), norm(layer.norm_memory, sr), sr)
    return transform(layer.layer, ds)


def transform(layer: S2TL, x: torch.Tensor) -> torch.Tensor:
    """S2TL: three residual branches."""
    x = x + spatial_attention(layer.spatial, norm(layer.norm_spatial, x))
    x = x + spectral_attention(layer.spectral, norm(layer.norm_spectral, x))
    return x + feed_forward(layer.ffn, norm(layer.norm_ffn, x))


def norm(layer: torch.nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
    return layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous()


def conv_1x1(x: torch.Tensor, linear: torch.nn.Linear) -> torch.Tensor:
    return F.conv2d(x, linear.weight[:, :, None, None], linear.bias)


def windows(x: torch.Tensor, side: int, heads: int) -> torch.Tensor:
    return rearrange(x, "n (k d) (i p) (j q) -> n (i j) k (p q) d", p=side, q=side, k=heads)


def image(tokens: torch.Tensor, side: int, height: int) -> torch.Tensor:
    pattern = "n (i j) k (p q) d -> n (k d) (i p) (j q)"
    return rearrange(tokens, pattern, p=side, q=side, i=height // side)


@lru_cache
def masks(height: int, width: int, side: int) -> torch.Tensor:
    """Return for each window of a rolled map what is added to its logits, shape (windows, 1, M*M, M*M)."""

    def region(length: int) -> torch.Tensor:
        place = torch.arange(length)
        return (place >= length - side).long() + (place >= length - side // 2).long()

    label = windows((3 * region(height)[:, None] + region(width))[None, None], side, 1)[0, :, :, :, 0]
    return torch.zeros(()).masked_fill(label[..., :, None] != label[..., None, :], float("-inf"))


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
    logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + added
    return logits.softmax(dim=-1) @ v


def spatial_attention(layer: SpatialAttention, x: torch.Tensor) -> torch.Tensor:
    side, half, (height, width) = layer.window, layer.window // 2, x.shape[-2:]
    added = layer.bias()
    if layer.shift:
        x = x.roll((-half, -half), dims=(2, 3))
        added = added + masks(height, width, side).to(x)
    q, k, v = (windows(t, side, layer.heads) for t in conv_1x1(x, layer.qkv).chunk(3, dim=1))
    x = conv_1x1(image(attention(q, k, v, added), side, height), layer.project)
    return x.roll((half, half), dims=(2, 3)) if layer.shift else x


def cross_attention(layer: CrossAttention, x: torch.Tensor, normed: torch.Tensor, sr: torch.Tensor) -> torch.Tensor:
    maps = conv_1x1(x, layer.query), conv_1x1(normed, layer.key), conv_1x1(sr, layer.value)
    q, k, v = (windows(t, layer.window, layer.heads) for t in maps)
    return conv_1x1(image(attention(q, k, v, layer.bias), layer.window, x.shape[2]), layer.project)


def spectral_attention(layer: SpectralAttention, x: torch.Tensor) -> torch.Tensor:
    mixed = F.conv2d(conv_1x1(x, layer.qkv), layer.depthwise.weight, padding=1, groups=3 * x.shape[1])
    q, k, v = (rearrange(t, "n (k d) h w -> n k d (h w)", k=layer.heads) for t in mixed.chunk(3, dim=1))
    similar = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-1, -2)
    out = (similar * layer.temperature[:, None, None]).softmax(dim=-1) @ v
    return conv_1x1(rearrange(out, "n k d (h w) -> n (k d) h w", h=x.shape[2]), layer.project)


def feed_forward(layer: GatedFeedForward, x: torch.Tensor) -> torch.Tensor:
    hidden = layer.project.weight.shape[1]
    a, b = F.conv2d(conv_1x1(x, layer.expand), layer.depthwise.weight, padding=1, groups=2 * hidden).chunk(2, dim=1)
    return conv_1x1(F.gelu(a) * b, layer.project)
