"""What a denoiser of the paper's mode is: X and Y bound once, then asked at every noise level."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from pydantic import BaseModel
from torch import nn

from hsrdiff.errors import ShapeError
from hsrdiff.typing import HRHSI, LRHSI, MSI, Denoise


class Denoiser(nn.Module, ABC):
    """f_theta(X, Y, Z_t, gamma), split into what does not depend on the noise level and what does.

    A subclass has `reconstruct`, the last layer, whose weights begin at 0 and whose output is added to the bicubically
    upsampled Y: an untrained network returns that exactly.

    Args:
        bands: B, bands of the hyperspectral image.
        msi_bands: b, bands of the multispectral image.
        config: Widths and depths.
    """

    def __init__(self, bands: int, msi_bands: int, config: BaseModel) -> None:
        super().__init__()
        self.bands, self.msi_bands, self.config = bands, msi_bands, config
        self.checkpointing = False

    @abstractmethod
    def encode(self, X: MSI, Y: LRHSI) -> Any:
        """Compute what every noise level needs of X and Y.

        Args:
            X: HR-MSI, shape (n, b, H, W), in the network's data range.
            Y: LR-HSI, shape (n, B, h, w), the same range.

        Returns:
            The condition for `denoise`.

        Raises:
            ShapeError: If the band counts are not those of the network.
        """

    @abstractmethod
    def denoise(self, condition: Any, Z_t: HRHSI, gamma: torch.Tensor) -> HRHSI:
        """Estimate Z_0.

        Args:
            condition: From `encode`.
            Z_t: Noisy HR-HSI, shape (n, B, H, W).
            gamma: Noise levels, shape (n,), in [0, 1].

        Returns:
            The estimate, shape (n, B, H, W).
        """

    @abstractmethod
    def second_half(self) -> list[nn.Parameter]:
        """Parameters that the last stage of progressive learning trains (end of section 3.4)."""

    def forward(self, X: MSI, Y: LRHSI, Z_t: HRHSI, gamma: torch.Tensor) -> HRHSI:
        """Return f_theta(X, Y, Z_t, gamma): `encode`, then `denoise`."""
        return self.denoise(self.encode(X, Y), Z_t, gamma)

    def bind(self, X: MSI, Y: LRHSI) -> Denoise:
        """Run `encode` once and return denoise(Z_t, gamma)."""
        condition = self.encode(X, Y)
        return lambda Z_t, gamma: self.denoise(condition, Z_t, gamma)

    def check_bands(self, X: torch.Tensor, Y: torch.Tensor) -> None:
        """Raise where X and Y have other bands than the network.

        Args:
            X: Shape (n, b, H, W).
            Y: Shape (n, B, h, w).

        Raises:
            ShapeError: If the band counts are not those of the network.
        """
        if X.shape[1] != self.msi_bands or Y.shape[1] != self.bands:
            raise ShapeError(
                f"an MSI of {X.shape[1]} and an HSI of {Y.shape[1]} bands were given to a network for "
                f"{self.msi_bands} and {self.bands}",
                do="use weights trained for these band counts",
            )
