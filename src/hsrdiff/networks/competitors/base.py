"""What a learned competitor is: one pass from X and Y to Z_hat, in the paper's data range [0, 1]."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from hsrdiff.errors import ShapeError
from hsrdiff.typing import HRHSI, LRHSI, MSI


class CompetitorConfig(BaseModel):
    """Everything that decides the shape of a competitor besides the band counts and the factor."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Competitor(nn.Module, ABC):
    """A network that fuses X and Y in one pass.

    Args:
        bands: B, bands of the hyperspectral image.
        msi_bands: b, bands of the multispectral image.
        factor: H / h that it is built for.
        config: Widths and depths.
    """

    def __init__(self, bands: int, msi_bands: int, factor: int, config: CompetitorConfig) -> None:
        super().__init__()
        self.bands, self.msi_bands, self.factor, self.config = bands, msi_bands, factor, config

    @abstractmethod
    def forward(self, X: MSI, Y: LRHSI) -> HRHSI:
        """Fuse.

        Args:
            X: HR-MSI, shape (n, b, H, W), values in [0, 1].
            Y: LR-HSI, shape (n, B, H/factor, W/factor), values in [0, 1].

        Returns:
            Z_hat, shape (n, B, H, W).

        Raises:
            ShapeError: If the band counts or the ratio are not those of the network.
        """

    def prepare(self, pairs: Sequence[tuple[MSI, HRHSI]]) -> None:
        """Set what the method computes from the training truths before its training; nothing by default.

        Args:
            pairs: X and Z of each training scene, shapes (1, b, H, W) and (1, B, H, W).
        """

    def check(self, X: torch.Tensor, Y: torch.Tensor) -> None:
        """Raise where X and Y do not fit the network.

        Args:
            X: Shape (n, b, H, W).
            Y: Shape (n, B, h, w).

        Raises:
            ShapeError: If the band counts or the ratio are not those of the network.
        """
        if X.shape[1] != self.msi_bands or Y.shape[1] != self.bands:
            raise ShapeError(
                f"an MSI of {X.shape[1]} and an HSI of {Y.shape[1]} bands were given to a network for "
                f"{self.msi_bands} and {self.bands}",
                do="use weights trained for these band counts",
            )
        if X.shape[-2] != self.factor * Y.shape[-2] or X.shape[-1] != self.factor * Y.shape[-1]:
            raise ShapeError(
                f"an MSI of {X.shape[-2]}x{X.shape[-1]} and an HSI of {Y.shape[-2]}x{Y.shape[-1]} pixels were given "
                f"to a network for the factor {self.factor}",
                do="use weights trained for this factor",
            )
