"""The bands of X one by one: several copies of the whole in float64 may not fit the memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from hsrdiff.observation.image_noise import filled
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import SpatialResponse


def guide_bands(scene: Scene) -> Iterator[torch.Tensor]:
    """Yield the bands of X.

    Args:
        scene: X and its mask.

    Yields:
        Shape (1, 1, H, W), float64, 0 where invalid.
    """
    for band in range(scene.msi_bands):
        yield filled(scene.X[:, band : band + 1], scene.valid).double()


def guide_at_lr(scene: Scene, spatial: SpatialResponse) -> torch.Tensor:
    """Return X D, invalid pixels of X being 0.

    Args:
        scene: X and its mask.
        spatial: D.

    Returns:
        Shape (1, b, h, w), float64.
    """
    return torch.cat([spatial.apply(band) for band in guide_bands(scene)], dim=1)
