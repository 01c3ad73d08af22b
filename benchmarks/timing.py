"""Two ways of doing the same thing, timed in turn so that a drifting machine touches both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """How two ways compare.

    Attributes:
        title: What was compared.
        slow_s: Median seconds of the first way.
        fast_s: Median seconds of the second way.
        low: Smallest ratio of a pair of runs.
        high: Largest ratio of a pair of runs.
    """

    title: str
    slow_s: float
    fast_s: float
    low: float
    high: float

    @property
    def ratio(self) -> float:
        """Median of the first way over the median of the second."""
        return self.slow_s / self.fast_s


def compare(title: str, slow: Callable[[], object], fast: Callable[[], object], *, rounds: int = 5) -> Ratio:
    """Run both ways in turn, after one warm-up each."""
    slow(), fast()
    pairs = []
    for _ in range(rounds):
        times = []
        for way in (slow, fast):
            begin = time.perf_counter()
            way()
            times.append(time.perf_counter() - begin)
        pairs.append(times)
    ratios = [a / b for a, b in pairs]
    return Ratio(
        title,
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        min(ratios),
        max(ratios),
    )
