"""Feature maps at the border of a stream: padded to whole windows, laid out as tokens, run with little memory."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint


def pad_to_multiple(image: torch.Tensor, multiple: int) -> torch.Tensor:
    """Mirror the right and bottom edges up to a multiple of pixels.

    Args:
        image: Shape (n, C, H, W).
        multiple: Of both sides, in pixels.

    Returns:
        `image` itself where nothing is missing, else a larger image.
    """
    down, right = -image.shape[-2] % multiple, -image.shape[-1] % multiple
    if down == 0 and right == 0:
        return image
    mode = "reflect" if down < image.shape[-2] and right < image.shape[-1] else "replicate"
    return F.pad(image, (0, right, 0, down), mode=mode)


def to_tokens(image: torch.Tensor) -> torch.Tensor:
    """Lay an image (n, C, H, W) out as (n, H, W, C)."""
    return image.permute(0, 2, 3, 1).contiguous()


def run_layer(layer: nn.Module, *args: object, checkpointing: bool) -> torch.Tensor:
    """Apply a layer, keeping only its input for the backward pass when checkpointing is on."""
    if checkpointing and torch.is_grad_enabled():
        out: torch.Tensor = checkpoint(layer, *args, use_reentrant=False)
        return out
    direct: torch.Tensor = layer(*args)
    return direct
