"""The PSF as a displaced Gaussian, fitted to a pair: three numbers that a small scene can tell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import OptimizeResult, least_squares

from hsrdiff.observation.spatial import FWHM_PER_SIGMA, SpatialResponse
from hsrdiff.typing import FloatArray

# Range of the width (FWHM) and of the displacement looked at, in LR pixels.
NARROWEST, WIDEST, FURTHEST = 0.2, 3.0, 1.0
_START = (1.0, 0.5, 2.0)  # widths, in LR pixels, from which the search starts
_SKIRTS = 0.95  # a larger kernel is taken where it leaves this share of what the smaller one leaves, or less
_SLACK = 0.05  # HR pixels by which rounding of a width may not add a ring to the kernel


@dataclass(frozen=True, eq=False)
class Sharp:
    """What a PSF is found from: the guide, and what R makes of Y, on LR pixels well inside.

    Attributes:
        X: Shape (1, b, H, W), float64, invalid pixels 0.
        RY: R Y, shape (b, h, w), float64.
        usable: LR pixels whose widest window sees valid pixels only, bool (h, w).
        factor: s.
    """

    X: torch.Tensor
    RY: torch.Tensor
    usable: torch.Tensor
    factor: int

    def seen(self) -> FloatArray:
        """Return R Y of the usable pixels without its mean, shape (b, N)."""
        return _centred(self.RY[:, self.usable])


@dataclass(frozen=True)
class GaussianFit:
    """A Gaussian found from a pair.

    Attributes:
        sigma: Standard deviation in HR pixels.
        shift: Displacement of its centre from that of the block along rows and columns, HR pixels.
        sigma_error: Standard error of sigma, HR pixels.
        shift_error: Standard errors of the displacement, HR pixels.
        gain: What X is multiplied by to agree with R Y, per band, shape (b,).
        left: Mean square of what the fit leaves over the variance of R Y, mean over the bands.
        size: K of the kernel.
    """

    sigma: float
    shift: tuple[float, float]
    sigma_error: float
    shift_error: tuple[float, float]
    gain: FloatArray
    left: float
    size: int

    @property
    def kernel(self) -> torch.Tensor:
        """The kernel (K, K), float64, sum 1."""
        return gaussian_kernel(self.sigma, self.shift, self.size)


def gaussian_kernel(sigma: float, shift: tuple[float, float], size: int) -> torch.Tensor:
    """Return ``k[u, v] ~ exp(-((u - c - dy)^2 + (v - c - dx)^2) / (2 sigma^2))`` with ``c = (K - 1) / 2``, sum 1.

    Args:
        sigma: Standard deviation in HR pixels, > 0.
        shift: (dy, dx) in HR pixels.
        size: K.

    Returns:
        Shape (K, K), float64.
    """
    u = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    # Numerics: less the largest exponent, so that a narrow Gaussian between pixels does not vanish
    exponents = [-0.5 * ((u - by) / sigma).square() for by in shift]
    rows, columns = (torch.exp(exponent - exponent.max()) for exponent in exponents)
    return torch.outer(rows / rows.sum(), columns / columns.sum())


def widest_size(factor: int) -> int:
    """Return K of the window that holds every Gaussian looked at.

    Args:
        factor: s.
    """
    return factor + 2 * math.ceil((WIDEST / 2 + 0.5) * factor)


def fitting_size(sigma: float, shift: tuple[float, float], factor: int) -> int:
    """Return K for a Gaussian: a block and half a width more on both sides, and what the displacement adds.

    Args:
        sigma: Standard deviation in HR pixels.
        shift: Displacement in HR pixels.
        factor: s.
    """
    half = sigma * FWHM_PER_SIGMA / 2
    size = factor + 2 * (math.ceil(half - _SLACK) + math.ceil(max(map(abs, shift)) - 0.5))
    return min(size, widest_size(factor))


def fit_gaussian(sharp: Sharp) -> GaussianFit:
    """Minimise ``sum_j |R_j Y - o_j - g_j X_j k|^2 / |R_j Y|^2`` over width, displacement, gains g and offsets o.

    Gain and offset of each band follow from the other three by regression, so that neither unit nor a haze counts.

    Args:
        sharp: The pair.

    Returns:
        The Gaussian.
    """
    s, seen = sharp.factor, sharp.seen()
    norms = np.linalg.norm(seen, axis=1)
    counted = norms > 0
    size = widest_size(s)

    def modelled(p: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
        D = SpatialResponse(gaussian_kernel(math.exp(p[0]) * s, (p[1] * s, p[2] * s), size), s)
        model = _centred(D.apply(sharp.X)[0][:, sharp.usable])
        energy = np.square(model).sum(axis=1)
        return model, (seen * model).sum(axis=1) / np.where(energy > 0, energy, 1.0)

    def residual(p: FloatArray, size: int) -> FloatArray:
        model, gain = modelled(p, size)
        left = (seen - gain[:, None] * model)[counted] / norms[counted, None]
        return np.asarray(left.ravel())

    bounds = (
        [math.log(NARROWEST / FWHM_PER_SIGMA), -FURTHEST, -FURTHEST],
        [math.log(WIDEST / FWHM_PER_SIGMA), FURTHEST, FURTHEST],
    )
    starts = [np.array([math.log(width / FWHM_PER_SIGMA), 0.0, 0.0]) for width in _START]
    start = min(starts, key=lambda p: float(np.square(residual(p, size)).sum()))
    found = start

    def fit_at(size: int) -> OptimizeResult:
        return least_squares(residual, found, bounds=bounds, args=(size,), x_scale=0.1, xtol=1e-12, ftol=1e-14)

    fit = fit_at(size)
    for _ in range(2):  # the size follows the width found; it seldom changes twice
        found = fit.x
        wanted = fitting_size(math.exp(found[0]) * s, (found[1] * s, found[2] * s), s)
        if wanted == size:
            break
        size, fit = wanted, fit_at(wanted)
    # a PSF may have its skirts or be cut off where the assumed one is: the pair says which
    larger = min(size + 2 * math.ceil(s / 2), widest_size(s))
    other = fit_at(larger)
    if other.cost < _SKIRTS * fit.cost:
        size, fit = larger, other
    found = fit.x
    bands = max(int(counted.sum()), 1)
    squares = float(np.square(fit.fun).sum())
    # Numerics: pinv, as an image without detail along an axis says nothing of it
    free = max(fit.fun.size - 2 * bands - 3, 1)
    errors = np.sqrt(np.diag(np.linalg.pinv(fit.jac.T @ fit.jac)) * squares / free)
    sigma = math.exp(found[0]) * s
    return GaussianFit(
        sigma=sigma,
        shift=(float(found[1] * s), float(found[2] * s)),
        sigma_error=float(errors[0]) * sigma,
        shift_error=(float(errors[1] * s), float(errors[2] * s)),
        gain=modelled(found, size)[1],
        left=squares / bands,
        size=size,
    )


def _centred(image: torch.Tensor) -> FloatArray:
    return np.asarray((image - image.mean(dim=1, keepdim=True)).numpy())
