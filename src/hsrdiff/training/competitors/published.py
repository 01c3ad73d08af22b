"""How each competitor was trained by its authors: the defaults of its recipes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from hsrdiff.networks.competitors import Competitor
from hsrdiff.training.competitors.loss import CompetitorLoss, l1, mean_square, unrolled

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
    # 150 epochs; the first tenth-epoch decay multiplies by 0.7^0
    "ual": Published(
        l1, size=128, batch=6, learning_rate=1e-4, drops=tuple((10 * i + 1) / 150 for i in range(1, 15)), drop=0.7
    ),
    "brresnet": Published(mean_square, size=64, batch=32, learning_rate=1e-4),
    "cmhf-net": Published(unrolled, size=96, batch=10, learning_rate=1e-4, drops=(0.8,), drop=0.1),
    "fusformer": Published(l1, size=64, batch=3, learning_rate=1e-3, drops=(0.2, 0.4, 0.6, 0.8), drop=0.1),
}
