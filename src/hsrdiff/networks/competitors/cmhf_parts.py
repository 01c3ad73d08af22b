"""The parts of CMHF-Net: learned blur and decimation, learned upsampling, residual levels with batch statistics."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from hsrdiff.errors import FactorError

_STD = 0.1  # of the truncated normal that convolutions begin with
_GUIDE_SCALE = 0.1


def steps_of(factor: int) -> tuple[int, ...]:
    """Split a factor into decimations by 4 and at most one by 2 at the end: 32 is 4, 4, 2.

    Args:
        factor: H / h.

    Returns:
        The steps from fine to coarse.

    Raises:
        FactorError: If it is not a power of two.
    """
    # P61: the authors have 4, 16 and 32; other powers of two are split the same way.
    if factor < 2 or factor & (factor - 1):
        raise FactorError(
            f"CMHF-Net halves and quarters the image, and the factor is {factor}",
            expected="a power of two",
            do="use another method for this factor",
        )
    twos = factor.bit_length() - 1
    return (4,) * (twos // 2) + (2,) * (twos % 2)


class Down(nn.Module):
    """Blur and decimation with kernels that are learnt and the same for every band.

    A step of 4 has 6 x 6 taps, each block and one pixel around it; a step of 2 has 3 x 3, from one pixel before a pair
    to its second one. Zeros lie beyond the edge. Kernels begin as means.

    Args:
        steps: From `steps_of`.
    """

    def __init__(self, steps: Sequence[int]) -> None:
        super().__init__()
        self.steps = tuple(steps)
        sides = [6 if step == 4 else 3 for step in self.steps]
        self.kernels = nn.ParameterList(torch.full((1, 1, side, side), 1.0 / side**2) for side in sides)

    def levels(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the image on every grid, from the finest, itself, to the coarsest."""
        out = [image]
        for step, kernel in zip(self.steps, self.kernels, strict=True):
            n, bands = out[-1].shape[:2]
            one = out[-1].flatten(0, 1)[:, None]
            padded = F.pad(one, (1, 1, 1, 1) if step == 4 else (1, 0, 1, 0))
            coarse = F.conv2d(padded, kernel, stride=step)
            out.append(coarse.view(n, bands, *coarse.shape[-2:]))
        return out

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the image on the coarsest grid; (n, C, H, W) to (n, C, h, w)."""
        return self.levels(image)[-1]


def _conv(inside: int, outside: int) -> nn.Conv2d:
    conv = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
    nn.init.trunc_normal_(conv.weight, std=_STD, a=-2 * _STD, b=2 * _STD)
    return conv


def _doubler(bands: int) -> nn.ConvTranspose2d:
    conv = nn.ConvTranspose2d(bands, bands, 3, stride=2, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.eye(bands)[:, :, None, None].expand(-1, -1, 3, 3) / 4)
    return conv


def _norm(channels: int, scale: float) -> nn.BatchNorm2d:
    # batch statistics in training and at test time
    norm = nn.BatchNorm2d(channels, track_running_stats=False)
    nn.init.constant_(norm.weight, scale)
    return norm


class Residual(nn.Module):
    """One level: x plus three times convolution, batch norm and ReLU, of x and perhaps a guide.

    Args:
        channels: Of x.
        guide: Channels of the guide, 0 for none.
        scale: What the norms' scales begin with.
    """

    def __init__(self, channels: int, guide: int = 0, scale: float = 1 / 20) -> None:
        super().__init__()
        inside = channels + guide
        widths = (inside, inside + 3, inside + 3, channels)
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [_conv(a, b), _norm(b, scale), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor, guide: torch.Tensor | None = None) -> torch.Tensor:
        """Transform; (n, C, H, W) to (n, C, H, W)."""
        out: torch.Tensor = x + self.layers(x if guide is None else torch.cat([x, guide], dim=1))
        return out


class Up(nn.Module):
    """Upsampling of a coarse error: doublings by transposed convolution, adjusted to X on each of Down's grids.

    A transposed convolution of 3 x 3 taps begins as the identity over bands divided by 4; at the end every band is
    blurred by its own 4 x 4 taps, which begin as a mean.

    Args:
        bands: B.
        msi_bands: b.
        steps: From `steps_of`.
    """

    def __init__(self, bands: int, msi_bands: int, steps: Sequence[int]) -> None:
        super().__init__()
        self.doublings = tuple(1 if step == 2 else 2 for step in reversed(steps))
        self.doublers = nn.ModuleList(_doubler(bands) for _ in range(sum(self.doublings)))
        self.adjust = nn.ModuleList(Residual(bands, msi_bands, scale=1 / 100) for _ in steps)
        self.blur = nn.Parameter(torch.full((bands, 1, 4, 4), 1 / 16))

    def forward(self, error: torch.Tensor, guides: Sequence[torch.Tensor]) -> torch.Tensor:
        """Upsample.

        Args:
            error: Shape (n, B, h, w).
            guides: X on every grid, finest first, from `Down.levels`.

        Returns:
            Shape (n, B, H, W).
        """
        doublers = iter(self.doublers)
        for count, adjust, guide in zip(self.doublings, self.adjust, reversed(guides[:-1]), strict=True):
            for _ in range(count):
                # the last row and column belong to the next pixel, which does not exist
                error = next(doublers)(error)[..., :-1, :-1]
            error = adjust(error, _GUIDE_SCALE * guide)
        # one pixel before and two after: four taps have no middle
        return F.conv2d(F.pad(error, (1, 2, 1, 2)), self.blur, groups=error.shape[1])
