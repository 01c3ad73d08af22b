"""Every denoiser of the paper's mode by name: the one table to add a line to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from hsrdiff.networks.ablations import CDCNN, CDFormerWithoutSR, RegressionCDFormer, UNet, UNetConfig
from hsrdiff.networks.cdformer import CDFormer, CDFormerConfig
from hsrdiff.networks.denoiser import Denoiser


@dataclass(frozen=True)
class DenoiserEntry:
    """One line of the catalog.

    Attributes:
        network: The class, called with bands, msi_bands and configuration.
        config: Class of the configuration.
        summary: What it is, in words.
    """

    network: Callable[..., Denoiser]
    config: type[BaseModel]
    summary: str


DENOISERS: dict[str, DenoiserEntry] = {
    "cdformer": DenoiserEntry(CDFormer, CDFormerConfig, "a CDFormer of the paper's mode"),
    "regression-cdformer": DenoiserEntry(RegressionCDFormer, CDFormerConfig, "a CDFormer in one pass"),
    "cdformer-without-sr": DenoiserEntry(CDFormerWithoutSR, CDFormerConfig, "a CDFormer without SR stream"),
    "cd-cnn": DenoiserEntry(CDCNN, CDFormerConfig, "a CDFormer of convolutions"),
    "unet": DenoiserEntry(UNet, UNetConfig, "a U-Net denoiser"),
}
