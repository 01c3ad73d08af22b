"""CDFormer on whitened residual coordinates: the two streams of Figure 3 for images of any sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn
from torch.nn import functional as F

from hsrdiff.errors import ShapeError
from hsrdiff.networks.conditioning import NCS2TL, KeysValues
from hsrdiff.networks.convolutions import folded
from hsrdiff.networks.elementwise import asinh, in_working_type
from hsrdiff.networks.initialise import calm, kaiming
from hsrdiff.networks.layers import S2TL
from hsrdiff.typing import Denoise

_GENTLE = 0.3  # of the optics, before asinh
_LEVELS = 8.0  # natural logarithms of the signal-to-noise ratio beyond which a level counts as pure noise, or none


class ResidualConfig(BaseModel):
    """Everything that decides the shape of a ResidualCDFormer.

    Attributes:
        coordinates: r, residual coordinates that are diffused.
        conditions: Channels of the condition.
        optics: Channels that also reach the answer directly, by a linear map.
        channels: C, the width of both streams.
        layers: N, the depth of each stream.
        heads: Attention heads of every attention.
        window: Side of a spatial window in tokens.
        ffn_ratio: Hidden channels of the gated feed-forward network over C.
        patch: Side of the square of pixels that makes one token.
        embedding_scale: Scale of the log signal-to-noise ratio in Eq. (7).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    coordinates: int = Field(8, ge=1)
    conditions: int = Field(ge=1)
    optics: int = Field(0, ge=0)
    channels: int = Field(48, ge=2)
    layers: int = Field(3, ge=1)
    heads: int = Field(2, ge=1)
    window: int = Field(8, ge=2)
    ffn_ratio: float = Field(2.66, gt=0)
    patch: int = Field(2, ge=1)
    embedding_scale: float = Field(50.0, gt=0)

    @model_validator(mode="after")
    def _even_heads(self) -> ResidualConfig:
        if self.channels % (2 * self.heads):
            raise ValueError(f"channels ({self.channels}) must be a multiple of twice the heads ({self.heads})")
        return self


@dataclass(frozen=True)
class ResidualCondition:
    """What the SR stream made of the condition: computed once, used at every noise level.

    Attributes:
        features: Output of the SR stream, shape (n, H/p, W/p, C).
        direct: What the optics say by themselves, shape (n, r, H, W), or None.
        memories: Keys and values of each layer's cross attention.
    """

    features: torch.Tensor
    direct: torch.Tensor | None
    memories: tuple[KeysValues, ...]


