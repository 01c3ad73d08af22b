"""A learned competitor as a fuser: its weights, built for one factor, in one pass over the whole image."""

from __future__ import annotations

import torch

from hsrdiff.fusers.card_remarks import check_factor
from hsrdiff.fusers.learned.one_pass import OnePass
from hsrdiff.networks import ModelCard
from hsrdiff.networks.competitors import Competitor, load_competitor
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike


class CompetitorFuser(OnePass[Competitor]):
    """One network of `hsrdiff.networks.competitors`, under the same name; arguments as `OnePass` has them."""

    def load(self, weights: PathLike) -> tuple[Competitor, ModelCard]:
        """Read the network and its card."""
        return load_competitor(weights, self.name, device=self.device)

    def check(self, scene: Scene) -> None:
        """Raise where the weights are for other bands or another factor."""
        super().check(scene)
        check_factor(self.card, scene, self.weights)

    def estimate(self, scene: Scene, X: torch.Tensor, Y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Run the network once."""
        with torch.no_grad():
            Z_hat: torch.Tensor = self.network(X, Y)
        return Z_hat
