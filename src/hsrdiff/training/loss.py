"""The training loss, Eq. (8)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.observation import Observation
from hsrdiff.typing import HRHSI, LRHSI, MSI


@dataclass(frozen=True)
class Loss:
    """The three terms of Eq. (8), each a mean over elements.

    Attributes:
        spectral: |X - R Z_hat|_1.
        spatial: |Y - Z_hat D|_1.
        image: |Z_0 - Z_hat|_1.
    """

    spectral: torch.Tensor
    spatial: torch.Tensor
    image: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The sum, each term with weight 1."""
        return self.spectral + self.spatial + self.image

    def values(self) -> dict[str, float]:
        """The sum and the terms, for the log."""
        return {
            "loss": self.total.item(),
            "loss_spectral": self.spectral.item(),
            "loss_spatial": self.spatial.item(),
            "loss_image": self.image.item(),
        }


def loss_eq8(Z_hat: HRHSI, X: MSI, Y: LRHSI, Z_0: HRHSI, observation: Observation) -> Loss:
    """Compare an estimate with both observations and the truth, Eq. (8).

    Args:
        Z_hat: Estimate, shape (n, B, H, W), values about 0..1.
        X: HR-MSI, shape (n, b, H, W).
        Y: LR-HSI, shape (n, B, h, w).
        Z_0: Truth, shape (n, B, H, W).
        observation: The R and D that made X and Y.

    Returns:
        The three terms.
    """
    # P14: the norms are means over elements; sums would weigh the terms by their very different sizes.
    # P16: computed on data in [0, 1], whatever range is diffused.
    X_hat, Y_hat = observation.observe(Z_hat)
    return Loss(F.l1_loss(X_hat, X), F.l1_loss(Y_hat, Y), F.l1_loss(Z_hat, Z_0))
