"""A residual denoiser with the coordinates it was trained in, in and out of a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from hsrdiff.errors import WeightsError
from hsrdiff.fusers.residual.condition import channel_count
from hsrdiff.fusers.residual.coordinates import Coordinates
from hsrdiff.fusers.residual.parts import NETWORKS, USUAL, Parts
from hsrdiff.networks.residual_cdformer import ResidualConfig
from hsrdiff.networks.store import load_tensors, read_description, save_module, shipped_files
from hsrdiff.typing import PathLike

# Changes whenever the same tensors would mean another function.
FORMAT = "hsrdiff-residual-1"
SAME_RESPONSE = 0.05  # apart that a response may be from the trained one without a word
# shipped for choices that are made on scenes their training left out; used only where they are named
FOR_CHOICES = frozenset({"cave-x32-residual-16"})
_ROOM = "residual"
_CALLED = "a residual denoiser"


class ResidualModelConfig(BaseModel):
    """What a residual model is built from.

    Attributes:
        basis: "sensors" for coordinates and spectra of one pair of sensors, "scene" for those of each scene itself,
            which serve any.
        bands: B of the pair of sensors; 0 for any.
        msi_bands: b of the pair of sensors; 0 for any.
        parts: What it works with.
        network: Widths and depths.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    basis: Literal["sensors", "scene"]
    bands: int = Field(0, ge=0)
    msi_bands: int = Field(0, ge=0)
    parts: Parts = USUAL
    network: ResidualConfig

    @classmethod
    def of(
        cls,
        basis: Literal["sensors", "scene"],
        bands: int,
        msi_bands: int,
        *,
        parts: Parts = USUAL,
        **network: object,
    ) -> ResidualModelConfig:
        """Count the channels of the condition and build the configuration.

        Args:
            basis: As above.
            bands: B.
            msi_bands: b.
            parts: As above.
            **network: Fields of ResidualConfig but the conditions.

        Returns:
            The configuration.
        """
        own = basis == "sensors"
        coordinates = int(str(network.get("coordinates", ResidualConfig.model_fields["coordinates"].default)))
        conditions = channel_count(coordinates, bands if own else 0, noise=not own)
        counted = {"conditions": conditions, "optics": 2 * bands if own else 0}
        shape = ResidualConfig.model_validate(network | counted)
        own_bands, own_msi = (bands, msi_bands) if own else (0, 0)
        return cls(basis=basis, bands=own_bands, msi_bands=own_msi, parts=parts, network=shape)


class ResidualCard(BaseModel):
    """What a residual model was trained on, and how.

    Attributes:
        name: Name of the weights.
        data: Data sets and splits, in words.
        base: The base whose residual was learnt.
        wavelengths_nm: Centres of the B bands, where it is for one pair of sensors and they are known.
        guide: Names of the b bands, likewise.
        response: R of the pair of sensors, b rows of B weights.
        factors: Factors of the training pairs.
        recipe: Recipe name.
        seed: Seed of the run.
        steps: Optimiser steps taken.
        cpu_hours: Processor hours of the training, without the bases.
        notes: Anything else, such as machine and versions.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    data: str = ""
    base: str = ""
    wavelengths_nm: list[float] | None = None
    guide: list[str] = []
    response: list[list[float]] = []
    factors: list[int] = []
    recipe: str = ""
    seed: int = 0
    steps: int = 0
    cpu_hours: float = 0.0
    notes: dict[str, str] = {}


class ResidualModel(nn.Module):
    """Network and, for one pair of sensors, its coordinates.

    Args:
        config: What it is built from.
    """

    into: torch.Tensor
    out_of: torch.Tensor
    weights: torch.Tensor

    def __init__(self, config: ResidualModelConfig) -> None:
        super().__init__()
        self.config = config
        self.network = NETWORKS[config.parts.embedding](config.network)
        count = config.network.coordinates
        self.register_buffer("into", torch.zeros(count, config.bands))
        self.register_buffer("out_of", torch.zeros(config.bands, count))
        self.register_buffer("weights", torch.zeros(count))

    @property
    def reads_spectrum(self) -> bool:
        """Whether the condition holds the base's spectrum."""
        return self.config.basis == "sensors"

    @property
    def reads_noise(self) -> bool:
        """Whether the condition holds the noise of the images: that of networks for any sensors, but for the first."""
        shape = self.config.network
        return shape.conditions > channel_count(shape.coordinates, self.config.bands)

    def fix(self, coordinates: Coordinates) -> None:
        """Keep the coordinates of a pair of sensors with the weights.

        Args:
            coordinates: Of the B bands.
        """
        for name in ("into", "out_of", "weights"):
            getattr(self, name).copy_(getattr(coordinates, name))

    def coordinates(self, covariance: torch.Tensor, R: torch.Tensor) -> Coordinates:
        """Return the coordinates to work in: the model's own, or those of a scene.

        Where the result is to stay consistent they lie within what the scene's guide does not see.

        Args:
            covariance: Of the base's errors on the scene, shape (B, B).
            R: Spectral response.

        Returns:
            The coordinates.
        """
        if self.config.basis == "scene":
            found = Coordinates.of(covariance, R, self.config.network.coordinates, upright=True)
        else:
            found = Coordinates(self.into.double(), self.out_of.double(), self.weights.double())
        return found.within(R) if self.config.parts.diffused == "unseen" else found


