"""The LR pixels that both images see: Y and X D there, as the equations that R must meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hsrdiff.errors import InvalidValueError
from hsrdiff.observation.guide import guide_at_lr
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.typing import FloatArray

# LR pixels with this share of the PSF on valid pixels of X: whole ones, and those that serve where these are too few
MINIMUM_SHARE, WHOLE_SHARE = 0.5, 1.0 - 1e-6
FOLDS = 3
_FOLD_SIDE = 4  # LR pixels: neighbours of neighbours are told apart, so that what is held out is new
_CHUNK = 1 << 16  # pixels at a time: float64 of a whole scene may not fit the memory


@dataclass(frozen=True, eq=False)
class SharedPixels:
    """What both images say of the LR pixels that both see.

    Attributes:
        Y: Shape (B, N), float64.
        X_lr: X D there, shape (b, N), float64.
        usable: Which LR pixels these are, bool (h, w).
    """

    Y: FloatArray
    X_lr: FloatArray
    usable: torch.Tensor

    @property
    def folds(self) -> FloatArray:
        """Fold of each pixel, (N,), whole numbers below `FOLDS`: blocks of 4 x 4 LR pixels along diagonals."""
        return np.asarray(fold_map(self.usable.shape[0], self.usable.shape[1])[self.usable.numpy()])


def shared_pixels(scene: Scene, spatial: SpatialResponse, *, blur_lr: float = 0.0) -> SharedPixels:
    """Return Y and X D where both images have data, both blurred further if asked for.

    LR pixels valid in Y whose PSF falls on valid pixels of X only are taken when they are as many as the bands; else
    those with at least half of it there, divided by that share. The blur is a Gaussian over the pixels taken,
    the same on both images, so that ``R Y = X D`` stays true of what is returned. A wide one leaves only what every
    PSF of about one LR pixel lets pass, so that R can be found before D is known.

    Args:
        scene: X, Y and their masks.
        spatial: D.
        blur_lr: Standard deviation of the blur in LR pixels, 0 for none.

    Returns:
        The pixels.

    Raises:
        InvalidValueError: No LR pixel is seen by both images.
    """
    share = spatial.apply(torch.ones_like(scene.X[:, :1]).double() if scene.valid is None else scene.valid.double())
    seen_lr = torch.ones_like(share, dtype=torch.bool) if scene.valid_lr is None else scene.valid_lr
    usable = (share >= WHOLE_SHARE) & seen_lr
    if usable.sum() < scene.bands:
        usable = (share >= MINIMUM_SHARE) & seen_lr
    if not usable.any():
        raise InvalidValueError(
            "no coarse pixel is valid in both images",
            expected="ground that both see",
            do="check their masks and nodata values",
        )
    X_lr = guide_at_lr(scene, spatial) / share.clamp_min(MINIMUM_SHARE)
    Y = scene.Y if scene.valid_lr is None else torch.where(scene.valid_lr, scene.Y, 0.0)
    images = [X_lr, Y.double()]
    if blur_lr > 0:
        images = [_blurred(image, usable, blur_lr) for image in images]
    found = [image[0][:, usable[0, 0]].numpy() for image in images]
    return SharedPixels(found[1], found[0], usable[0, 0])


def _blurred(image: torch.Tensor, usable: torch.Tensor, sigma: float) -> torch.Tensor:
    """Weighted mean of the usable pixels round each pixel, weights falling as a Gaussian."""
    reach = np.ceil(3 * sigma)
    profile = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float64) / sigma).square())

    def along_both(stack: torch.Tensor) -> torch.Tensor:
        stack = stack.transpose(0, 1)
        stack = torch.nn.functional.conv2d(stack, profile[None, None, :, None], padding=(int(reach), 0))
        stack = torch.nn.functional.conv2d(stack, profile[None, None, None, :], padding=(0, int(reach)))
        return stack.transpose(0, 1)

    counted = usable.double()
    return along_both(image * counted) / along_both(counted).clamp_min(torch.finfo(torch.float64).tiny)


def fold_map(height: int, width: int) -> FloatArray:
    """Split a grid into folds of blocks.

    Args:
        height: Rows.
        width: Columns.

    Returns:
        Fold of each pixel, (height, width), whole numbers below `FOLDS`.
    """
    rows, columns = np.mgrid[:height, :width] // min(_FOLD_SIDE, max(1, min(height, width) // FOLDS))
    return np.asarray((rows + columns) % FOLDS)


def triangle(samples: FloatArray) -> FloatArray:
    """Return the triangle of a QR factorisation: the same least-squares problem in as few rows as unknowns.

    Args:
        samples: Columns of unknowns and right-hand sides, as rows: shape (n, N).

    Returns:
        Shape (at most n, n).
    """
    found = np.empty((0, len(samples)))
    for start in range(0, samples.shape[1], _CHUNK):
        # Numerics: piece by piece, and never the square of the condition number
        found = np.linalg.qr(np.concatenate([found, samples[:, start : start + _CHUNK].T])).R
    return found
