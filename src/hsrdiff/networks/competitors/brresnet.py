"""BRResNet, a residual network of bilateral activations (Jin et al., ACM MM 2021)."""

from __future__ import annotations

import torch
from pydantic import Field, field_validator
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.competitors.base import Competitor, CompetitorConfig
from hsrdiff.typing import HRHSI, LRHSI, MSI


class BRResNetConfig(CompetitorConfig):
    """The shape of a BRResNet.

    Attributes:
        channels: c, width of the features, even.
        blocks: Number of blocks.
    """

    channels: int = Field(64, ge=2)
    blocks: int = Field(5, ge=1)

    @field_validator("channels")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("an even number: half of the channels are for each sign")
        return value


class BilateralBlock(nn.Module):
    """``x + [P relu(r); N relu(-r)]`` with r a convolution of x: both signs of the activation are kept.

    Args:
        channels: c.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 3, padding=1)
        self.positive = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.negative = nn.Conv2d(channels, channels // 2, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Transform features; (n, c, H, W) to (n, c, H, W)."""
        r = self.mix(features)
        return features + torch.cat([self.positive(F.relu(r)), self.negative(F.relu(-r))], dim=1)


class BRResNet(Competitor):
    """Z_hat = U + conv(blocks(conv([X; U]))), with U the bilinearly upsampled Y.

    U has its corner pixels' centres on those of Y (``align_corners=True``), as the authors have it: against a PSF
    centred on its block the bands are shifted by up to half a coarse pixel, which the network has to undo.
    Differs from the authors' code: bands, factor, width and depth are free; they have 31 + 3 bands and factor 4.

    Args:
        bands: B.
        msi_bands: b.
        factor: H / h.
        config: Width and depth.
    """

    def __init__(self, bands: int, msi_bands: int, factor: int, config: BRResNetConfig | None = None) -> None:
        c = config or BRResNetConfig()
        super().__init__(bands, msi_bands, factor, c)
        self.head = nn.Conv2d(msi_bands + bands, c.channels, 3, padding=1)
        self.blocks = nn.Sequential(*(BilateralBlock(c.channels) for _ in range(c.blocks)))
        self.tail = nn.Conv2d(c.channels, bands, 3, padding=1)

    def forward(self, X: MSI, Y: LRHSI) -> HRHSI:
        """Fuse; see `Competitor.forward`."""
        self.check(X, Y)
        U = F.interpolate(Y, size=X.shape[-2:], mode="bilinear", align_corners=True)
        residual: torch.Tensor = self.tail(self.blocks(self.head(torch.cat([X, U], dim=1))))
        return U + residual
