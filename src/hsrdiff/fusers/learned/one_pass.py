"""What the learned one-pass methods share: weights, units, masks, remarks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

import torch
from torch import nn

from hsrdiff.fusers.base import Fusion, Needs
from hsrdiff.fusers.card_remarks import check_bands, check_peak, describe, remarks
from hsrdiff.fusers.masking import fill_invalid, mask_output, output_mask
from hsrdiff.networks import ModelCard
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

_Network = TypeVar("_Network", bound=nn.Module)


class OnePass(ABC, Generic[_Network]):
    """A network that maps X and Y, divided by the peak, to Z_hat.

    Args:
        weights: A safetensors file written by the training.
        peak: Value of the scene that means 1.
        device: Where the network runs, such as ``"cpu"`` or ``"cuda"``.

    Raises:
        WeightsError: If the weights cannot be read or are for another method.
        InputError: If the peak is not a positive number.
    """

    name: ClassVar[str]
    needs: ClassVar[Needs] = Needs(weights=True)
    cut: ClassVar[bool] = False  # whether values above the peak are cut

    def __init__(self, *, weights: PathLike, peak: float = 1.0, device: str = "cpu") -> None:
        self.peak = check_peak(peak)
        self.weights = str(weights)
        self.device = torch.device(device)
        self.network, self.card = self.load(weights)

    @abstractmethod
    def load(self, weights: PathLike) -> tuple[_Network, ModelCard]:
        """Read the network and its card."""

    @abstractmethod
    def estimate(self, scene: Scene, X: torch.Tensor, Y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Fuse images in [0, 1].

        Args:
            scene: For what else the method needs to be told.
            X: HR-MSI, shape (1, b, H, W), filled, divided by the peak.
            Y: LR-HSI, shape (1, B, h, w), likewise.
            generator: Source of all randomness.

        Returns:
            Z_hat, shape (1, B, H, W), in the same units.
        """

    def check(self, scene: Scene) -> None:
        """Raise where the weights are not for such scenes.

        Args:
            scene: A scene whose sizes fit.

        Raises:
            WeightsError: If the band counts differ.
        """
        check_bands(self.card, scene, self.weights)

    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Estimate Z from X and Y.

        Args:
            scene: The scene.
            generator: Source of all randomness.

        Returns:
            The estimate; NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together or lacks what the method needs.
            WeightsError: If the weights are for other images.
        """
        scene.check()
        self.check(scene)
        X = fill_invalid(scene.X, scene.valid).to(self.device, torch.float32) / self.peak
        Y = fill_invalid(scene.Y, scene.valid_lr).to(self.device, torch.float32) / self.peak
        Z = self.estimate(scene, X, Y, generator) * self.peak
        notes = {"weights": describe(self.card, self.weights)} | remarks(self.card, scene, self.peak, cut=self.cut)
        return Fusion(mask_output(Z.to(scene.Y), output_mask(scene)), None, notes | self.notes())

    def notes(self) -> dict[str, str]:
        """Return what else the user should know."""
        return {}
