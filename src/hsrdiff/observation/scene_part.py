"""The part of a scene that estimates are made on, so that they cost no more on larger scenes."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn import functional as F

from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import SpatialResponse

ESTIMATED = 512  # largest side, LR pixels, of the part on which levels, responses and lines of a pair are estimated
_FURTHER = 2  # LR pixels beyond what D reaches, where it is itself to be found
_STEPS = 8  # places along a side of the part at which it is tried
_FEW = 256  # valid LR pixels: where a part has fewer, the whole is as good


def most_seen(seen: torch.Tensor, side: int, edge: int = 0) -> tuple[slice, slice, int]:
    """Return the rectangle of at most side x side with the most seen pixels, of several the one nearest to the middle.

    Args:
        seen: Bool (h, w).
        side: In pixels, at least 1.
        edge: Pixels along a cut side of the rectangle that count for nothing.

    Returns:
        Rows, columns and how many of their pixels are seen; the whole where it is no larger.
    """
    h, w = seen.shape
    total = F.pad(seen.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    (top, first, last), (left, before, behind) = (_places(length, min(length, side), edge) for length in (h, w))
    counts = total[last][:, behind] - total[first][:, behind] - total[last][:, before] + total[first][:, before]
    tall, wide = min(h, side), min(w, side)
    # Numerics: less than a pixel, so that it decides between equal counts alone
    away = ((2 * top - h + tall).abs()[:, None] + (2 * left - w + wide).abs()).double()
    i, j = divmod(int((counts - away / (2.0 * (h + w))).argmax()), len(left))
    row, column = int(top[i]), int(left[j])
    return slice(row, row + tall), slice(column, column + wide), int(counts[i, j])


def _places(length: int, size: int, edge: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return first pixels that a window is tried at along an axis, and the ends of what counts in it."""
    every = max(1, size // _STEPS)
    at = torch.tensor(sorted({*range(0, length - size + 1, every), (length - size) // 2, length - size}))
    edge = min(edge, size // 2) if size < length else 0
    return at, at + edge, at + size - edge


def estimated_part(scene: Scene, spatial: SpatialResponse, side: int = ESTIMATED) -> Scene:
    """Return the part of a scene that has the most valid pixels of both images.

    Args:
        scene: The scene.
        spatial: D: LR pixels that it joins to fine ones beyond the part are masked, and two more for an estimate of it.
        side: LR pixels along it, at most.

    Returns:
        Views of the part, with a mask of their own; the scene itself where it is no larger, or where no part has more
        than a few valid pixels.
    """
    h, w = (int(length) for length in scene.Y.shape[-2:])
    if max(h, w) <= side:
        return scene
    seen = torch.ones((h, w), dtype=torch.bool) if scene.valid_lr is None else scene.valid_lr[0, 0]
    if scene.valid is not None:
        s = scene.factor
        seen = seen & scene.valid.reshape(h, s, w, s).all(dim=3).all(dim=1)
    edge = max(0, -(-spatial.offset // spatial.factor)) + _FURTHER
    rows, columns, count = most_seen(seen, side, edge)
    if count < min(_FEW, int(seen.sum())):
        return scene
    part = scene.crop_lr(rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start)
    inside = torch.zeros_like(part.Y[:, :1], dtype=torch.bool)
    tall, wide = (
        slice(edge if cut.start else 0, cut.stop - cut.start - (edge if cut.stop < length else 0))
        for cut, length in ((rows, h), (columns, w))
    )
    inside[..., tall, wide] = True
    return replace(part, valid_lr=inside if part.valid_lr is None else inside & part.valid_lr)


def estimated_on(part: Scene) -> str:
    """Say what is estimated on a part.

    Args:
        part: The part.
    """
    h, w = part.Y.shape[-2:]
    return f"noise, lines of bands, response and PSF, where estimated, are those of a part of {h} x {w} coarse pixels"
