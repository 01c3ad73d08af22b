"""Fusformer as a fuser: patch by patch, as the authors test it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from hsrdiff.fusers.learned.competitor import CompetitorFuser
from hsrdiff.fusers.options import count
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

_SIDE = 64


class FusformerFuser(CompetitorFuser):
    """Full attention over the pixels of a patch (Hu et al., IEEE GRSL 2022); see `networks.competitors.fusformer`.

    Patches do not overlap; Y is cut with X, so that a patch sees nothing of its neighbours.

    Args:
        weights: A safetensors file written by the training.
        patch: Side of a patch in HR pixels; as many whole coarse pixels as fit are taken, at least one.
        peak: Value of the scene that means 1.
        device: Where the network runs, such as ``"cpu"`` or ``"cuda"``.
        on_step: Called after each patch with the patches done and the patches in all.

    Raises:
        WeightsError: If the weights cannot be read or are for another method.
        InputError: If an option is out of range.
    """

    name = "fusformer"
    cut = True

    def __init__(
        self,
        *,
        weights: PathLike,
        patch: int = _SIDE,
        peak: float = 1.0,
        device: str = "cpu",
        on_step: Callable[[int, int], None] | None = None,
    ) -> None:
        self.patch, self.on_step = count("patch", patch), on_step
        super().__init__(weights=weights, peak=peak, device=device)

    @torch.no_grad()
    def estimate(self, scene: Scene, X: torch.Tensor, Y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Run the network on each patch."""
        factor = self.network.factor
        side = max(1, self.patch // factor)  # in coarse pixels
        Z_hat = torch.empty((1, self.network.bands, *X.shape[-2:]), dtype=X.dtype, device=X.device)
        places = [(i, j) for i in range(0, Y.shape[-2], side) for j in range(0, Y.shape[-1], side)]
        for done, (i, j) in enumerate(places, start=1):
            coarse = (..., slice(i, i + side), slice(j, j + side))
            fine = (..., slice(factor * i, factor * (i + side)), slice(factor * j, factor * (j + side)))
            Z_hat[fine] = self.network(X[fine], Y[coarse])
            if self.on_step is not None:
                self.on_step(done, len(places))
        return Z_hat
