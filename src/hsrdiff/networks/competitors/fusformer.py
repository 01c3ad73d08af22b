"""Fusformer, full attention over all pixels of a patch (Hu et al., IEEE GRSL 2022)."""

from __future__ import annotations

import torch
from einops import rearrange
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.competitors.base import Competitor, CompetitorConfig
from hsrdiff.typing import HRHSI, LRHSI, MSI


class FusformerConfig(CompetitorConfig):
    """The shape of a Fusformer.

    Attributes:
        channels: Width of a token, and of the hidden layer of its feed-forward network.
        heads: Heads of every attention.
        head_channels: Width of a head.
        encoder: Layers of one attention each.
        decoder: Layers of two attentions each.
    """

    channels: int = Field(48, ge=1)
    heads: int = Field(3, ge=1)
    head_channels: int = Field(16, ge=1)
    encoder: int = Field(2, ge=1)
    decoder: int = Field(2, ge=1)


class Attention(nn.Module):
    """``x + W_o softmax(q k^T / sqrt(d)) v`` of the layer-normalised tokens, over all tokens.

    Args:
        config: Widths.
    """

    def __init__(self, config: FusformerConfig) -> None:
        super().__init__()
        inner = config.heads * config.head_channels
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.channels)
        self.qkv = nn.Linear(config.channels, 3 * inner, bias=False)
        self.project = nn.Linear(inner, config.channels)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Attend; (n, pixels, C) to (n, pixels, C)."""
        qkv = self.qkv(self.norm(tokens)).chunk(3, dim=-1)
        q, k, v = (rearrange(t, "n p (k d) -> n k p d", k=self.heads) for t in qkv)
        out = rearrange(F.scaled_dot_product_attention(q, k, v), "n k p d -> n p (k d)")
        attended: torch.Tensor = tokens + self.project(out)
        return attended


class FeedForward(nn.Module):
    """``x + W_2 lrelu(W_1 LN(x))`` of each token.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, channels)
        self.project = nn.Linear(channels, channels)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Transform; (n, pixels, C) to (n, pixels, C)."""
        out: torch.Tensor = tokens + self.project(F.leaky_relu(self.expand(self.norm(tokens))))
        return out


class Fusformer(Competitor):
    """Z_hat = clamp(U + refine(layers(embed([U; X]))), 0, 1), with U the bicubically upsampled Y in [0, 1].

    Every pixel is a token that attends to all others; there is no position. Memory would grow with the square of the
    pixels where the whole table of weights is kept, so images are cut into patches of the training's size.
    Differs from the authors' code: its position embedding, which no line of it adds, is left out, and so is dropout of
    rate 0; bands and widths are free.

    Args:
        bands: B.
        msi_bands: b.
        factor: H / h.
        config: Widths and depths.
    """

    def __init__(self, bands: int, msi_bands: int, factor: int, config: FusformerConfig | None = None) -> None:
        c = config or FusformerConfig()
        super().__init__(bands, msi_bands, factor, c)
        self.embed = nn.Linear(bands + msi_bands, c.channels)
        layers: list[nn.Module] = []
        for _ in range(c.encoder):
            layers += [Attention(c), FeedForward(c.channels)]
        for _ in range(c.decoder):
            layers += [Attention(c), Attention(c), FeedForward(c.channels)]
        self.layers = nn.Sequential(*layers)
        self.refine_in = nn.Conv2d(c.channels, c.channels, 3, padding=1)
        self.refine_out = nn.Conv2d(c.channels, bands, 3, padding=1)

    def forward(self, X: MSI, Y: LRHSI) -> HRHSI:
        """Fuse; see `Competitor.forward`."""
        self.check(X, Y)
        U = F.interpolate(Y, size=X.shape[-2:], mode="bicubic", align_corners=False).clamp(0.0, 1.0)
        tokens = self.layers(self.embed(rearrange(torch.cat([U, X], dim=1), "n c i j -> n (i j) c")))
        features = rearrange(tokens, "n (i j) c -> n c i j", i=X.shape[-2])
        residual: torch.Tensor = self.refine_out(F.leaky_relu(self.refine_in(features)))
        return (U + residual).clamp(0.0, 1.0)
