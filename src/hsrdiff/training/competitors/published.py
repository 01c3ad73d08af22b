"""How each competitor was trained by its authors: the defaults of its recipes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from hsrdiff.networks.competitors import Competitor
from hsrdiff.training.competitors.loss import CompetitorLoss, mean_square

Compare = Callable[[Competitor, torch.Tensor, torch.Tensor, torch.Tensor], CompetitorLoss]


@dataclass(frozen=True)
class Published:
    """The published training of one method.

    Attributes:
        compare: Its loss, from network, X, Y and Z.
        size: Side of a patch in HR pixels.
        batch: Patches of a step.
        learning_rate: Adam's first step size.
        drops: Shares of all steps at which the rate is multiplied by `drop`.
        drop: The factor.
    """

    compare: Compare
    size: int
    batch: int
    learning_rate: float
    drops: tuple[float, ...] = ()
    drop: float = 1.0


PUBLISHED: dict[str, Published] = {
    "brresnet": Published(mean_square, size=64, batch=32, learning_rate=1e-4),
}
