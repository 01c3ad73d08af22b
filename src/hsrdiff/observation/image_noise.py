"""Noise levels of one image, from itself: what other bands, or the quietest blocks, leave."""

from __future__ import annotations

import math

import torch

from hsrdiff.typing import LRHSI, MSI

# Side of the blocks of X, and the share of blocks, those with the least detail, that show its noise.
_BLOCK, _QUIET = 8, 0.1
# LR pixels for each band that is regressed on: fewer make the residual itself uncertain.
_PIXELS_PER_BAND = 4
_STRIP_PIXELS = 4 * 2**20  # HR pixels whose differences are taken at a time


def estimate_noise_lr(Y: LRHSI, valid: torch.Tensor | None = None) -> float:
    """Estimate the noise of an image of many bands by what its other bands do not explain.

    Every band is regressed on the bands nearest to it, as many as the pixels allow; the median over bands of the
    residual variances, each with its degrees of freedom, is the noise. Real detail is shared by bands and drops out.

    Args:
        Y: Shape (1, B, h, w).
        valid: True where Y may be used, (1, 1, h, w), or None for everywhere.

    Returns:
        Standard deviation in the units of Y; that of `estimate_noise_hr` where there are too few bands or pixels.
    """
    pixels = Y[0].flatten(1).double()
    if valid is not None:
        pixels = pixels[:, valid.flatten()]
    bands, count = pixels.shape
    near = min(bands - 1, count // _PIXELS_PER_BAND)
    if near < 2:
        return estimate_noise_hr(Y, valid)
    centred = pixels - pixels.mean(dim=1, keepdim=True)
    gram = centred @ centred.T
    scale = gram.diagonal().mean()
    if not float(scale):
        return 0.0
    free = count - 1 - near
    variances = torch.empty(bands, dtype=torch.float64)
    for band in range(bands):
        # the window of near + 1 bands round this one, moved inside the spectrum
        first = min(max(band - (near + 1) // 2, 0), bands - near - 1)
        others = [other for other in range(first, first + near + 1) if other != band]
        # Numerics: the ridge only keeps bands that repeat others solvable
        square = gram[others][:, others] + 1e-13 * scale * torch.eye(near, dtype=torch.float64)
        weights = torch.linalg.solve(square, gram[others, band])
        variances[band] = (centred[band] - weights @ centred[others]).square().sum() / free
    return math.sqrt(float(variances.median()))


def roughness(X: MSI, valid: torch.Tensor | None = None) -> float:
    """Return the white noise that the quietest blocks of an image could hold, also noise that its bands share.

    As `estimate_noise_hr`, without taking out what the other bands explain: an upper bound of it.

    Args:
        X: Shape (1, b, H, W).
        valid: True where X may be used, (1, 1, H, W), or None for everywhere.

    Returns:
        Standard deviation in the units of X, root mean square over bands; 0 where there is no whole block.
    """
    levels = [estimate_noise_hr(X[:, band : band + 1], valid) for band in range(X.shape[1])]
    return math.sqrt(sum(level**2 for level in levels) / len(levels))


def estimate_noise_hr(X: MSI, valid: torch.Tensor | None = None) -> float:
    """Estimate the noise of an image of few bands by its quietest blocks.

    A second difference along both axes is taken of every band. In each block of 8 x 8 pixels it is regressed on
    that of the other bands, so that texture they share drops out. The tenth of the blocks with the least left is
    compared with the same tenth of white noise of variance 1 on the same grid; the median over bands is the noise.

    Args:
        X: Shape (1, b, H, W).
        valid: True where X may be used, (1, 1, H, W), or None for everywhere.

    Returns:
        Standard deviation in the units of X; 0 where there is no whole block.
    """
    if min(X.shape[-2:]) < 3:  # not one second difference
        return 0.0
    seen = torch.ones_like(X[:, :1], dtype=torch.bool) if valid is None else valid
    # Numerics: drawn from a fixed seed, so that the same image has the same noise in every run
    draw = torch.Generator().manual_seed(0)
    lefts, units = [], []
    rows = max(1, _STRIP_PIXELS // X.shape[-1] // _BLOCK) * _BLOCK
    for start in range(0, max(1, X.shape[-2] - 2), rows):  # strips of whole blocks, which two more rows belong to
        strip = slice(start, start + rows + 2 if start + rows + 2 < X.shape[-2] else None)
        part = filled(X[..., strip, :], None if valid is None else valid[..., strip, :]).double()
        whole = _eroded(seen[..., strip, :])[:, 0]  # (1, H - 2, W - 2)
        lefts.append(_left_in_blocks(part, whole))
        units.append(_left_in_blocks(torch.randn(part.shape, generator=draw, dtype=torch.float64), whole))
    left, unit = torch.cat(lefts, dim=1), torch.cat(units, dim=1)
    if not left.numel():
        return 0.0
    ratios = _quiet(left) / _quiet(unit)
    return math.sqrt(float(ratios.median()))


def filled(image: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
    """Return the image with 0 where it is invalid: such pixels are never counted.

    Args:
        image: Shape (n, c, H, W).
        valid: True where it may be used, (n, 1, H, W), or None for everywhere.
    """
    return image if valid is None else torch.where(valid, image, torch.zeros((), dtype=image.dtype))


def _eroded(seen: torch.Tensor) -> torch.Tensor:
    """Mark the 3 x 3 windows that are seen as a whole, shape (n, c, H - 2, W - 2)."""
    tall = seen[..., :-2, :] & seen[..., 1:-1, :] & seen[..., 2:, :]
    return tall[..., :-2] & tall[..., 1:-1] & tall[..., 2:]


def _left_in_blocks(image: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """Return the variance (b, blocks) of the second differences that the other bands do not explain."""
    rough = image[..., 2:, :] - 2.0 * image[..., 1:-1, :] + image[..., :-2, :]
    rough = (rough[..., 2:] - 2.0 * rough[..., 1:-1] + rough[..., :-2])[0] / 6.0
    bands, height, width = rough.shape
    rows, cols = height // _BLOCK, width // _BLOCK
    if not rows or not cols:
        return rough.new_empty(bands, 0)
    rough, kept = rough[:, : rows * _BLOCK, : cols * _BLOCK], whole[:, : rows * _BLOCK, : cols * _BLOCK]

    def blocks(part: torch.Tensor) -> torch.Tensor:
        parts = part.reshape(-1, rows, _BLOCK, cols, _BLOCK).permute(1, 3, 0, 2, 4)
        return parts.reshape(rows * cols, -1, _BLOCK * _BLOCK)

    tiles = blocks(rough)[blocks(kept)[:, 0].all(dim=-1)]  # (blocks, b, 64)
    gram = tiles @ tiles.transpose(1, 2) / _BLOCK**2
    # a block that is constant in a band, such as a clipped one, says nothing about noise
    gram = gram[(gram.diagonal(dim1=1, dim2=2) > 0).all(dim=1)]
    if not len(gram):
        return rough.new_empty(bands, 0)
    least = gram.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
    gram = gram + 1e-12 * least * torch.eye(bands, dtype=gram.dtype)
    # the residual of a band on all the others is one over the diagonal of the inverse
    variance: torch.Tensor = torch.linalg.inv(gram).diagonal(dim1=1, dim2=2).reciprocal().T
    return variance


def _quiet(left: torch.Tensor) -> torch.Tensor:
    """Return the level under which the quietest tenth of the blocks lies, per band."""
    return torch.quantile(left[:, :: max(1, left.shape[1] // 1_000_000)], _QUIET, dim=1)
