"""Gain and offset of each MSI band against what a known R makes of Y, where the pair fixes them and they matter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from hsrdiff.errors import InvalidValueError
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.shared_pixels import FOLDS, shared_pixels
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.observation.spectral import SpectralResponse
from hsrdiff.typing import MSI, BoolArray, FloatArray

# Standard deviation in LR pixels of a further blur of both images, so that D need not be quite right and noise counts
# for little.
_BLUR_LR = 1.0
# A line is fitted where the images are related, and used where it explains most of what they disagree by and
# where that is more than 2 % of the values, beyond what a tabled response or a PSF leave of the same image.
_RELATED, _MOST, _NOTABLE = 0.9, 0.5, 0.02
_FEWEST = 16  # LR pixels
# Another order of the bands is likelier where it leaves so much less of their variance and fits so well.
_CLEARLY, _SURE = 0.1, 0.98
_ROUNDS, _FAR = 5, 4.0  # pixels off by more typical deviations are left out of it: clouds, changes, saturation


@dataclass(frozen=True, eq=False)
class BandMatch:
    """``X = gain (R Z) + offset`` per MSI band.

    Attributes:
        gain: Shape (b,), above 0; 1 for bands left as they are.
        offset: Shape (b,), in the unit of X; 0 for those.
    """

    gain: FloatArray
    offset: FloatArray

    @property
    def unit(self) -> float:
        """What one unit of the matched X is in X's own, as the root mean square over bands of noise goes."""
        return 1.0 / math.sqrt(float(np.square(1.0 / self.gain).mean()))

    @property
    def matched(self) -> BoolArray:
        """Bands that are changed, (b,)."""
        found: BoolArray = (self.gain != 1.0) | (self.offset != 0.0)
        return found

    def apply(self, X: MSI) -> MSI:
        """Return ``(X - offset) / gain``.

        Args:
            X: Shape (1, b, H, W).

        Returns:
            A new tensor; bands left as they are, to the bit.
        """
        gain, offset = (torch.from_numpy(part).to(X)[None, :, None, None] for part in (self.gain, self.offset))
        return (X - offset) / gain


def match_bands(scene: Scene, spectral: SpectralResponse, spatial: SpatialResponse) -> BandMatch | None:
    """Fit ``X D = gain (R Y) + offset`` to each band, and keep the lines that help on pixels held out of the fit.

    The line is the one whose squared distances are alike in both images (``gain`` is the ratio of the standard
    deviations): neither noise of X nor of Y bends it to one side. LR pixels far from it are left out of the fit.

    Args:
        scene: X, Y and their masks, in one unit but for the bands' own.
        spectral: R.
        spatial: D.

    Returns:
        The lines, or None where no band needs one or too few LR pixels are seen by both images.
    """
    try:
        pixels = shared_pixels(scene, spatial, blur_lr=_BLUR_LR)
    except InvalidValueError:
        return None
    if pixels.Y.shape[1] < _FEWEST:
        return None
    RY, folds = spectral.matrix.numpy() @ pixels.Y, pixels.folds
    lines = [_line(seen, made, folds) for seen, made in zip(pixels.X_lr, RY, strict=True)]
    if not any(lines):
        return None
    found = np.array([line or (1.0, 0.0) for line in lines])
    return BandMatch(found[:, 0].copy(), found[:, 1].copy())


def likely_order(scene: Scene, spectral: SpectralResponse, spatial: SpatialResponse) -> tuple[int, ...] | None:
    """Tell whether the rows of R belong to other bands of X, by how well lines fit each row to each band.

    Args:
        scene: X, Y and their masks.
        spectral: R.
        spatial: D.

    Returns:
        For each band of X the row of R that it seems to belong to, or None where the given order is as good, or too
        little is seen to tell.
    """
    try:
        pixels = shared_pixels(scene, spatial, blur_lr=_BLUR_LR)
    except InvalidValueError:
        return None
    if pixels.Y.shape[1] < _FEWEST:
        return None
    seen, made = (part - part.mean(axis=1, keepdims=True) for part in (pixels.X_lr, spectral.matrix.numpy() @ pixels.Y))
    sizes = np.sqrt(np.square(seen).sum(axis=1))[:, None] * np.sqrt(np.square(made).sum(axis=1))
    related = seen @ made.T / np.where(sizes > 0, sizes, np.inf)
    left = 1.0 - np.square(np.clip(related, 0.0, 1.0))  # the share of the variance that a rising line leaves
    order = linear_sum_assignment(left)[1]
    moved = order != np.arange(len(order))
    if not moved.any() or related[np.arange(len(order)), order][moved].min() < _SURE:
        return None
    better = left[np.arange(len(order)), order][moved].sum() < _CLEARLY * left.diagonal()[moved].sum()
    return tuple(int(row) for row in order) if better else None


def _line(seen: FloatArray, made: FloatArray, folds: FloatArray) -> tuple[float, float] | None:
    """Return gain and offset of one band, or None where it is better left alone."""
    whole = _fit(seen, made)
    energy = float(np.square(seen).mean())
    if whole is None or not energy:
        return None
    gain, offset, kept = whole
    before = np.square(made - seen)[kept].mean() / energy
    squares, count = 0.0, 0
    for fold in range(FOLDS):
        inside = folds == fold
        part = _fit(seen[~inside], made[~inside]) if inside.any() and not inside.all() else None
        if part is None:
            return None
        tested = inside & kept
        squares += float(np.square(part[0] * made + part[1] - seen)[tested].sum())
        count += int(tested.sum())
    after = squares / max(count, 1) / energy
    if after > _MOST * before or before - after < _NOTABLE**2:
        return None
    return gain, offset


def _fit(seen: FloatArray, made: FloatArray) -> tuple[float, float, BoolArray] | None:
    """Return gain, offset and the pixels that they rest on; None where the two are not related."""
    kept = np.ones(len(seen), dtype=bool)
    for _ in range(_ROUNDS):
        a, b = seen[kept], made[kept]
        spread = float(a.std()), float(b.std())
        if kept.sum() < _FEWEST // 2 or not all(spread):
            return None
        related = float(((a - a.mean()) * (b - b.mean())).mean()) / (spread[0] * spread[1])
        gain = spread[0] / spread[1]
        offset = float(a.mean()) - gain * float(b.mean())
        apart = seen - gain * made - offset
        typical = 1.4826 * float(np.median(np.abs(apart[kept])))
        # Numerics: rounding is no reason to leave a pixel out
        new = np.abs(apart) <= max(_FAR * typical, 1e-5 * spread[0])
        if (new == kept).all():
            break
        kept = new
    return (gain, offset, kept) if related >= _RELATED else None
