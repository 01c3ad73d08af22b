"""UAL's fusion network: three branches that exchange what they know (Zhang et al., CVPR 2020)."""

from __future__ import annotations

import torch
from pydantic import Field, field_validator
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.competitors.base import Competitor, CompetitorConfig
from hsrdiff.typing import HRHSI, LRHSI, MSI

_BRANCHES = 3


class UALConfig(CompetitorConfig):
    """The shape of the fusion network.

    Attributes:
        channels: Width of a branch, even.
        depth: Convolutions of a branch in each of the two stages.
    """

    channels: int = Field(128, ge=2)
    depth: int = Field(3, ge=1)

    @field_validator("channels")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("an even number: the first convolution has half as many")
        return value


def _conv(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1)


class Exchange(nn.Module):
    """What each branch takes from the three: ``g o + (1 - g) (o M + S)``.

    With a = [o_1; o_2; o_3; mask_j], the mask telling which branch asks: g = sigmoid(conv_j(a)), M and S are
    convolutions of what one shared network makes of a.

    Args:
        channels: Width of a branch.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inside = _BRANCHES * channels + _BRANCHES
        self.shared = nn.Sequential(
            _conv(inside, channels),
            nn.ReLU(),
            _conv(channels, channels),
            nn.ReLU(),
            _conv(channels, channels),
        )
        self.gate = nn.ModuleList(_conv(inside, channels) for _ in range(_BRANCHES))
        self.scale = nn.ModuleList(_conv(channels, channels) for _ in range(_BRANCHES))
        self.shift = nn.ModuleList(_conv(channels, channels) for _ in range(_BRANCHES))

    def forward(self, branches: list[torch.Tensor]) -> list[torch.Tensor]:
        """Exchange; three maps (n, C, H, W) to three."""
        out = []
        for j, own in enumerate(branches):
            mask = own.new_ones(own.shape[0], _BRANCHES, *own.shape[-2:])
            mask[:, j] = 0.0
            asked = torch.cat([*branches, mask], dim=1)
            told = self.shared(asked)
            g = torch.sigmoid(self.gate[j](asked))
            out.append(g * own + (1 - g) * (own * self.scale[j](told) + self.shift[j](told)))
        return out


class UAL(Competitor):
    """Branches on X, [U; X] and U, with U the bilinearly upsampled Y; exchange; branches; exchange; skip; three convs.

    The answer has no residual base. At test time an adaptor is fitted to the pair (`ual_adaptor.py`).
    Differs from the authors' code: bands, width and depth are free; what the two stages share is one module.

    Args:
        bands: B.
        msi_bands: b.
        factor: H / h.
        config: Width and depth.
    """

    def __init__(self, bands: int, msi_bands: int, factor: int, config: UALConfig | None = None) -> None:
        c = config or UALConfig()
        super().__init__(bands, msi_bands, factor, c)
        half, full = c.channels // 2, c.channels
        self.stems = nn.ModuleList(
            nn.Sequential(_conv(inside, half), nn.ReLU(), _conv(half, full))
            for inside in (msi_bands, bands + msi_bands, bands)
        )
        self.first, self.second = (nn.ModuleList(self._branch(full, c.depth) for _ in range(_BRANCHES)) for _ in "12")
        self.exchange = Exchange(full)
        self.tail = nn.Sequential(
            _conv(_BRANCHES * full, 2 * full), nn.ReLU(), _conv(2 * full, full), nn.ReLU(), _conv(full, bands)
        )

    @staticmethod
    def _branch(channels: int, depth: int) -> nn.Sequential:
        return nn.Sequential(*(part for _ in range(depth) for part in (_conv(channels, channels), nn.ReLU())))

    def forward(self, X: MSI, Y: LRHSI) -> HRHSI:
        """Fuse; see `Competitor.forward`."""
        self.check(X, Y)
        U = F.interpolate(Y, size=X.shape[-2:], mode="bilinear", align_corners=False)
        begun = [stem(image) for stem, image in zip(self.stems, (X, torch.cat([U, X], dim=1), U), strict=True)]
        maps = self.exchange([branch(o) for branch, o in zip(self.first, begun, strict=True)])
        maps = self.exchange([branch(o) for branch, o in zip(self.second, maps, strict=True)])
        Z_hat: torch.Tensor = self.tail(torch.cat([o + b for o, b in zip(maps, begun, strict=True)], dim=1))
        return Z_hat
