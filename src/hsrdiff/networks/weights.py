"""Weights of a denoiser in and out, with the model card that says what they were trained on."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict

from hsrdiff.networks.denoiser import Denoiser
from hsrdiff.networks.denoisers import DENOISERS
from hsrdiff.networks.store import kind_of, load_tensors, read_description, save_module, shipped_files
from hsrdiff.typing import PathLike

# The last number changes whenever the same tensors would mean another function.
FORMATS = {kind: f"hsrdiff-{kind}-1" for kind in DENOISERS}
_USUAL = "cdformer"


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
        msi_wavelengths_nm: Centres of the b bands as the B bands see them; None on cards written before they were kept.
        msi_widths_nm: Their widths, likewise.
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
    msi_wavelengths_nm: list[float] | None = None
    msi_widths_nm: list[float] | None = None
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


def denoiser_of(path: PathLike) -> str | None:
    """Return the kind of denoiser that a weights file holds, or None where it holds none.

    Args:
        path: A path, or the name of weights shipped with the package.

    Returns:
        A name in `DENOISERS`.
    """
    kinds = {format_: kind for kind, format_ in FORMATS.items()}
    return kinds.get(kind_of(shipped_files().get(str(path), Path(path))))


def save_weights(path: PathLike, network: Denoiser, card: ModelCard) -> Path:
    """Write a network's weights, configuration and card to one safetensors file, all or nothing.

    Args:
        path: Target; its folder must exist.
        network: A network of `DENOISERS`.
        card: What it was trained on.

    Returns:
        The path written.

    Raises:
        WriteError: If the file cannot be written.
    """
    kind = next(kind for kind, entry in DENOISERS.items() if entry.network is type(network))
    return save_module(path, network, network.config, card, FORMATS[kind])


def read_card(path: PathLike) -> tuple[BaseModel, ModelCard]:
    """Read configuration and card of a weights file without its tensors.

    Args:
        path: A safetensors file written by `save_weights`, or the name of weights shipped with the package.

    Returns:
        The network's configuration and the card.

    Raises:
        WeightsError: If the file is missing, truncated, or not ours.
    """
    return _describe(path, denoiser_of(path) or _USUAL)[1:]


def load_network(
    path: PathLike, *, device: torch.device | str = "cpu", kind: str | None = None
) -> tuple[Denoiser, ModelCard]:
    """Build the network a weights file describes and load its weights.

    Args:
        path: A path, or the name of weights shipped with the package.
        device: Where the network goes.
        kind: A name in `DENOISERS` that the file must hold; any when None.

    Returns:
        The network in evaluation mode, float32, and its card.

    Raises:
        WeightsError: If the file is missing, truncated, not ours, or its tensors do not fit its own description.
    """
    kind = kind or denoiser_of(path) or _USUAL
    source, config, card = _describe(path, kind)
    with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten: leave the caller's draws alone
        network = DENOISERS[kind].network(card.bands, card.msi_bands, config).to(device)
    shape = ", ".join(f"{key} {value}" for key, value in config.model_dump().items())
    load_tensors(source, network, f"{card.bands} + {card.msi_bands} bands, {shape}", device)
    return network.eval(), card


def _describe(path: PathLike, kind: str) -> tuple[Path, BaseModel, ModelCard]:
    entry = DENOISERS[kind]
    return read_description(path, FORMATS[kind], entry.summary, entry.config, ModelCard)
