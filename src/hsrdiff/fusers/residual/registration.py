"""Bands that do not lie on each other: their shifts against the guide, measured on leave-one-out errors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.observation import SpatialResponse

_LEAST_SAMPLES = 64
_SIGMA_PER_MEDIAN = 1.4826  # of the absolute values of normal errors
_MOST_SIGMAS = 2.5  # chosen on training scenes of AVIRIS, EnMAP and Indian Pines, as none of them loses by it


@dataclass(frozen=True)
class BandShifts:
    """Shifts of the bands along both axes.

    Attributes:
        shifts: Slopes by which a band's errors follow its gradient, in pixels, shape (B, 2): rows, columns.
        reliability: Variance of the shifts over that of their errors, one for each axis.
    """

    shifts: torch.Tensor
    reliability: tuple[float, float]


def gradients(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return central differences along rows and columns, one-sided at half size at the edge.

    Args:
        image: Shape (n, C, H, W).

    Returns:
        Two images of the same shape, per pixel.
    """
    edges = F.pad(image, (1, 1, 1, 1), mode="replicate")
    down = (edges[..., 2:, 1:-1] - edges[..., :-2, 1:-1]) / 2
    right = (edges[..., 1:-1, 2:] - edges[..., 1:-1, :-2]) / 2
    return down, right


def band_shifts(
    base: torch.Tensor, left_out: torch.Tensor, precision: torch.Tensor, spatial: SpatialResponse
) -> BandShifts:
    """Measure how each band is displaced against what is foretold of it.

    A band that a spectrometer draws d pixels off has, to first order, the error ``d . grad Z`` everywhere: at LR too,
    where it is known. Each band's leave-one-out errors are regressed on the averaged gradients of the base, weighted by
    their precision. What is found in all bands together beyond its own uncertainty is their true spread t^2, and each
    shift is shrunk towards 0 by ``t^2 / (t^2 + its variance)`` (empirical Bayes).

    Args:
        base: Shape (1, B, H, W).
        left_out: Leave-one-out errors, shape (1, B, h, w).
        precision: Of those, shape (1, 1, h, w); 0 where there is no sample.
        spatial: D.

    Returns:
        The shifts; 0 where there are too few samples to measure them.
    """
    slopes = torch.stack([spatial.apply(image)[0].flatten(1).double() for image in gradients(base)], dim=1)
    weights = precision.flatten().double()
    count = int((weights > 0).sum())
    bands = base.shape[1]
    nothing = BandShifts(torch.zeros(bands, 2, dtype=torch.float64), (0.0, 0.0))
    # Numerics: samples of a black pair foretell each other without any error, with infinite precision
    if count < _LEAST_SAMPLES or not torch.isfinite(weights.sum()):
        return nothing
    weights = weights / weights.sum() * count
    errors = left_out[0].flatten(1).double()
    # a few pixels that nothing foretells, such as hot ones, are not to move a whole band
    typical = errors[:, weights > 0].abs().median(dim=1, keepdim=True).values * _SIGMA_PER_MEDIAN
    errors = errors.clamp(-_MOST_SIGMAS * typical, _MOST_SIGMAS * typical)
    A = torch.einsum("bin,bjn,n->bij", slopes, slopes, weights)
    power = A.diagonal(dim1=1, dim2=2).mean(dim=1)
    lit = power > 1e-12 * power.max().clamp_min(torch.finfo(torch.float64).tiny)
    if not lit.any():
        return nothing
    # Numerics: a band without any slope has no shift to measure
    eye = torch.eye(2, dtype=torch.float64)
    inverse = torch.linalg.inv(torch.where(lit[:, None, None], A + 1e-9 * power[:, None, None] * eye, eye))
    found = torch.einsum("bij,bjn,bn,n->bi", inverse, slopes, errors, weights)
    left = errors - torch.einsum("bi,bin->bn", found, slopes)
    noise = (left.square() * weights).sum(dim=1) / (count - 2)
    variance = inverse.diagonal(dim1=1, dim2=2) * noise[:, None]
    found = torch.where(lit[:, None], found, 0.0)
    spread = (found.square() - variance)[lit].mean(dim=0).clamp_min(0.0)
    uncertain = variance[lit].mean(dim=0).clamp_min(torch.finfo(torch.float64).tiny)
    share = torch.where(lit[:, None], spread / (spread + variance).clamp_min(torch.finfo(torch.float64).tiny), 0.0)
    rows, columns = (spread / uncertain).tolist()
    return BandShifts(share * found, (rows, columns))


def registered(base: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Return what shifted bands add to a base, to first order.

    Args:
        base: Shape (1, B, H, W).
        shifts: Shape (B, 2), in pixels.

    Returns:
        Shape (1, B, H, W).
    """
    down, right = gradients(base)
    rows, columns = (shifts[:, axis].to(base)[:, None, None] for axis in (0, 1))
    return rows * down + columns * right
