"""Overlapping windows along an axis that fade into each other, so that what is made in windows has no seams."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Span:
    """One window along one axis, in LR pixels.

    Attributes:
        own: First pixel of its own part, and the one behind the last.
        window: The same of all that it reaches.
        margin: Pixels at each end that is not the image's end which count for nothing.
    """

    own: tuple[int, int]
    window: tuple[int, int]
    margin: int = 0

    def weights(self, factor: int) -> torch.Tensor:
        """Return what the window counts for in each of its HR pixels.

        Args:
            factor: HR pixels along an LR pixel.

        Returns:
            float64, 1 inside, falling linearly to 0 across the overlap on each side that has one.
        """
        first, last = self.window[0] + self.margin, self.window[1] - self.margin
        at = (
            self.window[0]
            + (torch.arange((self.window[1] - self.window[0]) * factor, dtype=torch.float64) + 0.5) / factor
        )
        weights = torch.ones_like(at)
        if self.own[0] > self.window[0]:
            weights = weights * ((at - first) / (2 * (self.own[0] - first))).clamp(0.0, 1.0)
        if self.own[1] < self.window[1]:
            weights = weights * ((last - at) / (2 * (last - self.own[1]))).clamp(0.0, 1.0)
        return weights


def spans(length: int, core: int, halo: int, margin: int = 0) -> list[Span]:
    """Cut an axis into windows of about equal parts, the same whatever the machine.

    Args:
        length: LR pixels along the axis.
        core: Of a window's own part, at most.
        halo: That it reaches beyond its own part and fades over.
        margin: That it reaches further still, counting for nothing.

    Returns:
        The windows in order; a single one where the axis is hardly longer than one.
    """
    reach = halo + margin
    count = 1 if length <= core + 2 * reach else -(-length // core)
    edges = [round(i * length / count) for i in range(count + 1)]
    return [Span((a, b), (max(0, a - reach), min(length, b + reach)), margin) for a, b in itertools.pairwise(edges)]
