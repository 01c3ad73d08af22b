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


def most_seen(seen: torch.Tensor, side: int) -> tuple[slice, slice]:
    """Return the rectangle of at most side x side with the most seen pixels: the middle or one of 8 around it.

    Args:
        seen: Bool (..., h, w).
        side: In pixels, at least 1.

    Returns:
        Rows and columns; the whole where it is no larger.
    """
    height, width = seen.shape[-2:]
    tall, wide = min(height, side), min(width, side)
    thirds = (1, 0, 2)  # halves of the room on either side: the middle first
    places = [((height - tall) * i // 2, (width - wide) * j // 2) for i in thirds for j in thirds]
    top, left = max(places, key=lambda at: int(seen[..., at[0] : at[0] + tall, at[1] : at[1] + wide].sum()))
    return slice(top, top + tall), slice(left, left + wide)


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
    at, size, count = _best(seen, side, edge)
    if count < min(_FEW, int(seen.sum())):
        return scene
    part = scene.crop_lr(*at, *size)
    inside = torch.zeros_like(part.Y[:, :1], dtype=torch.bool)
    rows, columns = (
        slice(edge if first else 0, length - (edge if first + length < whole else 0))
        for first, length, whole in zip(at, size, (h, w), strict=True)
    )
    inside[..., rows, columns] = True
    return replace(part, valid_lr=inside if part.valid_lr is None else inside & part.valid_lr)


def estimated_on(part: Scene) -> str:
    """Say what is estimated on a part.

    Args:
        part: The part.
    """
    h, w = part.Y.shape[-2:]
    return f"noise, lines of bands, response and PSF, where estimated, are those of a part of {h} x {w} coarse pixels"


def _best(seen: torch.Tensor, side: int, edge: int) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Return the first pixel of the rectangle with the most seen pixels off its edge, its size, and their number.

    Of several with as many, the one nearest to the middle.
    """
    h, w = seen.shape
    size = min(h, side), min(w, side)
    total = F.pad(seen.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    rows, columns = _places(h, size[0]), _places(w, size[1])
    top, bottom = rows + edge, rows + size[0] - edge
    left, right = columns + edge, columns + size[1] - edge
    counts = total[bottom][:, right] - total[top][:, right] - total[bottom][:, left] + total[top][:, left]
    # Numerics: less than a pixel, so that it decides between equal counts alone
    away = ((2 * rows - h + size[0]).abs()[:, None] + (2 * columns - w + size[1]).abs()).double()
    best = int((counts - away / (2.0 * (h + w))).argmax())
    i, j = divmod(best, len(columns))
    return (int(rows[i]), int(columns[j])), size, int(counts[i, j])


def _places(length: int, size: int) -> torch.Tensor:
    """Return the first pixels that a window is tried at along an axis, the middle and the last among them."""
    every = max(1, size // _STEPS)
    return torch.tensor(sorted({*range(0, length - size + 1, every), (length - size) // 2, length - size}))
