"""CMHF-Net, unrolled proximal gradient steps on Z = A X + B H (Xie et al., CVPR 2019, TPAMI 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.competitors.base import Competitor, CompetitorConfig
from hsrdiff.networks.competitors.cmhf_parts import Down, Residual, Up, steps_of
from hsrdiff.typing import HRHSI, LRHSI, MSI

_STD = 0.1  # of the truncated normal that all convolutions and B begin with


class CMHFNetConfig(CompetitorConfig):
    """The shape of a CMHF-Net.

    Attributes:
        stages: K, counting the adjustment at the end.
        rank: r, channels of the part of Z that X does not tell linearly.
        prox: Residual levels of each proximal network.
        adjust: Residual levels of the adjustment.
    """

    stages: int = Field(20, ge=2)
    rank: int = Field(12, ge=1)
    prox: int = Field(1, ge=1)
    adjust: int = Field(4, ge=1)


@dataclass(frozen=True)
class Unrolled:
    """What the loss of CMHF-Net looks at.

    Attributes:
        Z_hat: The answer, shape (n, B, H, W).
        linear: A X, the same shape.
        images: Z_1 .. Z_{K-1}, the image after each step.
        misfit: Down(Z_{K-1}) - Y, shape (n, B, h, w).
    """

    Z_hat: HRHSI
    linear: HRHSI
    images: tuple[HRHSI, ...]
    misfit: LRHSI


class CMHFNet(Competitor):
    """Z = A X + B H, with H found by K - 1 learned steps of proximal gradient descent on |Down(Z) - Y|^2.

        H_j = Prox_j(H_{j-1} - B^T Up_j(Down(Z_{j-1}) - Y)),    Z_j = A X + B H_j,    H_0 = 0
        Z_hat = Adjust(Z_{K-1})

    Norms use the statistics of the batch, at test time too, as the authors have it: an answer depends on the whole
    image. A begins as the least squares fit of Z on X over the training set (`prepare`).
    Differs from the authors' code: it has factors 4, 16 and 32, here any power of two goes (P61); biases of
    convolutions whose norm takes them away again are left out; bands, stages and rank are free.

    Args:
        bands: B.
        msi_bands: b.
        factor: H / h, a power of two.
        config: Stages, rank and levels.

    Raises:
        FactorError: If the factor is not a power of two.
    """

    def __init__(self, bands: int, msi_bands: int, factor: int, config: CMHFNetConfig | None = None) -> None:
        c = config or CMHFNetConfig()
        super().__init__(bands, msi_bands, factor, c)
        steps = steps_of(factor)
        self.A = nn.Parameter(torch.full((bands, msi_bands), 1.0 / msi_bands))
        self.B = nn.Parameter(torch.empty(bands, c.rank))
        self.down = Down(steps)
        self.up = nn.ModuleList(Up(bands, msi_bands, steps) for _ in range(c.stages - 1))
        self.prox = nn.ModuleList(
            nn.Sequential(*(Residual(c.rank) for _ in range(c.prox))) for _ in range(c.stages - 1)
        )
        self.adjust = nn.Sequential(*(Residual(bands) for _ in range(c.adjust)))
        nn.init.trunc_normal_(self.B, std=_STD, a=-2 * _STD, b=2 * _STD)

    @torch.no_grad()
    def prepare(self, pairs: Sequence[tuple[MSI, HRHSI]]) -> None:
        """Set A by least squares, A = (sum Z X^T) (sum X X^T)^-1, over all pixels of the training set."""
        zx = torch.zeros(self.bands, self.msi_bands, dtype=torch.float64)
        xx = torch.zeros(self.msi_bands, self.msi_bands, dtype=torch.float64)
        for X, Z in pairs:
            x, z = (image.transpose(0, 1).flatten(1).double().cpu() for image in (X, Z))
            zx += z @ x.T
            xx += x @ x.T
        # Numerics: guide bands may be multiples of each other, hence the pseudo-inverse
        self.A.copy_(zx @ torch.linalg.pinv(xx, hermitian=True))

    def unroll(self, X: MSI, Y: LRHSI) -> Unrolled:
        """Run all stages and keep what the loss looks at.

        Args:
            X: HR-MSI, shape (n, b, H, W), values in [0, 1].
            Y: LR-HSI, shape (n, B, h, w).

        Returns:
            Answer and intermediate images.

        Raises:
            ShapeError: If the band counts or the ratio are not those of the network.
        """
        self.check(X, Y)
        guides = self.down.levels(X)
        linear = _mix(self.A, X)
        Z, H, images = linear, None, []
        for up, prox in zip(self.up, self.prox, strict=True):
            error = self.down(Z) - Y
            gradient = _mix(self.B.T, cast(Up, up)(error, guides))
            H = prox(-gradient if H is None else H - gradient)
            Z = linear + _mix(self.B, H)
            images.append(Z)
        return Unrolled(self.adjust(Z), linear, tuple(images), self.down(Z) - Y)

    def forward(self, X: MSI, Y: LRHSI) -> HRHSI:
        """Fuse; see `Competitor.forward`."""
        return self.unroll(X, Y).Z_hat


def _mix(matrix: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Multiply every pixel by a matrix: (p, q) and (n, q, H, W) to (n, p, H, W)."""
    return F.conv2d(image, matrix[:, :, None, None])
