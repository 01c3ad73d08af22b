"""Recipes of learned kernels: which scenes, sensors and factors, and for how long."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hsrdiff.fusers.kriging.learned_kernel import LearnedKernelConfig
from hsrdiff.training.recipe_kind import RecipeKind


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KernelData(_Section):
    """Scenes of one family.

    Attributes:
        dataset: A name in `hsrdiff.datasets.DATASETS`.
        split: Which of its splits.
        factors: Ratios to draw from.
        share: Of the steps, relative to the other families.
        own_guide: Share of this family's steps with the data set's own guide; the others draw a random one.
    """

    dataset: str
    split: str = "train"
    factors: tuple[int, ...] = (4,)
    share: float = Field(1.0, gt=0)
    own_guide: float = Field(0.0, ge=0, le=1)

    @field_validator("factors")
    @classmethod
    def _whole(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 2:
            raise ValueError("at least one factor, each at least 2")
        return value


class KernelTraining(_Section):
    """The optimiser and the size of the problems.

    Attributes:
        steps: Optimiser steps in all, one problem each.
        learning_rate: Adam's step size for lengths and weights.
        network_rate: Adam's step size for the networks of the embedding.
        side_lr: LR pixels along a side of a problem.
        pixels: Pixels drawn in each LR pixel.
        landmarks: Landmarks of a problem.
        clip: Largest gradient norm.
        seed: Decides weights and problems.
        save_every: Steps between checkpoints.
    """

    steps: int = Field(ge=1)
    learning_rate: float = Field(3e-2, gt=0)
    network_rate: float = Field(3e-3, gt=0)
    side_lr: int = Field(16, ge=2)
    pixels: int = Field(64, ge=2)
    landmarks: int = Field(192, ge=2)
    clip: float = Field(1.0, gt=0)
    seed: int = 0
    save_every: int = Field(50, ge=1)


class KernelRecipe(_Section):
    """A whole recipe.

    Attributes:
        name: Short name; becomes the weights' name.
        summary: One sentence.
        kernel: Shape of the kernel.
        data: The families.
        training: Optimiser and problems.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    summary: str = ""
    kernel: LearnedKernelConfig = LearnedKernelConfig()
    data: tuple[KernelData, ...] = Field(min_length=1)
    training: KernelTraining

    def digest(self) -> str:
        """Return a hash of all that decides the result, to tell whether a checkpoint belongs to this recipe."""
        decisive = self.model_dump(mode="json", exclude={"summary": True, "training": {"save_every"}})
        return hashlib.sha256(repr(decisive).encode()).hexdigest()[:16]


KIND = RecipeKind(("kriging",), "kernel", KernelRecipe)
shipped_kernel_recipes, is_kernel_recipe, load_kernel_recipe = KIND.shipped, KIND.holds, KIND.load