class ResidualCDFormer(nn.Module):
    """The two-stream denoiser on the coordinates of Z - base, of about unit variance.

    The SR stream reads the condition, the denoising stream the noisy coordinates, and each layer of the second asks
    the first by cross attention, as in Figure 3. The estimate is split as

        c_hat = sqrt(gamma) c_t + sqrt(1 - gamma) F(sqrt(gamma) c_t, condition, log(gamma / (1 - gamma)))

    (skip and output scale of Karras et al., "Elucidating the design space", NeurIPS 2022, in this parameterisation):
    pure noise does not reach the network, and were c of unit variance, so would its answer be at every level.

    Args:
        config: Widths and depths.
    """

    def __init__(self, config: ResidualConfig) -> None:
        super().__init__()
        c = config
        self.config = c
        shifts = [bool(i % 2) for i in range(c.layers)]
        pixels = c.patch**2
        self.sr_in = nn.Conv2d((c.conditions + c.optics) * pixels, c.channels, 3, padding=1)
        self.sr = nn.ModuleList(S2TL(c.channels, c.heads, c.window, c.ffn_ratio, shift=s) for s in shifts)
        self.ds_in = nn.Conv2d(c.coordinates * pixels, c.channels, 3, padding=1)
        self.ds = nn.ModuleList(
            NCS2TL(c.channels, c.heads, c.window, c.ffn_ratio, shift=s, embedding_scale=c.embedding_scale)
            for s in shifts
        )
        self.reconstruct = nn.Conv2d(2 * c.channels, c.coordinates * pixels, 3, padding=1)
        self.direct = nn.Conv2d(c.optics, c.coordinates, 1, bias=False) if c.optics else None
        kaiming(self)
        if self.direct is not None:
            nn.init.zeros_(self.direct.weight)
        for stream in (self.sr, self.ds):
            calm((m for name, m in stream.named_modules() if name.endswith(".project")), self.reconstruct)

    def encode(self, condition: torch.Tensor, optics: torch.Tensor | None = None) -> ResidualCondition:
        """Run the SR stream.

        Args:
            condition: Shape (n, K, H, W).
            optics: Shape (n, 2 B, H, W), for a network that has such channels.

        Returns:
            What `denoise` asks.

        Raises:
            ShapeError: If the condition has another number of channels.
        """
        if condition.shape[1] != self.config.conditions:
            raise ShapeError(
                f"a condition of {condition.shape[1]} channels for a network of {self.config.conditions}",
                do="use weights trained for such conditions",
            )
        given = 0 if optics is None else optics.shape[1]
        if given != self.config.optics:
            raise ShapeError(
                f"optics of {given} channels for a network of {self.config.optics}",
                do="use weights trained for such conditions",
            )
        direct = None
        if optics is not None and self.direct is not None:
            # Numerics: slopes at an edge are large beside the errors, and so would be their rounding in bfloat16
            with torch.autocast(optics.device.type, enabled=False):
                direct = self.direct(optics)
            condition = torch.cat([in_working_type(t) for t in (condition, asinh(_GENTLE * optics))], dim=1)
        features = folded(self._whole(in_working_type(condition)), self.sr_in, self.config.patch)
        memories = []
        for sr_layer, ds_layer in zip(self.sr, self.ds, strict=True):
            features = sr_layer(features)
            memories.append(cast(NCS2TL, ds_layer).remember(features))
        return ResidualCondition(features, direct, tuple(memories))

    def denoise(self, condition: ResidualCondition, c_t: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        """Estimate the coordinates from noisy ones.

        Args:
            condition: From `encode`.
            c_t: Noisy coordinates, shape (n, r, H, W).
            gamma: Signal power left, shape (n,), in [0, 1].

        Returns:
            c_hat, shape and type of `c_t`.
        """
        gamma = gamma.double()
        level = (torch.log(gamma) - torch.log1p(-gamma)).clamp(-_LEVELS, _LEVELS)
        signal = gamma.sqrt().to(c_t)[:, None, None, None]
        noise = (1.0 - gamma).sqrt().to(c_t)[:, None, None, None]
        return signal * c_t + noise * self.answer(condition, signal * c_t, level)

    def answer(self, condition: ResidualCondition, noisy: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """Run the denoising stream: F of the class.

        Args:
            condition: From `encode`.
            noisy: What the stream reads, shape (n, r, H, W).
            level: What Eq. (7) embeds, shape (n,).

        Returns:
            Shape and type of `noisy`.
        """
        height, width = noisy.shape[-2:]
        features = folded(self._whole(noisy), self.ds_in, self.config.patch)
        for layer, memory in zip(self.ds, condition.memories, strict=True):
            features = layer(features, memory, level)
        both = torch.cat([features, condition.features], dim=-1).permute(0, 3, 1, 2)
        answer = F.pixel_shuffle(self.reconstruct(both), self.config.patch)[..., :height, :width]
        answer = answer.to(noisy.dtype)
        return answer if condition.direct is None else answer + condition.direct

    def bind(self, condition: torch.Tensor, optics: torch.Tensor | None = None) -> Denoise:
        """Run the SR stream once and return denoise(c_t, gamma)."""
        encoded = self.encode(condition, optics)
        return lambda c_t, gamma: self.denoise(encoded, c_t, gamma)

    def forward(
        self, condition: torch.Tensor, c_t: torch.Tensor, gamma: torch.Tensor, optics: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return c_hat: `encode`, then `denoise`."""
        return self.denoise(self.encode(condition, optics), c_t, gamma)

    def _whole(self, image: torch.Tensor) -> torch.Tensor:
        """Mirror the right and bottom edges up to whole windows."""
        m = self.config.window * self.config.patch
        down, right = -image.shape[-2] % m, -image.shape[-1] % m
        if down or right:
            mode = "reflect" if down < image.shape[-2] and right < image.shape[-1] else "replicate"
            image = F.pad(image, (0, right, 0, down), mode=mode)
        return image
