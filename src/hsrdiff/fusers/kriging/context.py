"""What surrounds a pixel of the guide: local means and contrast at several scales, for any number of bands."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from hsrdiff.typing import MSI

RADII = (2, 8, 20)  # pixels of the square windows beside the pixel itself
SCALES = 1 + len(RADII)
TEXTURES = 2 * len(RADII)
DARK = 0.02  # brightness, in units of the scene's root mean square, under which colour fades
_FAINT = 0.01  # contrast below which texture counts as none


def channels(msi_bands: int) -> int:
    """Return how many numbers `guide_context` gives for a guide.

    Args:
        msi_bands: b.

    Returns:
        ``SCALES b + SCALES + TEXTURES``.
    """
    return SCALES * msi_bands + SCALES + TEXTURES


def guide_context(X: MSI, scale: float) -> torch.Tensor:
    """Describe every pixel of the guide and its surroundings.

    For the pixel itself and each window of `RADII`, with local mean m and n = |m|: colour ``m / (n + DARK)`` and
    level ``log(n + DARK)``; for each window the logarithms of the relative contrast of brightness and of the spread of
    colour.

    Args:
        X: Guide without invalid values, shape (1, b, H, W).
        scale: Brightness that means 1.

    Returns:
        Shape (1, C, H, W), C from `channels`: colours scale by scale, then levels, then textures.
    """
    x = X / scale
    brightness = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    colour = x / (brightness + DARK)
    colours, levels, textures = [colour], [torch.log(brightness + DARK)], []
    for radius in RADII:
        mean = local_mean(x, radius)
        level = torch.linalg.vector_norm(mean, dim=1, keepdim=True)
        colours.append(mean / (level + DARK))
        levels.append(torch.log(level + DARK))
        bright = local_mean(brightness, radius)
        contrast = (local_mean(brightness.square(), radius) - bright.square()).clamp_min(0.0).sqrt()
        spread = (local_mean(colour.square(), radius) - local_mean(colour, radius).square()).clamp_min(0.0)
        textures.append(torch.log(contrast / (bright + DARK) + _FAINT))
        textures.append(torch.log(spread.sum(dim=1, keepdim=True).sqrt() + _FAINT))
    return torch.cat(colours + levels + textures, dim=1)


def local_mean(image: torch.Tensor, radius: int) -> torch.Tensor:
    """Average over the square of ``2 radius + 1`` pixels around each pixel, mirrored at the border.

    Args:
        image: Shape (n, C, H, W).
        radius: Pixels to each side; less on an axis that is shorter.

    Returns:
        Same shape.
    """
    reach = [min(radius, side - 1) for side in image.shape[-2:]]
    padded = F.pad(image, (reach[1], reach[1], reach[0], reach[0]), mode="reflect")
    rows = F.avg_pool2d(padded, (2 * reach[0] + 1, 1), 1)
    return F.avg_pool2d(rows, (1, 2 * reach[1] + 1), 1)
