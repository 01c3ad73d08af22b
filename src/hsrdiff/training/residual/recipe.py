"""Recipes of residual denoisers: which pairs of images, which network, for how long."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hsrdiff.fusers.kriging.learned_weights import SHIPPED
from hsrdiff.fusers.residual.condition import channel_count
from hsrdiff.fusers.residual.model import ResidualModelConfig
from hsrdiff.fusers.residual.parts import USUAL, Parts
from hsrdiff.training.recipe_kind import RecipeKind

MOST_SNR_DB = 100.0  # beyond it noise is less than the rounding of float32
MOST_MATERIALS = 100  # each has a map as large as the scene, in memory
# what later versions can say of data: left out of hashes where it is as before, so that runs and pairs go on
_NEWER: tuple[tuple[str, object], ...] = (("snr_db", None), ("materials", 0))


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResidualData(_Section):
    """Scenes of one family and the pairs that are made of them.

    Attributes:
        dataset: A name in `hsrdiff.datasets.DATASETS`.
        split: Which of its splits.
        scenes: Only these scenes; empty means all of the split.
        factors: Each scene makes pairs at each of them.
        variants: Pairs of each scene at each factor: the first is the whole scene, the others begin somewhere else on
            the coarse grid.
        snr_db: Least and largest signal-to-noise ratio of white noise, dB: all but the first variant have it in both
            images, each level even between the two, and told to the base; None for no noise.
        materials: Where above 0 the scenes are synthetic, mixtures of that many spectra of each by random maps.
        tint: From the third variant on spectra are multiplied by a random smooth curve over the bands, another light:
            the standard deviation of its natural logarithm.
        own_guide: Whether the pairs have the data set's own guide and PSF; else each has a random guide, and all but
            the first variant a random PSF.
        side: Pairs are cut to this many pixels along a side; None for whole scenes.
        share: How often each of its pairs is drawn, relative to those of other sections.
    """

    dataset: str
    split: str = "train"
    scenes: tuple[str, ...] = ()
    factors: tuple[int, ...] = (4,)
    variants: int = Field(1, ge=1)
    snr_db: tuple[float, float] | None = None
    materials: int = Field(0, ge=0, le=MOST_MATERIALS)
    tint: float = Field(0.0, ge=0)
    own_guide: bool = False
    side: int | None = Field(None, ge=8)
    share: float = Field(1.0, gt=0)

    @field_validator("factors")
    @classmethod
    def _whole(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 2:
            raise ValueError("at least one factor, each at least 2")
        return value

    @field_validator("snr_db")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not 0 <= value[0] <= value[1] <= MOST_SNR_DB:
            raise ValueError(f"two ratios from 0 to {MOST_SNR_DB:g} dB, the least first")
        return value

    @field_validator("materials")
    @classmethod
    def _several(cls, value: int) -> int:
        if value == 1:
            raise ValueError("at least 2, or 0 for the scenes as they are")
        return value


class ResidualNetwork(_Section):
    """The network, without what the data decide.

    Attributes:
        coordinates: r.
        channels: C.
        layers: N of each stream.
        heads: Of every attention.
        window: Side of a window in tokens.
        ffn_ratio: Hidden channels over C.
        patch: Side of a token in pixels.
    """

    coordinates: int = Field(8, ge=1)
    channels: int = Field(48, ge=2)
    layers: int = Field(3, ge=1)
    heads: int = Field(2, ge=1)
    window: int = Field(8, ge=2)
    ffn_ratio: float = Field(2.66, gt=0)
    patch: int = Field(2, ge=1)


class ResidualTraining(_Section):
    """The optimiser and the patches.

    Attributes:
        steps: Optimiser steps in all.
        batch: Patches of a step.
        size: Side of a patch in pixels; smaller where a scene is.
        learning_rate: AdamW's step size, falling as a half cosine after a short rise.
        weight_decay: AdamW's.
        regression: Share of the patches that are pure noise, where the denoiser is a regression; the others have a
            log signal-to-noise ratio that is even between the two bounds.
        least_log_snr: Lower bound.
        most_log_snr: Upper bound.
        clip: Largest gradient norm.
        seed: Decides weights, patches and noise.
        pairs_seed: Decides the pairs: guides, places on the grid, what the base draws.
        save_every: Steps between checkpoints.
    """

    steps: int = Field(ge=1)
    batch: int = Field(2, ge=1)
    size: int = Field(128, ge=8)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    regression: float = Field(0.5, ge=0, le=1)
    least_log_snr: float = -6.0
    most_log_snr: float = 5.0
    clip: float = Field(1.0, gt=0)
    seed: int = 0
    pairs_seed: int = 0
    save_every: int = Field(100, ge=1)


class ResidualRecipe(_Section):
    """A whole recipe.

    Attributes:
        name: Short name; becomes the weights' name.
        summary: One sentence.
        basis: "sensors" for coordinates and spectra of one pair of sensors, "scene" for those of each scene; "bands"
            for one pair of sensors and each band by itself, without a subspace.
        base: Weights of the base's learned kernel, a path or a shipped name.
        parts: What the denoiser works with; anything but the defaults is an ablation.
        network: Widths and depths.
        data: The families.
        training: Optimiser and patches.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    summary: str = ""
    basis: Literal["sensors", "scene", "bands"]
    base: str = SHIPPED
    parts: Parts = USUAL
    network: ResidualNetwork = ResidualNetwork()
    data: tuple[ResidualData, ...] = Field(min_length=1)
    training: ResidualTraining

    @model_validator(mode="after")
    def _parts_that_fit(self) -> ResidualRecipe:
        if self.parts.evidence != "kriging" and self.basis == "scene":
            raise ValueError("parts.evidence is 'kriging' for the basis 'scene', whose coordinates kriging finds")
        if self.parts.diffused == "image" and self.basis != "bands":
            raise ValueError("parts.diffused 'image' is for the basis 'bands': others leave a part of the image out")
        if self.parts.diffused == "image" and self.parts.embedding != "gamma":
            raise ValueError("parts.embedding is 'gamma' where the image is diffused: c is not what is noisy then")
        return self

    @property
    def knows_sensors(self) -> bool:
        """Whether the weights are for one pair of sensors, whose coordinates they carry."""
        return self.basis != "scene"

    def digest(self) -> str:
        """Return a hash of all that decides the result but the base, whose weights have a hash of their own."""
        decisive = self.model_dump(mode="json", exclude={"summary": True, "base": True, "training": {"save_every"}})
        if self.parts == USUAL:  # runs from before there were others go on
            del decisive["parts"]
        decisive["data"] = [_as_before(data) for data in decisive["data"]]
        if not self.knows_sensors:
            decisive["channels"] = channel_count(self.network.coordinates, noise=True)
        return hashlib.sha256(repr(decisive).encode()).hexdigest()[:16]

    def pairs_digest(self) -> str:
        """Return a hash of what decides each prepared pair, whatever their number."""
        data = [_as_before(d.model_dump(mode="json", exclude={"variants", "share"})) for d in self.data]
        decisive: list[object] = [self.basis, self.network.coordinates, data]
        if self.parts.evidence != USUAL.evidence or self.parts.diffused != USUAL.diffused:
            decisive += [self.parts.evidence, self.parts.diffused == USUAL.diffused]
        if not self.knows_sensors:
            decisive.append(channel_count(self.network.coordinates, noise=True))
        return hashlib.sha256(repr([decisive, self.training.pairs_seed]).encode()).hexdigest()[:16]

    def model(self, bands: int, msi_bands: int) -> ResidualModelConfig:
        """Return the model for the bands of the data.

        Args:
            bands: B.
            msi_bands: b.

        Returns:
            Its configuration.
        """
        basis: Literal["sensors", "scene"] = "sensors" if self.knows_sensors else "scene"
        return ResidualModelConfig.of(basis, bands, msi_bands, parts=self.parts, **self.network.model_dump())


def _as_before(data: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in data.items() if (key, value) not in _NEWER}


KIND = RecipeKind(("residual",), "basis", ResidualRecipe)
shipped_residual_recipes, is_residual_recipe, load_residual_recipe = KIND.shipped, KIND.holds, KIND.load
