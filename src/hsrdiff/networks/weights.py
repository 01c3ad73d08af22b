"""Weights of a CDFormer in and out, with the model card that says what they were trained on."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict

from hsrdiff.networks.cdformer import CDFormer, CDFormerConfig
from hsrdiff.networks.store import load_tensors, read_description, save_module, shipped_files
from hsrdiff.typing import PathLike

# Changes whenever the same tensors would mean another function.
FORMAT = "hsrdiff-cdformer-1"
_CALLED = "a CDFormer of the paper's mode"


class NoiseRange(BaseModel):
    """The noise schedule of a training: 1 - alpha grows linearly (section 3.2.3).

    Attributes:
        steps: T.
        start: 1 - alpha_1.
        end: 1 - alpha_T.
    """

    model_config = ConfigDict(extra="forbid")

    steps: int
    start: float
    end: float


class ModelCard(BaseModel):
    """What a set of weights was trained on, and how.

    Attributes:
        name: Name of the weights.
        bands: B.
        msi_bands: b.
        wavelengths_nm: Centres of the B bands, if known.
        factor: H / h of the training pairs.
        peak: Value of the files' cubes that means 1 to the network.
        sensor: The MSI's sensor.
        dataset: Data set and split.
        recipe: Recipe name.
        diffusion: Noise levels of the training; None on cards written before they were kept.
        seed: Seed of the run.
        steps: Optimiser steps taken.
        hours: Wall-clock hours.
        notes: Anything else, such as machine and scores.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    bands: int
    msi_bands: int
    wavelengths_nm: list[float] | None = None
    factor: int = 0
    peak: float = 1.0
    sensor: str = ""
    dataset: str = ""
    recipe: str = ""
    diffusion: NoiseRange | None = None
    seed: int = 0
    steps: int = 0
    hours: float = 0.0
    notes: dict[str, str] = {}


def shipped_weights() -> dict[str, Path]:
    """Return the weights that come with the package, by name."""
    return shipped_files()


def save_weights(path: PathLike, network: CDFormer, card: ModelCard) -> Path:
    """Write a network's weights, configuration and card to one safetensors file, all or nothing.

    Args:
        path: Target; its folder must exist.
        network: The network.
        card: What it was trained on.

    Returns:
        The path written.

    Raises:
        WriteError: If the file cannot be written.
    """
    return save_module(path, network, network.config, card, FORMAT)


def read_card(path: PathLike) -> tuple[CDFormerConfig, ModelCard]:
    """Read configuration and card of a weights file without its tensors.

    Args:
        path: A safetensors file written by `save_weights`, or the name of weights shipped with the package.

    Returns:
        The network's configuration and the card.

    Raises:
        WeightsError: If the file is missing, truncated, or not ours.
    """
    return read_description(path, FORMAT, _CALLED, CDFormerConfig, ModelCard)[1:]


def load_network(path: PathLike, *, device: torch.device | str = "cpu") -> tuple[CDFormer, ModelCard]:
    """Build the network a weights file describes and load its weights.

    Args:
        path: A path, or the name of weights shipped with the package.
        device: Where the network goes.

    Returns:
        The network in evaluation mode, float32, and its card.

    Raises:
        WeightsError: If the file is missing, truncated, not ours, or its tensors do not fit its own description.
    """
    source, config, card = read_description(path, FORMAT, _CALLED, CDFormerConfig, ModelCard)
    with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten: leave the caller's draws alone
        network = CDFormer(card.bands, card.msi_bands, config).to(device)
    described = f"{card.bands} + {card.msi_bands} bands, {config.channels} channels, {config.layers} layers"
    load_tensors(source, network, described, device)
    return network.eval(), card
