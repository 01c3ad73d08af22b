"""Recipes: TOML files that fix everything that decides a training result."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hsrdiff.errors import did_you_mean
from hsrdiff.networks import DENOISERS, PRESETS, CDFormerConfig
from hsrdiff.training.progressive import Stage
from hsrdiff.training.recipe_kind import RecipeKind, fitting

_Decay = Annotated[float, Field(ge=0, lt=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSection(_Section):
    """Which scenes, and how the pairs are made from them.

    Attributes:
        dataset: A name in `hsrdiff.datasets.DATASETS`; "folder" is one's own folder of cubes.
        split: Which of the data set's splits.
        scenes: Only these scenes; empty means all of the split.
        window: (row, column, height, width) in HR pixels cut from every scene, for experiments on a crop.
        factor: H / h, needed for a folder, else the data set's own when None.
        sensor: The MSI's sensor, needed for a folder, else the data set's own when None.
        peak: Cubes are divided by this; for a folder only, its largest training value when None.
        flips: Random flips and quarter turns of the patches.
    """

    dataset: str
    split: str = "train"
    scenes: tuple[str, ...] = ()
    window: tuple[int, int, int, int] | None = None
    factor: int | None = Field(None, ge=2)
    sensor: str | None = None
    peak: float | None = Field(None, gt=0)
    flips: bool = True


class NetworkSection(_Section):
    """The network: a preset, or every field of its configuration.

    Attributes:
        kind: A name in `hsrdiff.networks.DENOISERS`.
        preset: "paper", "small" or "tiny".
        embedding_scale: Scale of gamma in Eq. (7).
        custom: A whole configuration in place of the preset.
        shape: Keys of the configuration of a kind that has one of its own, such as "unet", and so no preset.
    """

    kind: str = "cdformer"
    preset: str = "paper"
    embedding_scale: float = Field(1.0, gt=0)
    custom: CDFormerConfig | None = None
    shape: dict[str, Any] | None = None

    @field_validator("kind")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value not in DENOISERS:
            raise ValueError(f"a known network; {did_you_mean(value, DENOISERS)}")
        return value

    @field_validator("preset")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in PRESETS:
            raise ValueError(f"unknown preset '{value}'; {did_you_mean(value, PRESETS)}")
        return value

    @model_validator(mode="after")
    def _one_shape(self) -> NetworkSection:
        shaped = {"preset", "embedding_scale", "custom"} & self.model_fields_set
        own = DENOISERS[self.kind].config
        if own is CDFormerConfig:
            if self.shape is not None:
                raise ValueError(f"no network.shape for the kind {self.kind}: its shape is a preset or network.custom")
        elif shaped:
            raise ValueError(f"no '{min(shaped)}' for the kind {self.kind}: its shape stands in network.shape")
        else:
            fitting(own, self.shape or {})
        return self

    def config(self) -> BaseModel:
        """Return the configuration this section describes, of the class that the kind takes."""
        own = DENOISERS[self.kind].config
        if own is not CDFormerConfig:
            return fitting(own, self.shape or {})
        if self.custom is not None:
            return self.custom
        return PRESETS[self.preset].model_copy(update={"embedding_scale": self.embedding_scale})


class DiffusionSection(_Section):
    """The training noise schedule (section 3.2.3).

    Attributes:
        steps: T.
        start: beta_1.
        end: beta_T.
    """

    steps: int = Field(2000, ge=1)
    start: float = Field(1e-6, gt=0, lt=1)
    end: float = Field(1e-2, gt=0, lt=1)


class TrainingSection(_Section):
    """The optimiser and the stages.

    Attributes:
        steps: Optimiser steps in all; they fix where the stages lie.
        learning_rate: Adam's step size.
        betas: Adam's moment decay rates.
        decay: "constant", or "cosine" to a hundredth at the last step.
        warmup: Steps over which the rate rises linearly from 0.
        clip: Largest gradient norm; 0 for none.
        seed: Decides weights, patches, noise levels and noise.
        precision: "no" (float32) or "bf16".
        checkpointing: Recompute each layer in the backward pass, to save memory.
        save_every: Steps between checkpoints.
        stages: Progressive learning.
    """

    steps: int = Field(ge=1)
    learning_rate: float = Field(1e-4, gt=0)
    betas: tuple[_Decay, _Decay] = (0.9, 0.999)
    decay: Literal["constant", "cosine"] = "constant"
    warmup: int = Field(0, ge=0)
    clip: float = Field(0.0, ge=0)
    seed: int = 0
    precision: Literal["no", "bf16"] = "no"
    checkpointing: bool = False
    save_every: int = Field(200, ge=1)
    stages: tuple[Stage, ...]

    @field_validator("stages")
    @classmethod
    def _some(cls, value: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if not value:
            raise ValueError("at least one stage is needed")
        return value


class Recipe(_Section):
    """A whole recipe.

    Attributes:
        name: Short name of letters, digits, ".", "_" and "-"; becomes the weights' name.
        summary: One sentence: what it trains, how long, what to expect.
        data: Scenes and pairs.
        network: Which denoiser, and its shape.
        diffusion: Noise schedule.
        training: Optimiser and stages.
    """

    name: str
    summary: str = ""
    data: DataSection
    network: NetworkSection = NetworkSection()
    diffusion: DiffusionSection = DiffusionSection()
    training: TrainingSection

    @field_validator("name")
    @classmethod
    def _file_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
            raise ValueError("a name of letters, digits, '.', '_' and '-' that begins with a letter or digit")
        return value

    @model_validator(mode="after")
    def _order(self) -> Recipe:
        if self.diffusion.end < self.diffusion.start:
            raise ValueError("diffusion.end must not be below diffusion.start")
        return self

    def digest(self) -> str:
        """Return a hash of all that decides the result, to tell whether a checkpoint belongs to this recipe."""
        decisive = self.model_dump(mode="json", exclude={"summary": True, "training": {"save_every"}})
        network = decisive["network"]
        shape = network.pop("shape")
        if self.network.kind == "cdformer":  # checkpoints from before there were other kinds go on
            del network["kind"]
        else:  # and those from when only the U-Net had a shape of its own, written out with its defaults
            network["unet"] = None if shape is None else self.network.config().model_dump(mode="json")
        return hashlib.sha256(repr(decisive).encode()).hexdigest()[:16]


KIND = RecipeKind(("", "ablations"), None, Recipe)
shipped_recipes, load_recipe = KIND.shipped, KIND.load
