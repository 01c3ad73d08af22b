"""Noise-level embedding (NLE), Eq. (7)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def noise_level_embedding(gamma: torch.Tensor, channels: int, *, scale: float = 1.0) -> torch.Tensor:
    """Embed the noise level as sines and cosines, Eq. (7).

    ``NLE[2i] = sin(scale * gamma / 10000**(2i/C))`` and ``NLE[2i+1] = cos(...)``.

    With ``scale=1``, the paper's text, every component is a slow function of gamma in [0, 1], and levels near 1 are
    barely told apart; WaveGrad multiplies by 5000 first.

    Args:
        gamma: Signal power left, shape (n,), in [0, 1].
        channels: C, even.
        scale: Multiplies gamma before the sines.

    Returns:
        The embedding, shape (n, C), in gamma's dtype.
    """
    # P7: the text's i in [1, C/2] overruns the C components; i runs over 0 .. C/2 - 1 here.
    i = torch.arange(channels // 2, device=gamma.device, dtype=torch.float64)
    angle = scale * gamma.double()[:, None] / 10000.0 ** (2 * i / channels)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).to(gamma.dtype)


class NoiseInjection(nn.Module):
    """The linear transform LT of Figure 5: embed gamma and add it to every pixel of a feature map.

    Args:
        channels: C.
        scale: Scale of gamma in the embedding, Eq. (7).
    """

    def __init__(self, channels: int, *, scale: float = 1.0) -> None:
        super().__init__()
        self.channels, self.scale = channels, scale
        self.transform = nn.Linear(channels, channels)

    def forward(self, features: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        """Merge the noise level with the features.

        Args:
            features: F^DS, shape (n, H, W, C).
            gamma: Noise levels, shape (n,).

        Returns:
            ``features + LT(NLE(gamma))``, shape (n, H, W, C).
        """
        # P8: "transformed and merged" is read as an added linear map.
        # P31: in float32 always; 8 bits of bfloat16 would not tell levels above about 0.999 apart.
        with torch.autocast(features.device.type, enabled=False):
            kind = torch.promote_types(self.transform.weight.dtype, torch.float32)
            embedded = noise_level_embedding(gamma.to(kind), self.channels, scale=self.scale)
            shift = F.linear(embedded, self.transform.weight.to(kind), self.transform.bias.to(kind))
        return features + shift[:, None, None, :].to(features.dtype)
