"""Weights of a learned kernel in and out: safetensors with their card in the header. No pickle is read or written."""

from __future__ import annotations

from pathlib import Path

import safetensors
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file

from hsrdiff.errors import WeightsError, WriteError
from hsrdiff.fusers.kriging.learned_kernel import LearnedKernel, LearnedKernelConfig
from hsrdiff.networks.weights import save_tensors
from hsrdiff.typing import PathLike

# Changes whenever the same tensors would mean another function.
FORMAT = "hsrdiff-kriging-1"
SHIPPED = "kriging-learned"


class KernelCard(BaseModel):
    """What a learned kernel was trained on, and how.

    Attributes:
        name: Name of the weights.
        data: Data sets and splits, in words.
        recipe: Recipe name.
        seed: Seed of the run.
        steps: Optimiser steps taken.
        cpu_hours: Processor hours.
        notes: Anything else, such as machine and versions.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    data: str = ""
    recipe: str = ""
    seed: int = 0
    steps: int = 0
    cpu_hours: float = 0.0
    notes: dict[str, str] = {}


def shipped_kernels() -> dict[str, Path]:
    """Return the learned kernels that come with the package, by name."""
    folder = Path(__file__).parents[2] / "weights" / "kriging"
    return {p.stem: p for p in sorted(folder.glob("*.safetensors"))}


def save_kernel(path: PathLike, kernel: LearnedKernel, card: KernelCard) -> Path:
    """Write a kernel, its configuration and its card to one safetensors file, all or nothing.

    Args:
        path: Target; its folder must exist.
        kernel: The kernel.
        card: What it was trained on.

    Returns:
        The path written.

    Raises:
        WriteError: If the file cannot be written.
    """
    target = Path(path)
    tensors = {k: v.detach().float().cpu().contiguous() for k, v in kernel.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "config": kernel.config.model_dump_json(),
        "card": card.model_dump_json(),
    }
    try:
        save_tensors(target, tensors, metadata)
    except (OSError, safetensors.SafetensorError) as e:
        raise WriteError(
            f"weights could not be written to '{target}' ({e})", do="check the folder and the free space"
        ) from e
    return target


def load_kernel(path: PathLike) -> tuple[LearnedKernel, KernelCard]:
    """Build the kernel that a weights file describes and load its weights.

    Args:
        path: A path, or the name of a kernel shipped with the package.

    Returns:
        The kernel, float32, without gradients, and its card.

    Raises:
        WeightsError: If the file is missing, truncated, not ours, or its tensors do not fit its own description.
    """
    shipped = shipped_kernels()
    source = shipped.get(str(path), Path(path))
    try:
        with safetensors.safe_open(str(source), framework="pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise WeightsError(
                f"'{path}' holds weights of the format '{metadata.get('format', 'unknown')}'",
                expected=f"'{FORMAT}', a learned kernel",
                do="give the weights of a learned kernel, or leave them out for the shipped ones",
            )
        config = LearnedKernelConfig.model_validate_json(metadata["config"])
        card = KernelCard.model_validate_json(metadata["card"])
        with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten
            kernel = LearnedKernel(config)
        kernel.load_state_dict(load_file(str(source)))
    except (OSError, safetensors.SafetensorError) as e:
        raise WeightsError(
            f"'{path}' could not be read as weights ({e})",
            expected="a safetensors file written by hsrdiff",
            do=f"give a path, or one of the shipped names: {', '.join(shipped) or 'none'}",
        ) from e
    except (KeyError, ValidationError, RuntimeError) as e:
        raise WeightsError(
            f"the tensors in '{path}' do not fit its own description, or it has none",
            expected="a learned kernel written by hsrdiff",
            do="get the file again, or train again",
        ) from e
    return kernel.requires_grad_(False).eval(), card
