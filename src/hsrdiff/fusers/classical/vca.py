"""Vertex component analysis: the purest spectra of an image (Nascimento and Bioucas-Dias, IEEE TGRS 2005)."""

from __future__ import annotations

import math

import torch

from hsrdiff.errors import InputError, ShapeError

_SNR_OFFSET_DB = 15.0
_TINY = 1e-12
_ROUNDING = 1e-6  # of float32 images


def vca(spectra: torch.Tensor, count: int, *, generator: torch.Generator) -> torch.Tensor:
    """Return the spectra at the vertices of the simplex that holds all of them.

    Each step draws a direction orthogonal to the vertices found so far and takes the spectrum that reaches farthest
    along it. Above a signal-to-noise ratio of ``15 + 10 log10(count)`` dB the spectra are first divided by their
    projection on the mean, so that brightness does not matter; below it they are centred.

    Args:
        spectra: Shape (B, N), finite.
        count: Vertices, from 1 to B and at most N.
        generator: Source of the directions.

    Returns:
        Columns of `spectra`, denoised by projection on their subspace, shape (B, count), float64.

    Raises:
        ShapeError: The spectra are not (B, N).
        InputError: The count is out of range.
    """
    if spectra.ndim != 2 or not spectra.numel():
        raise ShapeError(f"the spectra have shape {tuple(spectra.shape)}", expected="(bands, pixels)")
    B, N = spectra.shape
    if not 1 <= count <= min(B, N):
        raise InputError(f"{count} endmembers", expected=f"from 1 to {min(B, N)}, bands or pixels, whichever is less")
    M = spectra.double()
    mean = M.mean(dim=1, keepdim=True)
    if _snr_db(M, mean, count) > _SNR_OFFSET_DB + 10.0 * math.log10(count):
        basis = _leading(M @ M.T / N, count)
        x = basis.T @ M
        weight = x.mean(dim=1) @ x
        # Numerics: a black pixel has no direction
        usable = weight > _TINY * weight.abs().max()
        y = torch.where(usable, x / torch.where(usable, weight, 1.0), 0.0)
        projected = basis @ x
    else:
        basis = _leading((M - mean) @ (M - mean).T / N, count - 1)
        x = basis.T @ (M - mean)
        y = torch.cat([x, x.norm(dim=0).max().expand(1, N) if count > 1 else torch.ones((1, N)).to(x)])
        projected = basis @ x + mean
    return projected[:, _vertices(y, generator)]


def largest_vca(spectra: torch.Tensor, count: int, *, runs: int, generator: torch.Generator) -> torch.Tensor:
    """Return the best of several runs of `vca`: that of the largest volume, ``det(E^T E)``.

    Args:
        spectra: Shape (B, N), finite.
        count: Vertices.
        runs: Runs, at least 1.
        generator: Source of the directions.

    Returns:
        E, shape (B, count), float64.

    Raises:
        ShapeError: The spectra are not (B, N).
        InputError: The count is out of range.
    """
    found = [vca(spectra, count, generator=generator) for _ in range(runs)]
    volumes = [float(torch.linalg.slogdet(E.T @ E).logabsdet) for E in found]
    return found[max(range(runs), key=volumes.__getitem__)]


def signal_rank(spectra: torch.Tensor, most: int) -> int:
    """Return how many directions the spectra fill: a basis with more would be made up of rounding.

    Args:
        spectra: Shape (B, N), finite.
        most: Directions wanted, at least 1.

    Returns:
        Singular values above 1e-6 of the largest, at least 1 and at most `most`.
    """
    singular = torch.linalg.svdvals(spectra.double())
    return max(1, min(most, int((singular > _ROUNDING * singular[0]).sum())))


def _vertices(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Indices of the columns of y, (p, N), that reach farthest, one after the other."""
    count = y.shape[0]
    A = torch.zeros((count, count)).to(y)
    A[-1, 0] = 1.0
    picked = []
    for step in range(count):
        w = torch.rand((count,), generator=generator, dtype=torch.float64, device=generator.device).to(y)
        f = w - A @ (torch.linalg.pinv(A) @ w)
        picked.append(int((f @ y).abs().argmax()))
        A[:, step] = y[:, picked[-1]]
    return torch.tensor(picked, device=y.device)


def _leading(matrix: torch.Tensor, count: int) -> torch.Tensor:
    """Eigenvectors of the `count` largest eigenvalues, shape (B, count)."""
    vectors: torch.Tensor = torch.linalg.eigh(matrix).eigenvectors
    return vectors.flip(1)[:, :count]


def _snr_db(M: torch.Tensor, mean: torch.Tensor, count: int) -> float:
    """Signal over what lies outside the leading subspace, in dB."""
    B, N = M.shape
    if count >= B:
        return math.inf
    basis = _leading((M - mean) @ (M - mean).T / N, count)
    power = float(M.square().sum()) / N
    signal = float((basis.T @ (M - mean)).square().sum()) / N + float(mean.square().sum())
    noise = power - signal
    if noise <= _TINY * power:
        return math.inf
    ratio = (signal - count / B * power) / noise
    return 10.0 * math.log10(ratio) if ratio > 0 else -math.inf
