"""The PSF as a free kernel: every weight on its own, where the pair has equations enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import nnls

from hsrdiff.observation.gaussian_psf import GaussianFit, Sharp, fitting_size, gaussian_kernel
from hsrdiff.observation.shared_pixels import FOLDS, fold_map, triangle
from hsrdiff.typing import FloatArray

# LR pixels for each weight of the kernel, and the most weights: a larger kernel takes minutes and more scene.
PIXELS_PER_WEIGHT, MOST_WEIGHTS = 4, 400
# Weights of the smoothness of what the kernel has and the Gaussian has not, relative to the mean diagonal.
_SMOOTHNESS = (0.0, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_EQUAL = 1.02
_ROUNDS, _STILL = 20, 1e-9  # of gains and kernel in turn, at most, and the change of gains that ends them
# A Gaussian that leaves this little is the PSF: what is left is the rounding of float32.
_EXACT = 1e-10
_ROWS = 1 << 13  # windows at a time


@dataclass(frozen=True, eq=False)
class FreeFit:
    """A kernel found from a pair.

    Attributes:
        kernel: Shape (K, K), float64, non-negative, sum 1.
        left: Mean square error on held-out pixels over the variance of R Y, mean over the bands.
        uncertainty: Standard error of the kernel over its size, as root mean squares, without the smoothness.
        smoothness: Weight of the smoothness that was taken.
    """

    kernel: torch.Tensor
    left: float
    uncertainty: float
    smoothness: float


def fit_free(sharp: Sharp, gaussian: GaussianFit) -> FreeFit | None:
    """Minimise ``sum_j |R_j Y - o_j - g_j X_j k|^2 / |R_j Y|^2 + lam |grad(k - k_gauss)|^2`` over ``k >= 0``.

    ``lam = c trace / K^2`` with the c that serves held-out pixels best: where the pair says little the kernel stays
    the Gaussian. Gains g and kernel are found in turn.

    Args:
        sharp: The pair.
        gaussian: The Gaussian that fits it best.

    Returns:
        The kernel, or None where there are fewer than 4 LR pixels for each of its weights, its windows would leave
        the image, or the Gaussian is exact.
    """
    K = fitting_size(gaussian.sigma, gaussian.shift, sharp.factor)
    if sharp.usable.sum() < PIXELS_PER_WEIGHT * K**2 or K**2 > MOST_WEIGHTS or gaussian.left < _EXACT:
        return None
    reach, places = (K - sharp.factor) // 2, sharp.factor * torch.nonzero(sharp.usable)
    size = torch.tensor(sharp.X.shape[-2:])
    if (places < reach).any() or (places - reach + K > size).any():
        return None  # a Gaussian on the edge of what was looked at: its windows would leave the image
    folds = fold_map(*sharp.usable.shape)[sharp.usable.numpy()]
    parts = [_parts(sharp, K, torch.from_numpy(folds == fold)) for fold in range(FOLDS)]
    whole = [np.linalg.qr(np.concatenate(of_band)).R for of_band in zip(*parts, strict=True)]
    prior = gaussian_kernel(gaussian.sigma, gaussian.shift, K).numpy().ravel()
    errors = []
    for c in _SMOOTHNESS:
        squares = 0.0
        for held, part in enumerate(parts):
            kept = [p for i, p in enumerate(parts) if i != held]
            others = [np.concatenate(bands) for bands in zip(*kept, strict=True)]
            kernel, gain = _solve_in_turn(others, gaussian.gain, prior, c)
            squares += sum(_left(T, g, kernel) for T, g in zip(part, gain, strict=True))
        errors.append(squares / len(whole))
    smoothness = _SMOOTHNESS[int(np.flatnonzero(np.asarray(errors) <= _EQUAL * min(errors)).max())]
    kernel, gain = _solve_in_turn(whole, gaussian.gain, prior, smoothness)
    stacked = _stacked(whole, gain)
    variance = sum(_left(T, g, kernel) for T, g in zip(whole, gain, strict=True)) / (
        len(whole) * int(sharp.usable.sum())
    )
    inverse = np.linalg.pinv(stacked[:, :-1].T @ stacked[:, :-1], rcond=1e-14, hermitian=True)
    return FreeFit(
        kernel=torch.from_numpy(kernel.reshape(K, K)),
        left=errors[_SMOOTHNESS.index(smoothness)],
        uncertainty=float(np.sqrt(np.trace(inverse) * variance / np.square(kernel).sum())),
        smoothness=smoothness,
    )


def _parts(sharp: Sharp, K: int, counted: torch.Tensor) -> list[FloatArray]:
    """Return per band the triangle of windows of X and R Y, both without their means over all usable pixels."""
    s, o = sharp.factor, (K - sharp.factor) // 2
    rows, columns = (at * s - o for at in torch.nonzero(sharp.usable, as_tuple=True))
    u = torch.arange(K)
    found: list[FloatArray] = []
    for band, seen in zip(sharp.X[0], sharp.RY[:, sharp.usable], strict=True):
        mean, norm = seen.mean(), (seen - seen.mean()).norm().clamp_min(torch.finfo(seen.dtype).tiny)
        windows_mean = torch.stack([band[rows + i, columns + j].mean() for i in range(K) for j in range(K)])
        T: FloatArray = np.empty((0, K * K + 1))
        r, c, q = rows[counted], columns[counted], seen[counted]
        for start in range(0, len(q), _ROWS):
            part = slice(start, start + _ROWS)
            window = band[(r[part, None] + u)[:, :, None], (c[part, None] + u)[:, None, :]].flatten(1) - windows_mean
            block = torch.cat([window, (q[part] - mean)[:, None]], dim=1) / norm
            T = triangle(np.concatenate([T, block.numpy()]).T)
        found.append(T)
    return found


def _solve_in_turn(
    triangles: list[FloatArray], gain: FloatArray, prior: FloatArray, smoothness: float
) -> tuple[FloatArray, FloatArray]:
    """Return the kernel and the gains, each found with the other until they stand still."""
    for _ in range(_ROUNDS):
        kernel = _solve(triangles, gain, prior, smoothness)
        before, modelled = gain, [T[:, :-1] @ kernel for T in triangles]
        energies = [max(float(m @ m), np.finfo(np.float64).tiny) for m in modelled]
        gain = np.array([m @ T[:, -1] / e for m, T, e in zip(modelled, triangles, energies, strict=True)])
        if np.abs(gain - before).max() <= _STILL * np.abs(gain).max():
            break
    return kernel, gain


def _stacked(triangles: list[FloatArray], gain: FloatArray) -> FloatArray:
    """Return one triangle of all bands' equations, X multiplied by its gain."""
    scaled = [np.concatenate([g * T[:, :-1], T[:, -1:]], axis=1) for T, g in zip(triangles, gain, strict=True)]
    found: FloatArray = np.linalg.qr(np.concatenate(scaled)).R
    return found


def _solve(triangles: list[FloatArray], gain: FloatArray, prior: FloatArray, smoothness: float) -> FloatArray:
    """Return the kernel (K K,), sum 1."""
    T = _stacked(triangles, gain)
    A, target = T[:, :-1], T[:, -1]
    K = round(prior.size**0.5)
    if smoothness:
        E, eye = np.diff(np.eye(K), axis=0), np.eye(K)
        grad = np.concatenate([np.kron(E, eye), np.kron(eye, E)])
        grad *= np.sqrt(smoothness * np.square(A).sum() / prior.size)
        A, target = np.concatenate([A, grad]), np.concatenate([target, grad @ prior])
    kernel = nnls(A, target, maxiter=30 * prior.size)[0]
    total = float(kernel.sum())
    found: FloatArray = kernel / total if total > 0 else prior
    return found


def _left(T: FloatArray, gain: float, kernel: FloatArray) -> float:
    return float(np.square(T[:, -1] - gain * (T[:, :-1] @ kernel)).sum())
