"""The ablation "C-w/o-SR": CDFormer without its SR stream."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.cdformer import CDFormerConfig
from hsrdiff.networks.denoiser import Denoiser
from hsrdiff.networks.embedding import NoiseInjection
from hsrdiff.networks.framing import pad_to_multiple, run_layer, to_tokens
from hsrdiff.networks.initialise import calm, kaiming
from hsrdiff.networks.layers import S2TL
from hsrdiff.typing import HRHSI, LRHSI, MSI


@dataclass(frozen=True)
class Images:
    """What a network without an SR stream keeps of X and Y.

    Attributes:
        base: U, the upsampled Y, shape (n, B, H, W).
        stacked: [U; X], shape (n, B + b, H, W).
    """

    base: torch.Tensor
    stacked: torch.Tensor


class NoiseAwareS2TL(nn.Module):
    """Noise level in, then an S2TL: Figure 5 without cross attention.

    Args:
        c: Widths.
        shift: Shift the spatial windows by half.
    """

    def __init__(self, c: CDFormerConfig, *, shift: bool) -> None:
        super().__init__()
        self.inject = NoiseInjection(c.channels, scale=c.embedding_scale)
        self.layer = S2TL(c.channels, c.heads, c.window, c.ffn_ratio, shift=shift)

    def forward(self, features: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        """Inject the noise level and transform; (n, H, W, C) to (n, H, W, C)."""
        out: torch.Tensor = self.layer(self.inject(features, gamma))
        return out


class CDFormerWithoutSR(Denoiser):
    """One stream that begins with conv([Z_t; U; X]); Z_hat = U + conv(F_N).

    Nothing can be computed ahead of the noise levels but U.

    Args:
        bands: B.
        msi_bands: b.
        config: Width, depth and the rest, as for CDFormer.
    """

    def __init__(self, bands: int, msi_bands: int, config: CDFormerConfig | None = None) -> None:
        c = config or CDFormerConfig()
        super().__init__(bands, msi_bands, c)
        self.window, self.depth = c.window, c.layers
        self.ds_in = nn.Conv2d(2 * bands + msi_bands, c.channels, 3, padding=1)
        self.ds = nn.ModuleList(NoiseAwareS2TL(c, shift=bool(i % 2)) for i in range(c.layers))
        self.reconstruct = nn.Conv2d(c.channels, bands, 3, padding=1)
        kaiming(self)
        calm((m for name, m in self.ds.named_modules() if name.endswith(".project")), self.reconstruct)

    def encode(self, X: MSI, Y: LRHSI) -> Images:
        """Upsample Y and stack it with X; arguments as in `Denoiser.encode`."""
        self.check_bands(X, Y)
        base = F.interpolate(Y, size=X.shape[-2:], mode="bicubic", align_corners=False)
        return Images(base, torch.cat([base, X], dim=1))

    def denoise(self, condition: Images, Z_t: HRHSI, gamma: torch.Tensor) -> HRHSI:
        """Run the stream and add the base; arguments as in `Denoiser.denoise`."""
        height, width = Z_t.shape[-2:]
        stacked = torch.cat([Z_t, condition.stacked.to(Z_t.dtype)], dim=1)
        features = to_tokens(self.ds_in(pad_to_multiple(stacked, self.window)))
        for layer in self.ds:
            features = run_layer(layer, features, gamma, checkpointing=self.checkpointing)
        residual = self.reconstruct(features.permute(0, 3, 1, 2))[..., :height, :width]
        Z_hat: torch.Tensor = condition.base + residual.to(condition.base.dtype)
        return Z_hat

    def second_half(self) -> list[nn.Parameter]:
        """Parameters of layers N/2+1..N and of the reconstruction."""
        return [p for m in (*self.ds[self.depth // 2 :], self.reconstruct) for p in m.parameters()]
