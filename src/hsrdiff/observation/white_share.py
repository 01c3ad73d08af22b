"""Which part of a pair's disagreement is white noise of X that D has averaged: told by how neighbours go together."""

from __future__ import annotations

import torch

from hsrdiff.observation.spatial import SpatialResponse

_FEW = 64  # LR pixels under which a correlation says too little
_APART = 0.15  # the least difference between the two correlations that can be told apart


def white_share(apart: torch.Tensor, X_lr: torch.Tensor, usable: torch.Tensor, spatial: SpatialResponse) -> float:
    """Return which share of the variance of R Y - X D is white noise of X seen through D.

    Neighbouring LR pixels share white noise only as far as D overlaps, by ``rho_w``, the kernel's correlation with
    itself one LR pixel away. An error of R follows the image, whose neighbours go together by ``rho_x``. A mixture of
    both has a correlation between the two:

        share = (rho_x - rho) / (rho_x - rho_w), cut to 0..1,

    for the mean over both axes.

    Args:
        apart: R Y - X D, shape (b, h, w).
        X_lr: X D, likewise.
        usable: Where both count, shape (h, w).
        spatial: D.

    Returns:
        The share; 0 where there are too few pixels, or where the image is as rough as white noise would be.
    """
    if int(usable.sum()) < _FEW:
        return 0.0
    mean = X_lr[:, usable].mean(dim=1)
    whites, images, found = [], [], []
    for axis in (0, 1):
        whites.append(overlap(spatial, axis))
        images.append(likeness(X_lr - mean[:, None, None], usable, axis))
        found.append(likeness(apart, usable, axis))
    white, image, seen = (sum(each) / 2 for each in (whites, images, found))
    if not image - white > _APART:  # also where one is not a number
        return 0.0
    return min(1.0, max(0.0, (image - seen) / (image - white)))


def overlap(spatial: SpatialResponse, axis: int) -> float:
    """Return the correlation that white noise has between LR pixels that are neighbours along an axis.

    Args:
        spatial: D.
        axis: 0 for rows, 1 for columns.

    Returns:
        ``sum of k(u) k(u + s) / sum of k(u)^2``, where s is one LR pixel.
    """
    k, s = spatial.kernel.double(), spatial.factor
    if k.shape[axis] <= s:
        return 0.0
    moved, still = k.narrow(axis, s, k.shape[axis] - s), k.narrow(axis, 0, k.shape[axis] - s)
    return float((moved * still).sum() / k.square().sum())


def likeness(image: torch.Tensor, usable: torch.Tensor, axis: int) -> float:
    """Return the mean product of usable neighbours over the mean square of the same pixels.

    Args:
        image: Shape (b, h, w).
        usable: Which pixels count, shape (h, w).
        axis: 0 for neighbours in a column, 1 for those in a row.

    Returns:
        Up to 1; NaN without any pair.
    """
    length = image.shape[1 + axis]
    one, two = (image.narrow(1 + axis, first, length - 1) for first in (0, 1))
    both = usable.narrow(axis, 0, length - 1) & usable.narrow(axis, 1, length - 1)
    one, two = one[:, both], two[:, both]
    return float(2 * (one * two).sum() / (one.square().sum() + two.square().sum()))
