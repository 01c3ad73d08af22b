"""The losses of the competitors, each as its authors have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch.nn import functional as F

from hsrdiff.networks.competitors import Competitor
from hsrdiff.networks.competitors.cmhf_net import CMHFNet
from hsrdiff.typing import HRHSI, LRHSI, MSI

_LINEAR, _STAGE, _MISFIT = 0.1, 0.1, 0.01


@dataclass(frozen=True)
class CompetitorLoss:
    """A sum of weighted terms.

    Attributes:
        terms: Weighted terms by name, scalars.
    """

    terms: dict[str, torch.Tensor]

    @property
    def total(self) -> torch.Tensor:
        """The sum of the terms."""
        return torch.stack(list(self.terms.values())).sum()

    def values(self) -> dict[str, float]:
        """The sum and, where there are several, the terms, for the log."""
        values = {"loss": self.total.item()}
        if len(self.terms) > 1:
            values |= {f"loss_{name}": term.item() for name, term in self.terms.items()}
        return values


def l1(network: Competitor, X: MSI, Y: LRHSI, Z: HRHSI) -> CompetitorLoss:
    """Return the mean of |Z_hat - Z|.

    Args:
        network: The competitor.
        X: HR-MSI, shape (n, b, H, W), values in [0, 1].
        Y: LR-HSI, shape (n, B, h, w).
        Z: Truth, shape (n, B, H, W).

    Returns:
        One term.
    """
    return CompetitorLoss({"image": F.l1_loss(network(X, Y).float(), Z)})


def mean_square(network: Competitor, X: MSI, Y: LRHSI, Z: HRHSI) -> CompetitorLoss:
    """Return the mean of (Z_hat - Z)^2; arguments as in `l1`."""
    return CompetitorLoss({"image": F.mse_loss(network(X, Y).float(), Z)})


def unrolled(network: Competitor, X: MSI, Y: LRHSI, Z: HRHSI) -> CompetitorLoss:
    """Return CMHF-Net's loss: mse(Z_hat, Z) + 0.1 mse(A X, Z) + 0.1 sum_j mse(Z_j, Z) + 0.01 mse(Down(Z_{K-1}), Y).

    Args:
        network: A `CMHFNet`.
        X: HR-MSI, shape (n, b, H, W), values in [0, 1].
        Y: LR-HSI, shape (n, B, h, w).
        Z: Truth, shape (n, B, H, W).

    Returns:
        The four terms.
    """
    seen = cast(CMHFNet, network).unroll(X, Y)
    stages = torch.stack([F.mse_loss(image.float(), Z) for image in seen.images])
    return CompetitorLoss(
        {
            "image": F.mse_loss(seen.Z_hat.float(), Z),
            "linear": _LINEAR * F.mse_loss(seen.linear.float(), Z),
            "stages": _STAGE * stages.sum(),
            "misfit": _MISFIT * seen.misfit.float().square().mean(),
        }
    )
