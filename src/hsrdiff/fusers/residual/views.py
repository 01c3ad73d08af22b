"""The eight turned and flipped copies of an image, over which estimates can be averaged."""

from __future__ import annotations

import torch

VIEWS = 8


def view(image: torch.Tensor, k: int) -> torch.Tensor:
    """Return one of the eight turned and flipped copies of an image; the first is the image itself.

    Args:
        image: Shape (n, C, H, W).
        k: From 0 to 7.

    Returns:
        Shape (n, C, H, W) or (n, C, W, H).
    """
    turned = torch.rot90(image, k % 4, (-2, -1))
    return turned.flip(-1) if k >= 4 else turned


def unview(image: torch.Tensor, k: int) -> torch.Tensor:
    """Undo `view`.

    Args:
        image: A copy.
        k: From 0 to 7.

    Returns:
        The image.
    """
    turned = image.flip(-1) if k >= 4 else image
    return torch.rot90(turned, -(k % 4), (-2, -1))
