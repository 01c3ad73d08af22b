"""Kriging from points: each LR pixel stands for its mean guide value at its centre."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hsrdiff.fusers.kriging.kernel import Coordinates, Sites, SpectralKernel
from hsrdiff.fusers.kriging.system import KrigingSystem, solve_kernel, solve_noisy

_ELEMENTS = 2**22  # of the kernel held at once


@dataclass(frozen=True)
class PointKriging:
    """``Z(x, u) = k((x, u), L) (K_LL + diag(noise))^-1 Y_L``, N^3 + P N work for P pixels.

    Attributes:
        kernel: k.
        samples: The N samples in the kernel's coordinates.
        pixels: The P sites to predict.
        system: The solution.
        nugget: Variance of a pixel that no sample foretells, over the square of its brightness.
    """

    kernel: SpectralKernel
    samples: Coordinates
    pixels: Coordinates
    system: KrigingSystem
    nugget: float

    @classmethod
    def fit(
        cls,
        kernel: SpectralKernel,
        samples: Sites,
        Y: torch.Tensor,
        spread: torch.Tensor,
        pixels: Sites,
        sigma: float = 0.0,
        averaging: float = 1.0,
    ) -> PointKriging:
        """Solve for the samples.

        Args:
            kernel: k, with its noise.
            samples: N sites.
            Y: Their spectra, shape (N, B), float64.
            spread: var_j, variance of the guide within each sample, shape (N,), float64.
            pixels: P sites to predict later.
            sigma: Known standard deviation of the samples' noise.
            averaging: ``||k||^2`` of the PSF, by which a mean over pixels makes independent errors smaller.

        Returns:
            The predictor.
        """
        # one call for both, as coordinates are centred on the cloud
        sites = zip((samples.guide, samples.place), (pixels.guide, pixels.place), strict=True)
        both = kernel.coordinates(Sites(*(torch.cat(pair) for pair in sites)))
        L, P = both.at(slice(0, len(samples))), both.at(slice(len(samples), None))
        K = kernel.matrix(L, L).double()
        noise = kernel.noise * K.diagonal().mean() + kernel.mixing * spread
        K = (K + K.T) / 2

        def solve(levels: torch.Tensor) -> KrigingSystem:
            return solve_kernel(K, levels, Y, len(K))

        system = solve_noisy(solve, noise, K.diagonal(), Y, sigma)
        own = system.own_variance(float(kernel.noise * K.diagonal().mean()), sigma) / averaging
        return cls(kernel, L, P, system, own / float(P.brightness.square().mean().clamp_min(1e-30)))

    def predict(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the spectra of all pixels and their variance.

        Returns:
            Shape (P, B), and shape (P,) in units of each band's factor, float64.
        """
        spectra, variances = [], []
        step = max(1, _ELEMENTS // len(self.samples))
        for start in range(0, len(self.pixels), step):
            part = self.pixels.at(slice(start, start + step))
            row = self.kernel.matrix(part, self.samples).double()
            spectra.append(row @ self.system.weights)
            left = self.kernel.diagonal(part) - (row @ self.system.explained).square().sum(dim=1)
            variances.append(left.clamp_min(0.0) + self.nugget * part.brightness[:, 0].square())
        return torch.cat(spectra), torch.cat(variances)
