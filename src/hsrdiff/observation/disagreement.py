"""How far a pair disagrees with R and D: per MSI band, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hsrdiff.errors import InputError
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.shared_pixels import shared_pixels
from hsrdiff.typing import BoolArray, FloatArray

LARGEST_BLOCK, FEWEST_BLOCKS = 8, 4  # side of a block in LR pixels, and blocks along the shorter side
# A block whose mean is off by more than this many typical deviations, and this share of the image, is changed.
_OUTLIER, _NOTABLE = 8.0, 0.03


@dataclass(frozen=True, eq=False)
class Disagreement:
    """``R Y - X D`` of a pair.

    Attributes:
        rms: Root mean square per MSI band, shape (b,), in the unit of X.
        relative: The same over the root mean square of X D, shape (b,).
        gain: What R Y is multiplied by to come nearest to X D, per band, shape (b,).
        correlation: Of R Y with X D over LR pixels, per band, shape (b,); 0 where one of them is constant.
        blocks: Root mean square in blocks over that of the image, mean square over bands, shape (rows, columns); NaN
            where no pixel of a block counts.
        offsets: Mean of each block, each band multiplied by its gain and over its root mean square, as the root mean
            square over bands, shape (rows, columns): errors of the PSF or a small shift average out in it, what was
            changed on the ground does not.
        side: Side of a block in LR pixels.
        pixels: LR pixels that count.
        of: LR pixels in all.
    """

    rms: FloatArray
    relative: FloatArray
    gain: FloatArray
    correlation: FloatArray
    blocks: FloatArray
    offsets: FloatArray
    side: int
    pixels: int
    of: int

    @property
    def total(self) -> float:
        """Root mean square of `relative` over the bands."""
        return float(np.sqrt(np.square(self.relative).mean()))

    @property
    def changed(self) -> BoolArray:
        """Blocks whose mean is off by far more than that of most, (rows, columns): another date, a cloud, a shadow."""
        known = np.isfinite(self.offsets)
        middle = float(np.median(self.offsets[known]))
        spread = 1.4826 * float(np.median(np.abs(self.offsets[known] - middle)))
        limit = max(middle + _OUTLIER * spread, middle + _NOTABLE)
        found: BoolArray = np.where(known, self.offsets, -np.inf) > limit
        return found

    def worst(self, count: int = 3) -> list[tuple[int, int, float]]:
        """Return the blocks that disagree most.

        Args:
            count: How many at most.

        Returns:
            First row and first column in LR pixels, and the block's value, largest first.
        """
        values = np.where(np.isfinite(self.blocks), self.blocks, -1.0)
        order = np.argsort(-values, axis=None, kind="stable")[:count]
        places = [np.unravel_index(at, values.shape) for at in order if values.flat[at] >= 0]
        return [(int(r) * self.side, int(c) * self.side, float(values[r, c])) for r, c in places]


def disagreement(scene: Scene, *, side: int | None = None) -> Disagreement:
    """Compare R Y with X D where both images have data.

    Args:
        scene: X, Y, their masks and the observation.
        side: Side of a block in LR pixels; 8, or less on a small scene, when None.

    Returns:
        What was found.

    Raises:
        InputError: The scene has no observation, or the side is less than 1.
        InvalidValueError: No LR pixel is seen by both images.
    """
    if scene.observation is None:
        raise InputError("a pair without R and D has no disagreement", do="estimate them first")
    if side is not None and side < 1:
        raise InputError(f"the side of a block is {side}", expected="at least 1 coarse pixel")
    spectral, spatial = scene.observation.spectral, scene.observation.spatial
    pixels = shared_pixels(scene, spatial)
    RY, X_lr = spectral.matrix.numpy() @ pixels.Y, pixels.X_lr
    size = np.sqrt(np.square(X_lr).mean(axis=1))
    size = np.where(size > 0, size, 1.0)
    energy = np.square(RY).sum(axis=1)
    gain = (RY * X_lr).sum(axis=1) / np.where(energy > 0, energy, 1.0)
    apart = RY - X_lr
    height, width = pixels.usable.shape
    block = max(1, min(LARGEST_BLOCK, min(height, width) // FEWEST_BLOCKS)) if side is None else side
    squares = _block_means((apart / size[:, None]) ** 2, pixels.usable, block).mean(axis=0)
    means = _block_means((gain[:, None] * RY - X_lr) / size[:, None], pixels.usable, block)
    rms = np.sqrt(np.square(apart).mean(axis=1))
    return Disagreement(
        rms=rms,
        relative=rms / size,
        gain=gain,
        correlation=_correlation(RY, X_lr),
        blocks=np.sqrt(squares),
        offsets=np.sqrt(np.square(means).mean(axis=0)),
        side=block,
        pixels=pixels.Y.shape[1],
        of=pixels.usable.numel(),
    )


def _block_means(values: FloatArray, usable: torch.Tensor, side: int) -> FloatArray:
    """Return the means (b, rows, columns) over the usable pixels of each block; NaN where there are none."""
    height, width = usable.shape
    at = np.arange(height)[:, None] // side * -(-width // side) + np.arange(width) // side
    shape = (-(-height // side), -(-width // side))
    index = at[usable.numpy()]
    count = np.bincount(index, minlength=shape[0] * shape[1])
    sums = np.stack([np.bincount(index, band, minlength=shape[0] * shape[1]) for band in values])
    found: FloatArray = np.where(count > 0, sums / np.maximum(count, 1), np.nan).reshape(len(values), *shape)
    return found


def _correlation(one: FloatArray, other: FloatArray) -> FloatArray:
    a, b = (image - image.mean(axis=1, keepdims=True) for image in (one, other))
    size = np.sqrt(np.square(a).sum(axis=1) * np.square(b).sum(axis=1))
    found: FloatArray = np.where(size > 0, (a * b).sum(axis=1) / np.where(size > 0, size, 1.0), 0.0)
    return found
