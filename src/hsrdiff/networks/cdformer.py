"""CDFormer, the Conditional Denoising Transformer of Figure 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.conditioning import NCS2TL, KeysValues
from hsrdiff.networks.denoiser import Denoiser
from hsrdiff.networks.framing import pad_to_multiple, run_layer, to_tokens
from hsrdiff.networks.initialise import calm, kaiming, quiet
from hsrdiff.networks.layers import S2TL
from hsrdiff.typing import HRHSI, LRHSI, MSI


class CDFormerConfig(BaseModel):
    """Everything that decides the shape of a CDFormer besides the band counts.

    Attributes:
        channels: C, the width of both streams.
        layers: N, the depth of each stream.
        heads: Attention heads of every attention.
        window: Side of a spatial window in pixels.
        ffn_ratio: Hidden channels of the gated feed-forward network over C.
        embedding_scale: Scale of gamma in Eq. (7); 1 is the paper's text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: int = Field(256, ge=2)
    layers: int = Field(12, ge=1)
    heads: int = Field(8, ge=1)
    window: int = Field(8, ge=2)
    ffn_ratio: float = Field(3.0, gt=0)
    embedding_scale: float = Field(1.0, gt=0)

    @model_validator(mode="after")
    def _even_heads(self) -> CDFormerConfig:
        if self.channels % (2 * self.heads):
            raise ValueError(f"channels ({self.channels}) must be a multiple of twice the heads ({self.heads})")
        return self


# P9: depth 12 + 12, 8 heads, window 8 and FFN ratio 3 give 31.51 M parameters at 31 + 3 bands; the paper says 31.56 M.
PRESETS: dict[str, CDFormerConfig] = {
    "paper": CDFormerConfig(),
    "small": CDFormerConfig(channels=64, layers=4, heads=2),
    "tiny": CDFormerConfig(channels=32, layers=2, heads=1),
}


@dataclass(frozen=True)
class Condition:
    """What the SR stream made of X and Y: computed once, used at every noise level.

    Attributes:
        base: U, the upsampled Y to which the network adds its answer, shape (n, B, H, W).
        memories: Keys and values of each layer's cross attention.
    """

    base: torch.Tensor
    memories: tuple[KeysValues, ...]


class CDFormer(Denoiser):
    """The two-stream denoiser f_theta(X, Y, Z_t, gamma) of Figure 3.

    Args:
        bands: B, bands of the hyperspectral image.
        msi_bands: b, bands of the multispectral image.
        config: Width, depth and the rest.
    """

    def __init__(self, bands: int, msi_bands: int, config: CDFormerConfig | None = None) -> None:
        c = config or CDFormerConfig()
        super().__init__(bands, msi_bands, c)
        self.window, self.depth = c.window, c.layers
        # P12: the windows of every second layer are shifted.
        shifts = [bool(i % 2) for i in range(c.layers)]
        # P38: zeros beyond the edge, in all three convolutions.
        self.sr_in = nn.Conv2d(bands + msi_bands, c.channels, 3, padding=1)
        self.sr = nn.ModuleList(self.sr_layer(c, shift=s) for s in shifts)
        self.ds_in = nn.Conv2d(bands, c.channels, 3, padding=1)
        self.ds = nn.ModuleList(self.ds_layer(c, shift=s) for s in shifts)
        self.reconstruct = nn.Conv2d(c.channels, bands, 3, padding=1)
        kaiming(self)
        for stream in (self.sr, self.ds):
            calm((m for name, m in stream.named_modules() if name.endswith(".project")), self.reconstruct)
        quiet(self.ds_in)

    @staticmethod
    def sr_layer(c: CDFormerConfig, *, shift: bool) -> nn.Module:
        """Make one layer of the SR stream."""
        return S2TL(c.channels, c.heads, c.window, c.ffn_ratio, shift=shift)

    @staticmethod
    def ds_layer(c: CDFormerConfig, *, shift: bool) -> NCS2TL:
        """Make one layer of the denoising stream."""
        return NCS2TL(c.channels, c.heads, c.window, c.ffn_ratio, shift=shift, embedding_scale=c.embedding_scale)

    def encode(self, X: MSI, Y: LRHSI) -> Condition:
        """Run the SR stream: F_0^SR = conv([U; X]), F_l^SR = S2TL_l(F_{l-1}^SR).

        Args:
            X: HR-MSI, shape (n, b, H, W), in the network's data range.
            Y: LR-HSI, shape (n, B, h, w), the same range; H/h is the factor, any size.

        Returns:
            The condition for `denoise`.

        Raises:
            ShapeError: If the band counts are not those of the network.
        """
        self.check_bands(X, Y)
        # P10: Y enters upsampled (bicubic) to the grid of X; that image is also the residual base.
        # P40: Keys' kernel with a = -0.75.
        base = F.interpolate(Y, size=X.shape[-2:], mode="bicubic", align_corners=False)
        features = to_tokens(self.sr_in(pad_to_multiple(torch.cat([base, X], dim=1), self.window)))
        memories = []
        for sr_layer, ds_layer in zip(self.sr, self.ds, strict=True):
            features = self._run(sr_layer, features)
            memories.append(cast(NCS2TL, ds_layer).remember(features))
        return Condition(base, tuple(memories))

    def denoise(self, condition: Condition, Z_t: HRHSI, gamma: torch.Tensor) -> HRHSI:
        """Run the denoising stream and add the base: Z_hat = U + conv(F_N^DS).

        Args:
            condition: From `encode`.
            Z_t: Noisy HR-HSI, shape (n, B, H, W).
            gamma: Noise levels, shape (n,), in [0, 1].

        Returns:
            The estimate of Z_0, shape (n, B, H, W).
        """
        height, width = Z_t.shape[-2:]
        features = to_tokens(self.ds_in(pad_to_multiple(Z_t, self.window)))
        for layer, memory in zip(self.ds, condition.memories, strict=True):
            features = self._run(layer, features, memory, gamma)
        residual = self.reconstruct(features.permute(0, 3, 1, 2))[..., :height, :width]
        Z_hat: torch.Tensor = condition.base + residual.to(condition.base.dtype)
        return Z_hat

    def second_half(self) -> list[nn.Parameter]:
        """Parameters of layers N/2+1..N of both streams and of the reconstruction (end of section 3.4)."""
        half = self.depth // 2
        modules = [*self.sr[half:], *self.ds[half:], self.reconstruct]
        return [p for m in modules for p in m.parameters()]

    def _run(self, layer: nn.Module, *args: object) -> torch.Tensor:
        return run_layer(layer, *args, checkpointing=self.checkpointing)
