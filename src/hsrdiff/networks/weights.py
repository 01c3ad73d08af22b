"""Weights in and out: safetensors with the model card in the header. No pickle is read or written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import safetensors
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file, save_file

from hsrdiff.errors import WeightsError, WriteError
from hsrdiff.networks.cdformer import CDFormer, CDFormerConfig
from hsrdiff.typing import PathLike

# Changes whenever the same tensors would mean another function.
FORMAT = "hsrdiff-cdformer-1"


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
    folder = Path(__file__).parent.parent / "weights"
    return {p.stem: p for p in sorted(folder.glob("*.safetensors"))}


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
    target = Path(path)
    tensors = {k: v.detach().float().cpu().contiguous() for k, v in network.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "config": network.config.model_dump_json(),
        "card": card.model_dump_json(),
    }
    try:
        save_tensors(target, tensors, metadata)
    except (OSError, safetensors.SafetensorError) as e:
        raise WriteError(
            f"weights could not be written to '{target}' ({e})", do="check the folder and the free space"
        ) from e
    return target


def save_tensors(target: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file, all or nothing.

    Args:
        target: The file; its folder must exist.
        tensors: Contiguous tensors by name.
        metadata: Texts for the header.

    Raises:
        OSError: If the system refuses.
        SafetensorError: If the library does.
    """
    part = target.with_name(target.name + ".part")
    try:
        part.touch()
        mode = part.stat().st_mode
        save_file(tensors, str(part), metadata=metadata)
        part.chmod(mode)  # the library makes files that only their owner may read
        os.replace(part, target)
    finally:  # after Ctrl-C too
        part.unlink(missing_ok=True)


def read_card(path: PathLike) -> tuple[CDFormerConfig, ModelCard]:
    """Read configuration and card of a weights file without its tensors.

    Args:
        path: A safetensors file written by `save_weights`.

    Returns:
        The network's configuration and the card.

    Raises:
        WeightsError: If the file is missing, truncated, or not ours.
    """
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as e:
        raise WeightsError(
            f"'{path}' could not be read as weights ({e})",
            expected="a safetensors file written by hsrdiff",
            do=f"give a path, or one of the shipped names: {', '.join(shipped_weights()) or 'none'}",
        ) from e
    if metadata.get("format", FORMAT) != FORMAT:
        raise WeightsError(
            f"'{path}' holds weights of the format '{metadata['format']}'",
            expected=f"'{FORMAT}', which this version computes",
            do="use the version of hsrdiff that wrote it, or train again",
        )
    try:
        config = CDFormerConfig.model_validate_json(metadata["config"])
        card = ModelCard.model_validate_json(metadata["card"])
    except (KeyError, ValidationError, json.JSONDecodeError) as e:
        raise WeightsError(
            f"'{path}' carries no readable hsrdiff model card",
            expected="a safetensors file written by hsrdiff",
            do="train again or convert it with hsrdiff.networks.save_weights",
        ) from e
    return config, card


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
    source = shipped_weights().get(str(path), Path(path))
    config, card = read_card(source)
    with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten: leave the caller's draws alone
        network = CDFormer(card.bands, card.msi_bands, config).to(device)
    try:
        tensors = load_file(str(source), device=str(device))
        network.load_state_dict(tensors)
    except (RuntimeError, safetensors.SafetensorError) as e:
        raise WeightsError(
            f"the tensors in '{source}' do not fit its own description ({card.bands} + {card.msi_bands} bands, "
            f"{config.channels} channels, {config.layers} layers)",
            do="get the file again",
        ) from e
    return network.eval(), card
