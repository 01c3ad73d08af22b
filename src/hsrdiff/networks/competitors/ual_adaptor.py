"""UAL's adaptor: a small network and a PSF, fitted to one pair without its truth."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from hsrdiff.typing import HRHSI, LRHSI

_LEAST_SIDE = 32
_SIGMA = 6.0  # pixels: the authors' 3, whose kernel halves the distances


class Adaptor(nn.Module):
    """``Z + g a + (1 - g) c`` with a three convolutions of Z, g and c one convolution each of relu(a).

    Args:
        bands: B.
    """

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.trunk = nn.ModuleList(nn.Conv2d(bands, bands, 3, padding=1) for _ in range(3))
        self.gate = nn.Conv2d(bands, bands, 3, padding=1)
        self.other = nn.Conv2d(bands, bands, 3, padding=1)

    def forward(self, Z: HRHSI) -> HRHSI:
        """Adapt the answer of the fusion network; (n, B, H, W) to (n, B, H, W)."""
        a = self.trunk[0](Z)
        for conv in self.trunk[1:]:
            a = conv(F.relu(a))
        active = F.relu(a)
        g = torch.sigmoid(self.gate(active))
        out: torch.Tensor = Z + g * a + (1 - g) * self.other(active)
        return out


class LearnedPSF(nn.Module):
    """A PSF of 32 x 32 pixels and one bias, the same for every band, then decimation; edge pixels are repeated.

    Differs from the authors' code: a factor above 32 has a PSF of its own side, and the padding is uneven where 32
    less the factor is odd; the bias begins at 0, not at a random number.

    Args:
        factor: H / h.
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor
        side = max(_LEAST_SIDE, factor)
        place = torch.arange(side) - (side - 1) / 2
        line = torch.exp(-place.square() / (2 * _SIGMA**2))
        kernel = line[:, None] * line[None, :]
        self.weight = nn.Parameter((kernel / kernel.sum())[None, None])
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, Z: HRHSI) -> LRHSI:
        """Blur and decimate; (n, B, H, W) to (n, B, h, w)."""
        beyond = self.weight.shape[-1] - self.factor
        before, after = beyond // 2, beyond - beyond // 2
        one = F.pad(Z.flatten(0, 1)[:, None], (before, after, before, after), mode="replicate")
        coarse = F.conv2d(one, self.weight, self.bias, stride=self.factor)
        return coarse.view(*Z.shape[:2], *coarse.shape[-2:])
