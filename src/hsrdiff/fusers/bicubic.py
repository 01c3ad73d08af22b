"""Bicubic upsampling of Y: the paper's U, and the floor that any fusion must beat."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from hsrdiff.fusers.base import Fusion, Needs
from hsrdiff.fusers.masking import fill_invalid, mask_output, output_mask
from hsrdiff.observation import Scene
from hsrdiff.typing import HRHSI, LRHSI


def upsample(Y: LRHSI, size: tuple[int, int]) -> HRHSI:
    """Return U, the block-aligned bicubic upsampling of Y (section 3.3; kernel of Keys with a = -0.75).

    An LR pixel sits at the centre of its block of HR pixels, as in D.

    Args:
        Y: Shape (n, B, h, w), finite.
        size: (H, W) of the result.

    Returns:
        Shape (n, B, H, W).
    """
    # P40: the kernel is the framework's, as in the network.
    return F.interpolate(Y, size=size, mode="bicubic", align_corners=False)


class Bicubic:
    """U: every band of Y upsampled by itself, X unused."""

    name = "bicubic"
    needs = Needs()

    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Return U, with masked pixels of Y replaced by their nearest valid neighbour first.

        Args:
            scene: The scene; only Y, the size of X and the masks are used.
            generator: Not used.

        Returns:
            U, NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together.
        """
        scene.check()
        height, width = scene.X.shape[-2:]
        U = upsample(fill_invalid(scene.Y, scene.valid_lr), (height, width))
        return Fusion(mask_output(U, output_mask(scene)))
