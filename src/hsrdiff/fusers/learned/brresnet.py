"""BRResNet as a fuser."""

from __future__ import annotations

from hsrdiff.fusers.learned.competitor import CompetitorFuser


class BRResNetFuser(CompetitorFuser):
    """A residual network of bilateral activations (Jin et al., ACM MM 2021); see `networks.competitors.brresnet`."""

    name = "brresnet"
