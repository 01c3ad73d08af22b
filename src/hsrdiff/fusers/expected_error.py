"""How large errors are likely to be: signs of doubt put together by powers fitted where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch.nn import functional as F

_LEAST = 1e-3
_TOGETHER = 8  # bands


@dataclass(frozen=True)
class ExpectedError:
    """Standard deviation of the errors of each band and pixel, a product of powers of signs of doubt (P76).

    With l_b the mean square of the errors by which the LR pixels of band b are foretold from each other, and f_k the
    signs, in squared units of the image,

        deviation^2 = e^a l_b^(1 - sum_k p_k) prod_k (f_k + 0.001 mean_x f_k)^p_k

    which follows the unit of the images. a and p were fitted on training scenes by ``benchmarks/expected_error.py``.

    Attributes:
        constant: a.
        powers: p_k by the name of the sign, at least 0.
    """

    constant: float
    powers: Mapping[str, float]

    def deviation(self, level: torch.Tensor, signs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the standard deviation.

        Args:
            level: l, shape (B,).
            signs: f_k by name, all of `powers`, shape (1, B, H, W) each.

        Returns:
            Shape (1, B, H, W), at least 0; 0 where the level is.
        """
        # P76: signs multiply, so that the result follows the unit and none of them alone decides
        first = self.constant + (1.0 - sum(self.powers.values())) * level.log()
        total = first[:, None, None].expand_as(next(iter(signs.values()))).clone()
        for name, power in self.powers.items():
            total += power * kept_off_0(signs[name]).log_()
        return total.mul_(0.5).exp_()


def by_bands(bands: int, deviation: Callable[[slice], torch.Tensor]) -> torch.Tensor:
    """Put a deviation together of a few bands at a time, so that signs of all bands need not be in memory at once.

    Args:
        bands: B.
        deviation: Bands -> their deviation, shape (1, bands, H, W).

    Returns:
        Shape (1, B, H, W).
    """
    return torch.cat([deviation(slice(i, i + _TOGETHER)) for i in range(0, bands, _TOGETHER)], dim=1)


def kept_off_0(sign: torch.Tensor) -> torch.Tensor:
    """Return ``f + 0.001 mean_x f``, so that a pixel without a sign is not taken for certain.

    Args:
        sign: f, shape (1, B, H, W), at least 0.

    Returns:
        Same shape, above 0.
    """
    return (sign + _LEAST * sign.mean(dim=(2, 3), keepdim=True)).clamp_min(torch.finfo(sign.dtype).tiny)


def nearby(image: torch.Tensor) -> torch.Tensor:
    """Return the mean square over 3 x 3 pixels.

    Args:
        image: Shape (1, B, H, W).

    Returns:
        Same shape.
    """
    return F.avg_pool2d(F.pad(image.square(), (1, 1, 1, 1), mode="replicate"), 3, 1)


def detail(Z: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """Return the sign of what was added to Y: the mean square, nearby, of Z less the upsampled Y.

    Args:
        Z: The estimate, shape (1, B, H, W).
        Y: LR-HSI without gaps, shape (1, B, h, w).

    Returns:
        Shape (1, B, H, W).
    """
    return nearby(Z - F.interpolate(Y.to(Z), size=Z.shape[-2:], mode="bicubic", align_corners=False))


def surprise(left_out: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return the sign of LR pixels that the others foretell badly: their squared errors, on the fine grid.

    Args:
        left_out: Leave-one-out errors, shape (1, B, h, w).
        size: (H, W).

    Returns:
        Shape (1, B, H, W).
    """
    return F.interpolate(left_out.square(), size=size, mode="bilinear", align_corners=False)


def level_of(left_out: torch.Tensor, sampled: torch.Tensor) -> torch.Tensor:
    """Return l, the mean square of the leave-one-out errors of each band.

    Args:
        left_out: Shape (1, B, h, w).
        sampled: Where there is a sample, bool (1, 1, h, w).

    Returns:
        Shape (B,), float64.
    """
    errors = left_out.double().square() * sampled
    return errors.sum(dim=(0, 2, 3)) / sampled.sum().clamp_min(1)
