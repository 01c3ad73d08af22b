"""Q2^n: the universal quality index of images whose pixels are hypercomplex numbers, one part for each band."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hsrdiff.errors import InputError, InvalidValueError
from hsrdiff.metrics.pair import Float64, Image, Mask, Pair

BLOCK_PX = 32
# share of a block's pixels that must be valid for the block to count
LEAST_SHARE = 0.5
# Numerics: variance over mean square under which a block is constant but for rounding
_CONSTANT = 1e-24


def q2n(Z_hat: Image, Z: Image, *, mask: Mask | None = None, block: int = BLOCK_PX, stride: int | None = None) -> float:
    """Return Q2^n, the mean over blocks of 4 |cov| |m| |m'| / ((var + var') (|m|^2 + |m'|^2)).

    Garzelli and Nencini, IEEE GRSL 6(4), 2009. The bands of a pixel are the parts of a hypercomplex number z, filled
    up with zeros to a power of two; m = E[z], var = E[|z|^2] - |m|^2 and cov = E[z z'*] - m m'*, over the valid
    pixels of a block, with the product of Cayley and Dickson (a, b)(c, d) = (a c - d* b, d a + b c*). With one
    band it is the magnitude of UIQI (Wang and Bovik, 2002), with four bands Q4 (Alparone et al., 2004). Values are
    taken as they are, as in these papers; software that scales every block by the truth's mean and deviation first
    gives other numbers.

    Args:
        Z_hat: The prediction, (band, y, x).
        Z: The truth, (band, y, x).
        mask: True where a pixel counts, (y, x).
        block: Side of a block in pixels, at least 2; the image's own side where that is smaller.
        stride: Pixels from one block to the next, at least 1; `block` when None. The last block of a row or column
            ends at the image's edge.

    Returns:
        The index, in [0, 1]; 1 for equal images.

    Raises:
        InvalidValueError: If no block has half of its pixels valid.
        InputError: If the images do not fit together, have NaN where they count, or the block is no block.
    """
    return mean_q2n(Pair(Z_hat, Z, mask), block, stride)


def mean_q2n(pair: Pair, block: int = BLOCK_PX, stride: int | None = None) -> float:
    """Return the mean over the blocks that count; see `q2n`.

    Args:
        pair: The images.
        block: Side of a block in pixels.
        stride: Pixels from one block to the next; `block` when None.

    Returns:
        The index.

    Raises:
        InvalidValueError: If no block counts.
        InputError: If the block or the stride is none.
    """
    step = block if stride is None else stride
    if block < 2 or step < 1:
        raise InputError(
            f"blocks of {block} pixels every {step}", expected="at least 2 pixels, and at least 1 from one to the next"
        )
    found = []
    for rows in _starts(pair.shape[1], block, step):
        for columns in _starts(pair.shape[2], block, step):
            valid = pair.valid[rows, columns]
            if valid.sum() >= max(2, LEAST_SHARE * valid.size):
                found.append(_index(*pair.window(rows, columns)))
    if not found:
        raise InvalidValueError(
            f"no block of {block} x {block} pixels has half of its pixels valid",
            expected="at least one such block for Q2n",
        )
    return float(np.mean(found))


def _starts(length: int, block: int, step: int) -> Iterator[slice]:
    """Blocks along an axis, the last one flush with the far edge."""
    last = max(length - block, 0)
    yield from (slice(first, first + block) for first in range(0, last, step))
    yield slice(last, last + block)


def _index(a: Float64, b: Float64) -> float:
    """Return the index of one block, each (band, pixels): the part of variance and covariance times that of means."""
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    a, b = a - mean_a[:, None], b - mean_b[:, None]
    size_a, size_b = float(np.linalg.norm(mean_a)), float(np.linalg.norm(mean_b))
    variance_a, variance_b = (float(np.square(part).sum() / part.shape[1]) for part in (a, b))
    variance_a *= variance_a > _CONSTANT * size_a**2
    variance_b *= variance_b > _CONSTANT * size_b**2
    # without any variance, or any mean, that part is equal
    structure = luminance = 1.0
    if variance_a + variance_b:
        structure = 2 * _modulus(a @ b.T / a.shape[1]) / (variance_a + variance_b)
    if size_a or size_b:
        luminance = 2 * size_a * size_b / (size_a**2 + size_b**2)
    return min(structure * luminance, 1.0)  # Numerics: rounding may leave it above


def _modulus(moments: Float64) -> float:
    """Return |E[z z'*]| from the moments E[z_i z'_j], as the product is linear in both."""
    bands = len(moments)
    signs, parts = _conjugate_product(max(bands - 1, 0).bit_length())
    terms = signs[:bands, :bands] * moments
    return float(np.linalg.norm(np.bincount(parts[:bands, :bands].ravel(), weights=terms.ravel())))


@lru_cache(maxsize=4)
def _conjugate_product(n: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.intp]]:
    """Return s and k with e_i e_j* = s[i, j] e_k[i, j] among the 2^n units of Cayley and Dickson."""
    signs = np.ones((1, 1), dtype=np.int8)
    for _ in range(n):
        conjugate = np.full(len(signs), -1, dtype=np.int8)
        conjugate[0] = 1
        # (a, b)(c, d) = (a c - d* b, d a + b c*) for units a or b by c or d
        signs = np.block([[signs, signs.T], [signs * conjugate, -signs.T * conjugate]])
    signs = signs * np.r_[1, np.full(len(signs) - 1, -1)].astype(np.int8)
    order = np.arange(len(signs))
    return signs, order[:, None] ^ order
