"""Weights of a learned competitor in and out, with the model card that says what they were trained on."""

from __future__ import annotations

from pathlib import Path

import torch

from hsrdiff.networks.competitors.base import Competitor
from hsrdiff.networks.competitors.catalog import COMPETITORS
from hsrdiff.networks.store import kind_of, load_tensors, read_description, save_module
from hsrdiff.networks.weights import ModelCard
from hsrdiff.typing import PathLike

# The last number changes whenever the same tensors would mean another function.
FORMATS = {name: f"hsrdiff-{name}-1" for name in COMPETITORS}


def competitor_of(path: PathLike) -> str | None:
    """Return the name of the competitor that a weights file holds, or None where it holds none."""
    names = {format_: name for name, format_ in FORMATS.items()}
    return names.get(kind_of(path))


def save_competitor(path: PathLike, name: str, network: Competitor, card: ModelCard) -> Path:
    """Write a competitor's weights, configuration and card to one safetensors file, all or nothing.

    Args:
        path: Target; its folder must exist.
        name: Its name in `COMPETITORS`.
        network: The network.
        card: What it was trained on.

    Returns:
        The path written.

    Raises:
        WriteError: If the file cannot be written.
    """
    return save_module(path, network, network.config, card, FORMATS[name])


def load_competitor(path: PathLike, name: str, *, device: torch.device | str = "cpu") -> tuple[Competitor, ModelCard]:
    """Build the network a weights file describes and load its weights.

    Args:
        path: A safetensors file written by `save_competitor`.
        name: The competitor it must hold.
        device: Where the network goes.

    Returns:
        The network in evaluation mode, float32, and its card.

    Raises:
        WeightsError: If the file is missing, truncated, holds another network, or its tensors do not fit.
    """
    entry = COMPETITORS[name]
    source, config, card = read_description(path, FORMATS[name], f"weights of {name}", entry.config, ModelCard)
    with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten: leave the caller's draws alone
        network = entry.build(card.bands, card.msi_bands, card.factor, config).to(device)
    load_tensors(source, network, f"{card.bands} + {card.msi_bands} bands, factor {card.factor}", device)
    return network.eval(), card
