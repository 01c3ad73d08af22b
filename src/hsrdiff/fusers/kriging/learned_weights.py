"""Weights of a learned kernel in and out, with the card that says what they were trained on."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict

from hsrdiff.fusers.kriging.learned_kernel import LearnedKernel, LearnedKernelConfig
from hsrdiff.networks.store import load_tensors, read_description, save_module, shipped_files
from hsrdiff.typing import PathLike

# Changes whenever the same tensors would mean another function.
FORMAT = "hsrdiff-kriging-1"
SHIPPED = "kriging-learned"
_ROOM = "kriging"
_CALLED = "a learned kernel"


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
    return shipped_files(_ROOM)


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
    return save_module(path, kernel, kernel.config, card, FORMAT)


def load_kernel(path: PathLike) -> tuple[LearnedKernel, KernelCard]:
    """Build the kernel that a weights file describes and load its weights.

    Args:
        path: A path, or the name of a kernel shipped with the package.

    Returns:
        The kernel, float32, without gradients, and its card.

    Raises:
        WeightsError: If the file is missing, truncated, not ours, or its tensors do not fit its own description.
    """
    source, config, card = read_description(path, FORMAT, _CALLED, LearnedKernelConfig, KernelCard, _ROOM)
    with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten
        kernel = LearnedKernel(config)
    load_tensors(source, kernel, f"{config.terms} terms, {config.embedding} learnt coordinates")
    return kernel.requires_grad_(False).eval(), card