def shipped_residuals() -> dict[str, Path]:
    """Return the residual models that come with the package, by name."""
    return shipped_files(_ROOM)


def save_residual(path: PathLike, model: ResidualModel, card: ResidualCard) -> Path:
    """Write a model, its configuration and its card to one safetensors file, all or nothing.

    Args:
        path: Target; its folder must exist.
        model: The model.
        card: What it was trained on.

    Returns:
        The path written.

    Raises:
        WriteError: If the file cannot be written.
    """
    return save_module(path, model, model.config, card, FORMAT)


def read_residual(path: PathLike) -> tuple[ResidualModelConfig, ResidualCard]:
    """Read configuration and card of a file without its tensors.

    Args:
        path: A path, or the name of shipped weights.

    Returns:
        Both.

    Raises:
        WeightsError: If the file is missing, truncated or not ours.
    """
    return read_description(path, FORMAT, _CALLED, ResidualModelConfig, ResidualCard, _ROOM)[1:]


def load_residual(path: PathLike, *, device: torch.device | str = "cpu") -> tuple[ResidualModel, ResidualCard]:
    """Build the model that a weights file describes and load its weights.

    Args:
        path: A path, or the name of a model shipped with the package.
        device: Where the model goes.

    Returns:
        The model in evaluation mode, and its card.

    Raises:
        WeightsError: If the file is missing, truncated, not ours, or its tensors do not fit its own description.
    """
    source, config, card = read_description(path, FORMAT, _CALLED, ResidualModelConfig, ResidualCard, _ROOM)
    with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten
        model = ResidualModel(config).to(device)
    shape = config.network
    load_tensors(source, model, f"{shape.channels} channels, {shape.layers} layers", device)
    return model.requires_grad_(False).eval(), card


def check_bands(config: ResidualModelConfig, bands: int, msi_bands: int, name: str) -> None:
    """Raise where a model of one pair of sensors meets another number of bands.

    Args:
        config: The model's.
        bands: B of the scene.
        msi_bands: b of the scene.
        name: The weights in words.

    Raises:
        WeightsError: The band counts differ.
    """
    if config.basis == "sensors" and (config.bands, config.msi_bands) != (bands, msi_bands):
        raise WeightsError(
            f"the weights '{name}' are for {config.bands} hyperspectral and {config.msi_bands} multispectral bands, "
            f"the images have {bands} and {msi_bands}",
            expected="the same band counts",
            do="use weights for these sensors or for any, or a method without a network, such as kriging-learned",
        )


def response_apart(card: ResidualCard, R: torch.Tensor) -> float:
    """Return how far a scene's response is from that of a model's pair of sensors.

    Args:
        card: The model's.
        R: Spectral response of the scene, shape (b, B).

    Returns:
        Root mean square of the difference over that of R; infinite where the shapes differ, 0 where the card has none.
    """
    if not card.response:
        return 0.0
    trained = torch.tensor(card.response, dtype=torch.float64)
    if trained.shape != R.shape:
        return math.inf
    return float((trained - R.double()).square().mean().sqrt() / R.double().square().mean().sqrt())


def fitting_residual(R: torch.Tensor, factor: int) -> str | None:
    """Return the shipped weights that were trained for a pair of sensors, or else those for any.

    Args:
        R: Spectral response, shape (b, B).
        factor: H / h.

    Returns:
        Their name, or None where none are shipped that fit.
    """
    found = None
    for name in shipped_residuals():
        if name in FOR_CHOICES:
            continue
        config, card = read_residual(name)
        if config.basis == "scene":
            found = found or name
        elif factor in card.factors and response_apart(card, R) < SAME_RESPONSE:
            return name
    return found
