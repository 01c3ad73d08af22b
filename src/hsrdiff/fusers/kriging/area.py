"""Area-to-point kriging: LR samples are weighted means over pixels, and are treated as such; work linear in pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from hsrdiff.fusers.kriging.kernel import Kernel, Placed, Sites
from hsrdiff.fusers.kriging.noise import noise_factor
from hsrdiff.fusers.kriging.system import KrigingSystem, solve_features, solve_noisy

BlockMeans = Callable[[torch.Tensor], torch.Tensor]

_ELEMENTS = 2**22  # of the landmarks' images held at once
TILE = 2**18  # elements of the kernel that are computed together: they stay in the processor's cache
_NEGLIGIBLE = 1e-7  # of the trace of the landmarks' kernel: eigenvalues under it are rounding


@dataclass(frozen=True)
class AreaKriging:
    """Kriging with ``K_LL = D^T K D`` and ``K_xL = K_x D`` instead of k at averaged guides.

    K between all pixels is never formed: with M landmarks C among the pixels the kernel becomes
    ``k(., C) k(C, C)^-1 k(C, .)`` (Nystroem), a kernel of M features phi. Then ``Z = W phi`` and
    ``Y = W (phi D)``, where averaging features with D is exact, and W is a ridge regression on N samples. The
    work is P M kernel values for P pixels, twice, and no result depends on how the pixels are cut into pieces.

    Attributes:
        kernel: k.
        pixels: The P pixels in the kernel's coordinates.
        landmarks: The M landmarks.
        factor: L of ``k(C, C) = L L^T``; a row of k(., C) times ``L^-T`` is a pixel's features, shape (M, M).
        system: The solution in feature space.
        nugget: Variance of a pixel that no sample foretells, over the square of its brightness.
    """

    kernel: Kernel[Any]
    pixels: Placed
    landmarks: Placed
    factor: torch.Tensor
    system: KrigingSystem
    nugget: float

    @classmethod
    def fit(
        cls,
        kernel: Kernel[Any],
        pixels: Sites,
        landmarks: torch.Tensor,
        block_means: BlockMeans,
        Y: torch.Tensor,
        spread: torch.Tensor,
        unseen: torch.Tensor | None = None,
        sigma: float = 0.0,
        averaging: float = 1.0,
        directions: int = 0,
        hidden: torch.Tensor | None = None,
    ) -> AreaKriging:
        """Average the features over the LR pixels and solve.

        Args:
            kernel: k, with its noise.
            pixels: P sites.
            landmarks: Positions of M of them.
            block_means: Applies D: (channels, P) -> (channels, N).
            Y: Samples, shape (N, B), float64.
            spread: var_j, variance of the guide within each sample, shape (N,), float64.
            unseen: Share of each sample's weight on pixels without a guide, shape (N,), in [0, 1].
            sigma: Known standard deviation of the samples' noise.
            averaging: ``||k||^2`` of the PSF, by which a mean over pixels makes independent errors smaller.
            directions: Directions of the explained variance to keep; 0 spares the time where it is not wanted.
            hidden: What the guide does not see of a spectrum, ``I - R^+ R``, shape (B, B), float64: the noise of all
                samples is multiplied by what foretells this part best; None leaves the kernel's own.

        Returns:
            The predictor.
        """
        P = kernel.coordinates(pixels)
        C = P.at(landmarks)
        K = kernel.matrix(C, C).double()
        # Numerics: the rows of k(., C) are rounded, so directions under their rounding are not to be blown up
        jitter = _NEGLIGIBLE * K.diagonal().sum() + torch.finfo(torch.float32).tiny
        eye = torch.eye(len(K), dtype=K.dtype, device=K.device)
        factor = torch.linalg.cholesky((K + K.T) / 2 + jitter * eye)
        # each landmark's kernel is an image; averaged with D it is a column of K_CL
        step = max(1, _ELEMENTS // len(P))
        columns = [
            block_means(_images(kernel, C.at(slice(start, start + step)), P)) for start in range(0, len(C), step)
        ]
        F = torch.linalg.solve_triangular(factor, torch.cat(columns).double(), upper=False).T
        prior = F.square().sum(dim=1)
        levels = kernel.noise * prior.mean() + kernel.mixing * spread
        if unseen is not None:
            levels = levels + unseen.square() * prior
        levels = levels.clamp_min(float(prior.mean()) * 1e-12 + torch.finfo(torch.float32).tiny)
        factor_of_noise = 1.0 if hidden is None else noise_factor(F, levels, Y, spread, hidden)
        levels = levels * factor_of_noise

        def solve(noise: torch.Tensor) -> KrigingSystem:
            return solve_features(F, noise, Y, directions)

        system = solve_noisy(solve, levels, prior, Y, sigma)
        own = system.own_variance(factor_of_noise * float(kernel.noise * prior.mean()), sigma) / averaging
        return cls(kernel, P, C, factor, system, own / float(P.brightness.square().mean().clamp_min(1e-30)))

    def predict(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the spectra of all pixels and their variance.

        Returns:
            Shape (P, B), and shape (P,) in units of each band's factor, in the type of the pixels; the variance
            is that of no samples at all where the system was solved without directions.
        """
        weights = torch.cat([self.system.weights, self.system.explained], dim=1)
        weights = torch.linalg.solve_triangular(self.factor.T, weights, upper=True).to(self.pixels.guide.dtype)
        bands = self.system.weights.shape[1]
        spectra, variances = [], []
        step = max(1, TILE // len(self.landmarks))
        for start in range(0, len(self.pixels), step):
            part = self.pixels.at(slice(start, start + step))
            product = self.kernel.matrix(part, self.landmarks) @ weights
            spectra.append(product[:, :bands].clone())
            left = self.kernel.diagonal(part) - product[:, bands:].square().sum(dim=1)
            variances.append(left.clamp_min(0.0) + self.nugget * part.brightness[:, 0].square())
        return torch.cat(spectra), torch.cat(variances)


def _images(kernel: Kernel[Any], landmarks: Placed, pixels: Placed) -> torch.Tensor:
    """K of some landmarks with all pixels, shape (M', P), computed in pieces."""
    step = max(1, TILE // len(landmarks))
    pieces = [kernel.matrix(landmarks, pixels.at(slice(start, start + step))) for start in range(0, len(pixels), step)]
    return torch.cat(pieces, dim=1)
