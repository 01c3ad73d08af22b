"""The losses of the competitors, each as its authors have it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.networks.competitors import Competitor
from hsrdiff.typing import HRHSI, LRHSI, MSI


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
