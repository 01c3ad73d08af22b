"""A U-Net denoiser with concatenated inputs (Ho et al., DDPM, 2020; Saharia et al., SR3, 2021)."""

from __future__ import annotations

from typing import cast

import torch
from einops import rearrange
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.ablations.without_sr import Images
from hsrdiff.networks.denoiser import Denoiser
from hsrdiff.networks.embedding import noise_level_embedding
from hsrdiff.networks.framing import pad_to_multiple, run_layer
from hsrdiff.typing import HRHSI, LRHSI, MSI

_GROUPS = 8


class UNetConfig(BaseModel):
    """The shape of a U-Net.

    Attributes:
        channels: Width at full resolution, a multiple of 8.
        multipliers: Width of each level over `channels`, from the finest; each level halves the one before.
        blocks: Residual blocks of each level on the way down; one more on the way up.
        heads: Heads of the attention at the coarsest level, over all its pixels.
        embedding_scale: Scale of gamma in Eq. (7).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: int = Field(32, ge=8)
    multipliers: tuple[int, ...] = (1, 2, 4, 8)
    blocks: int = Field(2, ge=1)
    heads: int = Field(4, ge=1)
    embedding_scale: float = Field(1.0, gt=0)

    @field_validator("channels")
    @classmethod
    def _groups(cls, value: int) -> int:
        if value % _GROUPS:
            raise ValueError(f"a multiple of {_GROUPS}, the groups of the norms")
        return value

    @model_validator(mode="after")
    def _levels(self) -> UNetConfig:
        if not self.multipliers or min(self.multipliers) < 1:
            raise ValueError("multipliers must be at least one whole number, each at least 1")
        if self.channels * self.multipliers[-1] % self.heads:
            raise ValueError(f"the coarsest level's width must be a multiple of the heads ({self.heads})")
        return self


class Block(nn.Module):
    """``skip(x) + conv(silu(norm(conv(silu(norm(x))) + LT(e))))`` with e the embedded noise level.

    Args:
        inside: Channels of x.
        outside: Channels of the result.
        embedded: Length of e.
    """

    def __init__(self, inside: int, outside: int, embedded: int) -> None:
        super().__init__()
        self.norm_in, self.conv_in = nn.GroupNorm(_GROUPS, inside), nn.Conv2d(inside, outside, 3, padding=1)
        self.level = nn.Linear(embedded, outside)
        self.norm_out, self.conv_out = nn.GroupNorm(_GROUPS, outside), nn.Conv2d(outside, outside, 3, padding=1)
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
        """Transform; (n, C, H, W) and (n, E) to (n, C', H, W)."""
        features = self.conv_in(F.silu(self.norm_in(x))) + self.level(e)[:, :, None, None]
        out: torch.Tensor = self.skip(x) + self.conv_out(F.silu(self.norm_out(features)))
        return out


class Attention(nn.Module):
    """Self-attention over all pixels of the coarsest level, added to its input.

    Args:
        channels: C.
        heads: Number of heads.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Attend; (n, C, H, W) to (n, C, H, W)."""
        parts = self.qkv(self.norm(x)).chunk(3, dim=1)
        q, k, v = (rearrange(t, "n (k d) i j -> n k (i j) d", k=self.heads) for t in parts)
        out = rearrange(F.scaled_dot_product_attention(q, k, v), "n k (i j) d -> n (k d) i j", i=x.shape[-2])
        attended: torch.Tensor = x + self.project(out)
        return attended


class UNet(Denoiser):
    """Z_hat = U + unet([Z_t; U; X], gamma).

    Args:
        bands: B.
        msi_bands: b.
        config: Widths and depths.
    """

    # P64: a modest U-Net of the usual kind; it adds the same base as CDFormer, so that only the network differs.
    def __init__(self, bands: int, msi_bands: int, config: UNetConfig | None = None) -> None:
        c = config or UNetConfig()
        super().__init__(bands, msi_bands, c)
        self.width, self.scale, self.multiple = c.channels, c.embedding_scale, 2 ** (len(c.multipliers) - 1)
        embedded = 4 * c.channels
        widths = [c.channels * m for m in c.multipliers]
        self.embed = nn.Sequential(nn.Linear(c.channels, embedded), nn.SiLU(), nn.Linear(embedded, embedded))
        self.begin = nn.Conv2d(2 * bands + msi_bands, c.channels, 3, padding=1)
        self.down, kept, width = nn.ModuleList(), [c.channels], c.channels
        for level, outside in enumerate(widths):
            for _ in range(c.blocks):
                self.down.append(Block(width, outside, embedded))
                width = outside
                kept.append(width)
            if level < len(widths) - 1:
                self.down.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                kept.append(width)
        self.middle_in, self.attention = Block(width, width, embedded), Attention(width, c.heads)
        self.middle_out = Block(width, width, embedded)
        self.up = nn.ModuleList()
        for level, outside in reversed(list(enumerate(widths))):
            for _ in range(c.blocks + 1):
                self.up.append(Block(width + kept.pop(), outside, embedded))
                width = outside
            if level:
                self.up.append(nn.Conv2d(width, width, 3, padding=1))
        self.norm, self.reconstruct = nn.GroupNorm(_GROUPS, width), nn.Conv2d(width, bands, 3, padding=1)
        nn.init.zeros_(self.reconstruct.weight)
        nn.init.zeros_(cast(torch.Tensor, self.reconstruct.bias))

    def encode(self, X: MSI, Y: LRHSI) -> Images:
        """Upsample Y and stack it with X; arguments as in `Denoiser.encode`."""
        self.check_bands(X, Y)
        base = F.interpolate(Y, size=X.shape[-2:], mode="bicubic", align_corners=False)
        return Images(base, torch.cat([base, X], dim=1))

    def denoise(self, condition: Images, Z_t: HRHSI, gamma: torch.Tensor) -> HRHSI:
        """Run the U-Net and add the base; arguments as in `Denoiser.denoise`."""
        height, width = Z_t.shape[-2:]
        stacked = torch.cat([Z_t, condition.stacked.to(Z_t.dtype)], dim=1)
        e = self._level(gamma)
        x = self.begin(pad_to_multiple(stacked, self.multiple))
        kept = [x]
        for part in self.down:
            x = self._run(part, x, e) if isinstance(part, Block) else part(x)
            kept.append(x)
        x = self._run(self.middle_in, x, e)
        x = self._run(self.middle_out, self.attention(x), e)
        for part in self.up:
            if isinstance(part, Block):
                x = self._run(part, torch.cat([x, kept.pop()], dim=1), e)
            else:
                x = part(F.interpolate(x, scale_factor=2, mode="nearest"))
        residual = self.reconstruct(F.silu(self.norm(x)))[..., :height, :width]
        Z_hat: torch.Tensor = condition.base + residual.to(condition.base.dtype)
        return Z_hat

    def second_half(self) -> list[nn.Parameter]:
        """Parameters of the way up and of the reconstruction."""
        return [p for m in (self.up, self.norm, self.reconstruct) for p in m.parameters()]

    def _level(self, gamma: torch.Tensor) -> torch.Tensor:
        # Numerics: in float32 always, as in NoiseInjection
        with torch.autocast(gamma.device.type, enabled=False):
            kind = cast(nn.Linear, self.embed[0]).weight.dtype
            exact = gamma.to(torch.promote_types(kind, torch.float32))
            embedded = noise_level_embedding(exact, self.width, scale=self.scale)
            e: torch.Tensor = F.silu(self.embed(embedded.to(kind)))
        return e

    def _run(self, block: nn.Module, *args: torch.Tensor) -> torch.Tensor:
        return run_layer(block, *args, checkpointing=self.checkpointing)
