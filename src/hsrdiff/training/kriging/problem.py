"""A small kriging problem that can be solved exactly: some pixels of every LR pixel of a piece of a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from hsrdiff.fusers.kriging.context import RADII, guide_context
from hsrdiff.fusers.kriging.kernel import Sites
from hsrdiff.training.kriging.recipe import KernelTraining

_LEAST_BANDS, _MOST_BANDS = 3, 8
_PANCHROMATIC = 0.08  # share of the random guides that have one band
_SIGMAS = (0.25, 0.5)  # of the PSF, in LR pixels


@dataclass(frozen=True)
class SmallProblem:
    """N LR pixels, each the weighted mean of its q pixels, and what those pixels truly are.

    Attributes:
        sites: The N q pixels, LR pixel after LR pixel.
        Z: Their spectra, shape (N q, B).
        weights: Of the pixels in their LR pixel, rows that sum to 1, shape (N, q).
        R: Spectral response, shape (b, B).
        scale: Brightness that means 1; ``sites.guide`` is in units of it.
        landmarks: Positions of the landmarks.
    """

    sites: Sites
    Z: torch.Tensor
    weights: torch.Tensor
    R: torch.Tensor
    scale: float
    landmarks: torch.Tensor

    def means(self, values: torch.Tensor) -> torch.Tensor:
        """Average pixels over their LR pixels.

        Args:
            values: Shape (N q, C).

        Returns:
            Shape (N, C).
        """
        each = values.reshape(*self.weights.shape, -1)
        return (each * self.weights[:, :, None].to(each)).sum(dim=1)


def random_guide(bands: int, draw: torch.Generator) -> torch.Tensor:
    """Draw a sensor: Gaussians of random number, centre and width over the band axis.

    Args:
        bands: B.
        draw: Source of the draw.

    Returns:
        R with rows that sum to 1, shape (b, B), float32.
    """
    count = int(torch.randint(_LEAST_BANDS, _MOST_BANDS + 1, (), generator=draw))
    if float(torch.rand((), generator=draw)) < _PANCHROMATIC:
        count = 1
    count = min(count, max(1, bands // 4))
    even = (torch.arange(count) + 1.0) / (count + 1)
    centres = (even + (torch.rand(count, generator=draw) - 0.5) * 0.6 / count) * (bands - 1)
    sigmas = bands / count / 2.355 * (0.4 + torch.rand(count, generator=draw))
    rows = torch.exp(-0.5 * ((torch.arange(bands) - centres[:, None]) / sigmas[:, None]).square())
    return rows / rows.sum(dim=1, keepdim=True)


def draw_problem(
    Z: torch.Tensor, R: torch.Tensor, factor: int, options: KernelTraining, draw: torch.Generator
) -> SmallProblem:
    """Cut a piece out of a scene, observe it, and draw pixels.

    Args:
        Z: A scene without invalid values, shape (B, H, W), at least one LR pixel large.
        R: Spectral response, shape (b, B).
        factor: H / h.
        options: How many LR pixels, pixels and landmarks.
        draw: Source of everything random.

    Returns:
        The problem.
    """

    def below(count: int) -> int:
        return int(torch.randint(count, (), generator=draw))

    Z = torch.rot90(Z, below(4), (-2, -1))
    Z = Z.flip(-1) if below(2) else Z
    s = factor
    height, width = (min(options.side_lr, side // s) for side in Z.shape[-2:])
    top, left = below(Z.shape[-2] - height * s + 1), below(Z.shape[-1] - width * s + 1)
    # what surrounds the piece is seen by its pixels
    margin = max(RADII)
    first_row, first_column = max(0, top - margin), max(0, left - margin)
    piece = Z[:, first_row : top + height * s + margin, first_column : left + width * s + margin]
    X = torch.einsum("bc,chw->bhw", R, piece)[None]
    inner = X[..., top - first_row :, left - first_column :][..., : height * s, : width * s]
    scale = float(inner.square().sum(dim=1).mean().sqrt()) or 1.0
    context = guide_context(X, scale)[0].flatten(1).T
    # each LR pixel draws its own pixels: the same ones everywhere would alias with texture
    count = min(options.pixels, s * s)
    chosen = torch.rand((height * width, s * s), generator=draw).argsort(dim=1)[:, :count]
    block = torch.arange(height * width)[:, None]
    rows = top - first_row + block // width * s + chosen // s
    columns = left - first_column + block % width * s + chosen % s
    at = (rows * X.shape[-1] + columns).flatten()
    sigma = s * (_SIGMAS[0] + (_SIGMAS[1] - _SIGMAS[0]) * float(torch.rand((), generator=draw)))
    middle = (s - 1) / 2
    distance = (chosen // s - middle).square() + (chosen % s - middle).square()
    weights = torch.exp(-0.5 * distance / sigma**2)
    place = torch.stack([rows, columns], dim=-1).reshape(-1, 2).to(X.dtype) / s
    return SmallProblem(
        Sites(X[0].flatten(1).T[at] / scale, place, context[at]),
        piece.flatten(1).T[at],
        weights / weights.sum(dim=1, keepdim=True),
        R,
        scale,
        torch.randperm(len(at), generator=draw)[: options.landmarks],
    )


def check_side(factor: int, shape: tuple[int, int]) -> bool:
    """Tell whether a scene has enough LR pixels at a factor to learn from: at least 64, as many as 8 x 8.

    Args:
        factor: H / h.
        shape: (H, W).

    Returns:
        True where it has.
    """
    return math.prod(side // factor for side in shape) >= 64
