"""Training patches: a pure function of seed, step and process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from hsrdiff.errors import RecipeError
from hsrdiff.rng import generator
from hsrdiff.training.progressive import Stage
from hsrdiff.typing import HRHSI


@dataclass(frozen=True)
class Patches:
    """Scenes to cut patches from.

    Attributes:
        scenes: Truths Z, each of shape (B, H, W), values about 0..1.
        factor: H / h; patches begin on multiples of it, so that blocks stay whole.
        seed: The run's seed.
        flips: Random flips and quarter turns.
    """

    scenes: Sequence[torch.Tensor]
    factor: int
    seed: int
    flips: bool = True

    def check(self, stages: Sequence[Stage]) -> None:
        """Raise if a stage's patches do not fit the scenes.

        Args:
            stages: The recipe's stages.

        Raises:
            RecipeError: If a size is no multiple of the factor, larger than a scene, or whole images differ in size.
        """
        smallest = min(min(z.shape[-2:]) for z in self.scenes)
        shapes = {self._whole(z) for z in self.scenes}
        for stage in stages:
            if stage.size % self.factor:
                raise RecipeError(
                    f"a stage has {stage.title} at factor {self.factor}",
                    expected="a multiple of the factor",
                    do=f"use {max(1, round(stage.size / self.factor)) * self.factor}",
                )
            if stage.size > smallest:
                raise RecipeError(
                    f"a stage has {stage.title}, but the smallest scene side is {smallest} pixels",
                    do="use a smaller size, or 0 for whole images",
                )
            if stage.size == 0 and stage.batch > 1 and len(shapes) > 1:
                raise RecipeError(
                    "a stage trains on whole images with a batch above 1, and the scenes differ in size",
                    do="set its batch to 1",
                )

    def batch(self, step: int, stage: Stage, process: int = 0) -> HRHSI:
        """Cut the patches of one step.

        Args:
            step: From 0.
            stage: Gives size and number.
            process: Rank of this process.

        Returns:
            Z, shape (n, B, size, size).
        """
        draw = generator(self.seed, "patches", step, process)

        def below(n: int) -> int:
            return int(torch.randint(n, (), generator=draw))

        out = []
        for _ in range(stage.batch):
            Z = self.scenes[below(len(self.scenes))]
            height, width = (stage.size, stage.size) if stage.size else self._whole(Z)
            row = self.factor * below((Z.shape[-2] - height) // self.factor + 1)
            column = self.factor * below((Z.shape[-1] - width) // self.factor + 1)
            patch = Z[:, row : row + height, column : column + width]
            if self.flips:
                patch = patch.flip(-1) if below(2) else patch
                patch = patch.flip(-2) if below(2) else patch
                patch = patch.transpose(-1, -2) if below(2) and height == width else patch
            out.append(patch)
        return torch.stack(out)

    def _whole(self, Z: torch.Tensor) -> tuple[int, int]:
        height, width = (side - side % self.factor for side in Z.shape[-2:])
        return height, width
