"""Recipes of learned competitors: which network, on what data, trained as published unless told otherwise."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from hsrdiff.errors import did_you_mean
from hsrdiff.networks.competitors import COMPETITORS, CompetitorConfig
from hsrdiff.training.competitors.published import PUBLISHED
from hsrdiff.training.recipe import DataSection
from hsrdiff.training.recipe_kind import RecipeKind, fitting

_FILLED = ("size", "batch", "learning_rate", "drops", "drop")
_Decay = Annotated[float, Field(ge=0, lt=1)]
_Share = Annotated[float, Field(gt=0, lt=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CompetitorSection(_Section):
    """Which network.

    Attributes:
        name: A name in `hsrdiff.networks.competitors.COMPETITORS`.
        config: Keys of that network's configuration; those left out are as published.
    """

    name: str
    config: dict[str, Any] = {}

    @field_validator("name")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in COMPETITORS:
            raise ValueError(f"a known method; {did_you_mean(value, COMPETITORS)}")
        return value

    @field_validator("config")
    @classmethod
    def _fits(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        entry = COMPETITORS.get(str(info.data.get("name")))
        if entry is None:
            return value
        return fitting(entry.config, value).model_dump()

    def shape(self) -> CompetitorConfig:
        """Return the network's configuration."""
        return COMPETITORS[self.name].config.model_validate(self.config)


class CompetitorTraining(_Section):
    """The optimiser (Adam) and the patches. What has no default here is the method's published value.

    Attributes:
        steps: Optimiser steps in all.
        size: Side of a patch in HR pixels, a multiple of the factor; 0 for whole images.
        batch: Patches of a step and process.
        learning_rate: Adam's first step size.
        drops: Shares of all steps at which the rate is multiplied by `drop`.
        drop: The factor.
        betas: Adam's moment decay rates.
        warmup: Steps over which the rate rises linearly from 0.
        clip: Largest gradient norm; 0 for none.
        seed: Decides weights and patches.
        precision: "no" (float32) or "bf16".
        save_every: Steps between checkpoints.
    """

    steps: int = Field(ge=1)
    size: int = Field(ge=0)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    drops: tuple[_Share, ...]
    drop: float = Field(gt=0, le=1)
    betas: tuple[_Decay, _Decay] = (0.9, 0.999)
    warmup: int = Field(0, ge=0)
    clip: float = Field(0.0, ge=0)
    seed: int = 0
    precision: Literal["no", "bf16"] = "no"
    save_every: int = Field(200, ge=1)

    def rate(self, step: int) -> float:
        """Return Adam's step size at `step`, from 0: warm-up, then a fall at each drop."""
        passed = sum(step >= share * self.steps for share in self.drops)
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return self.learning_rate * self.drop**passed * rise


class CompetitorRecipe(_Section):
    """A whole recipe.

    Attributes:
        name: Short name; becomes the weights' name.
        summary: One sentence.
        competitor: Which network.
        data: Scenes and pairs, as in the paper's mode.
        training: Optimiser and patches.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    summary: str = ""
    competitor: CompetitorSection
    data: DataSection
    training: CompetitorTraining

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, content: Any) -> Any:
        """Fill what the recipe leaves open with the method's published values."""
        try:
            published = PUBLISHED[content["competitor"]["name"]]
            training = {key: getattr(published, key) for key in _FILLED} | content["training"]
        except (KeyError, TypeError):
            return content  # the fields' own checks say what is wrong
        return content | {"training": training}

    def digest(self) -> str:
        """Return a hash of all that decides the result, to tell whether a checkpoint belongs to this recipe."""
        decisive = self.model_dump(mode="json", exclude={"summary": True, "training": {"save_every"}})
        return hashlib.sha256(repr(decisive).encode()).hexdigest()[:16]


KIND = RecipeKind(("competitors",), "competitor", CompetitorRecipe)
shipped_competitor_recipes, is_competitor_recipe, load_competitor_recipe = KIND.shipped, KIND.holds, KIND.load
