"""CDFormer in one pass as a fuser: the paper's ablation "Regression"."""

from __future__ import annotations

import torch

from hsrdiff.fusers.learned.one_pass import OnePass
from hsrdiff.networks import Denoiser, ModelCard, load_network
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike


class RegressionCDFormerFuser(OnePass[Denoiser]):
    """Z_hat = f_theta(X, Y, U, 1), in [-1, 1] as HSR-Diff sees it; see `networks.ablations.regression`.

    Arguments are those of `OnePass`.
    """

    name = "regression-cdformer"

    def load(self, weights: PathLike) -> tuple[Denoiser, ModelCard]:
        """Read the network and its card."""
        return load_network(weights, device=self.device, kind=self.name)

    @torch.no_grad()
    def estimate(self, scene: Scene, X: torch.Tensor, Y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Run the network once; what stands in for Z_t is not looked at."""
        blank = X.new_zeros((1, self.card.bands, *X.shape[-2:]))
        Z_hat: torch.Tensor = self.network(2 * X - 1, 2 * Y - 1, blank, X.new_ones(1))
        return (Z_hat.to(X.dtype) + 1) / 2
