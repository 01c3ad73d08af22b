"""Invalid pixels: filled before a method runs, NaN again in what it returns."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage

from hsrdiff.observation import Scene


def fill_invalid(image: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
    """Replace every invalid pixel by its nearest valid one, so that no masked value reaches a result.

    Args:
        image: Shape (1, C, H, W).
        valid: Bool (1, 1, H, W) with at least one true pixel, or None for everywhere.

    Returns:
        `image` itself when nothing is masked, else a new image without masked values.
    """
    if valid is None or bool(valid.all()):
        return image
    return take_pixels(image, nearest_valid(valid))


def nearest_valid(valid: torch.Tensor) -> torch.Tensor:
    """Find the nearest valid pixel of each, itself where it is valid.

    Args:
        valid: Bool (1, 1, H, W) with at least one true pixel.

    Returns:
        Numbers of pixels counted along rows, int64 (H W,), for `take_pixels`.
    """
    invalid = ~valid[0, 0].cpu().numpy()
    rows, columns = ndimage.distance_transform_edt(invalid, return_distances=False, return_indices=True)
    return torch.from_numpy(np.ravel_multi_index((rows, columns), invalid.shape)).flatten()


def take_pixels(image: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Return an image whose pixels are others of it.

    Args:
        image: Shape (1, C, H, W).
        source: From `nearest_valid`.

    Returns:
        A new image.
    """
    return image.flatten(2)[:, :, source.to(image.device)].reshape(image.shape)


def output_mask(scene: Scene) -> torch.Tensor:
    """Mark the HR pixels that have data: valid in X and inside a valid pixel of Y.

    Args:
        scene: A scene whose sizes fit.

    Returns:
        Bool (1, 1, H, W).
    """
    height, width = scene.X.shape[-2:]
    mask = torch.ones((1, 1, height, width), dtype=torch.bool, device=scene.X.device)
    if scene.valid is not None:
        mask = mask & scene.valid
    if scene.valid_lr is not None:
        blocks = scene.valid_lr.repeat_interleave(scene.factor, -2).repeat_interleave(scene.factor, -1)
        mask = mask & blocks
    return mask


def mask_output(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return `image` with NaN outside the mask.

    Args:
        image: Shape (1, B, H, W), floating point.
        mask: Bool (1, 1, H, W).

    Returns:
        A new image.
    """
    return torch.where(mask, image, torch.full((), torch.nan, dtype=image.dtype, device=image.device))
