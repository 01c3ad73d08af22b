"""Which pixels to show the spectra of: few, and as different from each other as the scene allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hsrdiff.errors import InvalidValueError
from hsrdiff.typing import FloatArray

# The very largest angle belongs to a defect or a shadow edge more often than to a material.
TYPICAL_EXTREME = 0.97
# Closer places would hide each other's letters.
CLOSEST_BLOCKS = 4


@dataclass(frozen=True)
class Place:
    """One pixel with a letter.

    Args:
        letter: ``"A"``, ``"B"``, ...
        row: Row from 0 on the fine grid.
        column: Column from 0 on the fine grid.
    """

    letter: str
    row: int
    column: int


def different_places(cube: xr.DataArray, *, count: int = 3, block: int = 4) -> tuple[Place, ...]:
    """Choose pixels whose spectra differ in shape, by farthest-first search on the spectral angle.

    The search looks at block means, so that one noisy pixel is never chosen for its noise, starts at the block
    nearest the mean spectrum, stays one block away from the border and leaves out the half of the blocks that mix
    materials most. The same cube gives the same places.

    Args:
        cube: (band, y, x), NaN where invalid.
        count: How many places.
        block: Side of a block in pixels.

    Returns:
        Places at block centres, in reading order, lettered A, B, ...

    Raises:
        InvalidValueError: The cube has no block of valid pixels.
    """
    bands, height, width = (cube.sizes[d] for d in ("band", "y", "x"))
    block = max(1, min(block, height // 3, width // 3))
    rows, columns = height // block, width // block
    values = np.asarray(cube.values[:, : rows * block, : columns * block], dtype=np.float64)
    blocks = values.reshape(bands, rows, block, columns, block)
    means = blocks.mean(axis=(2, 4))
    mixed = blocks.std(axis=(2, 4)).sum(axis=0) / np.maximum(np.abs(means).sum(axis=0), np.finfo(np.float64).tiny)
    inner = np.zeros((rows, columns), dtype=bool)
    inner[1:-1, 1:-1] = True
    usable = np.isfinite(means).all(axis=0) & (np.abs(means).sum(axis=0) > 0)
    if not usable.any():
        raise InvalidValueError(
            "no pixel has a whole spectrum", expected="a cube with valid pixels", do="check the nodata value"
        )
    usable = usable & inner if (usable & inner).any() else usable
    where = np.argwhere(usable & (mixed <= np.median(mixed[usable])))
    spectra = means[:, where[:, 0], where[:, 1]].T
    spectra = spectra / np.linalg.norm(spectra, axis=1, keepdims=True)
    chosen = [int(np.argmax(spectra @ spectra.mean(axis=0)))]
    while len(chosen) < min(count, len(where)):
        chosen.append(_next_choice(spectra, chosen, where))
    ordered = sorted(chosen, key=lambda i: (int(where[i, 0]), int(where[i, 1])))
    return tuple(
        Place(chr(ord("A") + k), int(where[i, 0]) * block + block // 2, int(where[i, 1]) * block + block // 2)
        for k, i in enumerate(ordered)
    )


def _next_choice(spectra: FloatArray, chosen: list[int], where: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> int:
    """Pick the typical extreme of the angle to the nearest choice, far enough in the picture to letter it apart."""
    cosine = np.clip((spectra @ spectra[chosen].T).max(axis=1), -1.0, 1.0)
    angle = np.arccos(cosine)
    apart = np.abs(where[:, None, :] - where[chosen][None, :, :]).max(axis=2).min(axis=1)
    free = apart >= min(CLOSEST_BLOCKS, int(apart.max()))
    wanted = np.quantile(angle[free], TYPICAL_EXTREME)
    distance = np.where(free, np.abs(angle - wanted), np.inf)
    distance[chosen] = np.inf
    return int(np.argmin(distance))
