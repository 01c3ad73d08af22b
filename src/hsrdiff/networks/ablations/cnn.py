"""The ablation "CD-CNN": CDFormer with convolutions where it has S2TLs."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.cdformer import CDFormer, CDFormerConfig
from hsrdiff.networks.conditioning import NCS2TL


class ConvLayer(nn.Module):
    """``F + conv(relu(conv(F)))``, both 3 x 3.

    Args:
        channels: C.
    """

    # P63: the text only says that S2TLs become convolutions.
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(channels, channels, 3, padding=1)
        self.project = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Transform a feature map; (n, H, W, C) to (n, H, W, C)."""
        image = features.permute(0, 3, 1, 2)
        out: torch.Tensor = features + self.project(F.relu(self.expand(image))).permute(0, 2, 3, 1)
        return out


class NoiseAwareConv(NCS2TL):
    """Noise level in, cross attention to the SR stream, then a `ConvLayer`; arguments are those of `NCS2TL`."""

    @staticmethod
    def transform(channels: int, heads: int, window: int, ffn_ratio: float, *, shift: bool) -> nn.Module:
        """Make the layer that follows the conditioning."""
        return ConvLayer(channels)


class CDCNN(CDFormer):
    """CDFormer whose layers are convolutions; the streams and the cross attention between them stay.

    Of the configuration `ffn_ratio` has no meaning here. Arguments are those of `CDFormer`.
    """

    @staticmethod
    def sr_layer(c: CDFormerConfig, *, shift: bool) -> nn.Module:
        """Make one layer of the SR stream."""
        return ConvLayer(c.channels)

    @staticmethod
    def ds_layer(c: CDFormerConfig, *, shift: bool) -> NCS2TL:
        """Make one layer of the denoising stream."""
        return NoiseAwareConv(
            c.channels, c.heads, c.window, c.ffn_ratio, shift=shift, embedding_scale=c.embedding_scale
        )
