"""Area-to-point kriging: LR samples are weighted means over pixels, and are treated as such; work linear in pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from hsrdiff.fusers.kriging.kernel import Coordinates, Sites, SpectralKernel
from hsrdiff.fusers.kriging.system import KrigingSystem, solve_features, solve_noisy

BlockMeans = Callable[[torch.Tensor], torch.Tensor]

_ELEMENTS = 2**22  # of the kernel held at once
_NEGLIGIBLE = 1e-7  # eigenvalues of the landmarks' kernel under this share of the largest are rounding
_DIRECTIONS = 256  # of what the samples explain, kept for the variance


@dataclass(frozen=True)
class AreaKriging:
    """Kriging with ``K_LL = D^T K D`` and ``K_xL = K_x D`` instead of k at averaged guides.

    K between all pixels is never formed: with M landmarks C among the pixels the kernel becomes
    ``k(., C) k(C, C)^-1 k(C, .)`` (Nystroem), a kernel of r <= M features phi. Then ``Z = W phi`` and
    ``Y = W (phi D)``, where averaging features with D is exact, and W is a ridge regression on N samples. The
    work is P M kernel values for P pixels, twice, and no result depends on how the pixels are cut into pieces.

    Attributes:
        kernel: k.
        pixels: The P pixels in the kernel's coordinates.
        landmarks: The M landmarks.
        root: Turns a row of k(., C) into features, shape (M, r).
        system: The solution in feature space.
        nugget: Variance of a pixel that no sample foretells, over the square of its brightness.
    """

    kernel: SpectralKernel
    pixels: Coordinates
    landmarks: Coordinates
    root: torch.Tensor
    system: KrigingSystem
    nugget: float

    @classmethod
    def fit(
        cls,
        kernel: SpectralKernel,
        pixels: Sites,
        landmarks: torch.Tensor,
        block_means: BlockMeans,
        Y: torch.Tensor,
        spread: torch.Tensor,
        unseen: torch.Tensor | None = None,
        sigma: float = 0.0,
        averaging: float = 1.0,
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

        Returns:
            The predictor.
        """
        P = kernel.coordinates(pixels)
        C = P.at(landmarks)
        values, vectors = torch.linalg.eigh(_symmetric(kernel.matrix(C, C).double()))
        kept = values > _NEGLIGIBLE * values[-1]
        root = vectors[:, kept] / values[kept].sqrt()
        # each landmark's kernel is an image; averaged with D it is a column of K_CL
        step = max(1, _ELEMENTS // len(P))
        columns = [block_means(kernel.matrix(C.at(slice(start, start + step)), P)) for start in range(0, len(C), step)]
        F = torch.cat(columns).T.double() @ root
        variance = F.square().sum(dim=1)
        levels = kernel.noise * variance.mean() + kernel.mixing * spread
        if unseen is not None:
            levels = levels + unseen.square() * variance
        levels = levels.clamp_min(float(variance.mean()) * 1e-12 + torch.finfo(torch.float32).tiny)
        system = solve_noisy(lambda noise: solve_features(F, noise, Y), levels, variance, Y, sigma)
        own = system.own_variance(float(kernel.noise * variance.mean()), sigma) / averaging
        return cls(kernel, P, C, root, system, own / float(P.brightness.square().mean().clamp_min(1e-30)))

    def predict(self, variance: bool = False) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the spectra of all pixels, and their variance in units of each band's factor if asked for.

        Args:
            variance: Whether to return it.

        Returns:
            Shapes (P, B) and (P,), in the type of the pixels.
        """
        dtype = self.pixels.guide.dtype
        weights = (self.root @ self.system.weights).to(dtype)
        bands = weights.shape[1]
        if variance:
            # what is left out beyond the strongest directions only makes the variance larger
            gram = self.system.explained @ self.system.explained.T
            values, vectors = torch.linalg.eigh(_symmetric(gram))
            strongest = vectors[:, values.argsort(descending=True)[:_DIRECTIONS]]
            weights = torch.cat([weights, (self.root @ (self.system.explained.T @ strongest)).to(dtype)], dim=1)
        spectra, variances = [], []
        step = max(1, _ELEMENTS // len(self.landmarks))
        for start in range(0, len(self.pixels), step):
            part = self.pixels.at(slice(start, start + step))
            product = self.kernel.matrix(part, self.landmarks) @ weights
            spectra.append(product[:, :bands].clone())
            if variance:
                taken = product[:, bands:].square().sum(dim=1)
                own = self.nugget * part.brightness[:, 0].square()
                variances.append((self.kernel.diagonal(part) - taken).clamp_min(0.0) + own)
        return torch.cat(spectra), torch.cat(variances) if variance else None


def _symmetric(matrix: torch.Tensor) -> torch.Tensor:
    return (matrix + matrix.T) / 2
