"""Progressive learning (section 3.4) as a pure function of the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from pydantic import BaseModel, ConfigDict, Field


class Stage(BaseModel):
    """One stage of progressive learning.

    Attributes:
        size: Side of the training patches in HR pixels; 0 means whole images.
        batch: Patches per step and process.
        share: Share of all steps, relative to the other stages.
        second_half_only: Train only layers N/2+1..N and the reconstruction, as the paper does on whole images.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(ge=0)
    batch: int = Field(4, ge=1)
    share: float = Field(1.0, gt=0)
    second_half_only: bool = False

    @property
    def title(self) -> str:
        """What the stage trains on, in words."""
        return f"{self.size}x{self.size} patches" if self.size else "whole images"


@dataclass(frozen=True)
class Plan:
    """Where each stage begins and ends.

    Attributes:
        stages: In order.
        ends: Step after the last one of each stage; the last entry is the total.
    """

    stages: tuple[Stage, ...]
    ends: tuple[int, ...]

    def index(self, step: int) -> int:
        """Return the stage that `step` (from 0) belongs to."""
        for i, end in enumerate(self.ends):
            if step < end:
                return i
        return len(self.stages) - 1

    def at(self, step: int) -> Stage:
        """Return the stage at `step`: nothing but the step decides it."""
        return self.stages[self.index(step)]

    def missing(self, step: int) -> tuple[Stage, ...]:
        """Return the stages that a run stopped before `step` has not begun."""
        starts = (0, *self.ends[:-1])
        return tuple(s for s, start in zip(self.stages, starts, strict=True) if start >= step)


def plan(stages: Sequence[Stage], steps: int) -> Plan:
    """Divide `steps` among the stages by their shares.

    Args:
        stages: At least one.
        steps: Total number of optimiser steps.

    Returns:
        The plan; its last end is `steps`.
    """
    # P15: sizes between the first and the last, and when they change, are not in the text: shares are the recipe's.
    total = sum(s.share for s in stages)
    ends = [round(steps * part / total) for part in accumulate(s.share for s in stages)]
    ends[-1] = steps
    return Plan(tuple(stages), tuple(ends))
