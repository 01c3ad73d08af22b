"""Checkpoints: weights, Adam's state and the step in one safetensors file, written all or nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import safetensors
import torch
from safetensors.torch import load_file
from torch import nn

from hsrdiff.errors import WeightsError, WriteError
from hsrdiff.networks.store import save_tensors

CHECKPOINT = "checkpoint.safetensors"
_IDLE = ("summary", "training.save_every")  # keys of a recipe that decide nothing


class Dumped(Protocol):
    """A recipe of any kind."""

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """The whole recipe."""


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        step: Steps done.
        seconds: Wall-clock seconds so far, over all sittings.
        cpu_seconds: Processor seconds so far, over all sittings.
        digest: Hash of the recipe and of its data.
    """

    step: int
    seconds: float
    cpu_seconds: float
    digest: str


def save_checkpoint(path: Path, network: nn.Module, optimizer: torch.optim.Adam, progress: Progress) -> None:
    """Write everything a resumed run needs; patches and noise are functions of the step and need no state.

    Args:
        path: Target file.
        network: Its parameters.
        optimizer: Adam over ``network.parameters()`` in their order.
        progress: Step and times.

    Raises:
        WriteError: If the file cannot be written; an older checkpoint is left as it was.
    """
    tensors = {f"network.{k}": v.detach().contiguous() for k, v in network.state_dict().items()}
    names = {id(p): name for name, p in network.named_parameters()}
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            tensors[f"adam.{key}.{names[id(parameter)]}"] = torch.as_tensor(value).detach().contiguous()
    try:
        save_tensors(path, tensors, {"progress": json.dumps(asdict(progress))})
    except (OSError, safetensors.SafetensorError) as e:
        raise WriteError(
            f"checkpoint '{path}' could not be written ({e})", do="check the folder and the free space"
        ) from e


def read_progress(path: Path, digest: str, recipe: Dumped | None = None, otherwise: str = "other data") -> Progress:
    """Read how far a checkpoint is, without its tensors.

    Args:
        path: Written by `save_checkpoint`.
        digest: Hash of the recipe and the data that want to continue.
        recipe: The recipe, held against the ``recipe.json`` beside the checkpoint to say what differs.
        otherwise: What else decides the digest, in words.

    Returns:
        Where the run stood.

    Raises:
        WeightsError: If the file is truncated, or belongs to another recipe or to other data.
    """
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            progress = Progress(**json.loads((file.metadata() or {})["progress"]))
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as e:
        raise _unreadable(path, e) from e
    if progress.digest != digest:
        other = _first_difference(path.parent / "recipe.json", recipe, otherwise)
        raise WeightsError(
            f"checkpoint '{path}' belongs to {other or f'another recipe or to {otherwise}'}",
            do="choose another output folder, or delete the checkpoint to train from the start",
        )
    return progress


def _first_difference(kept: Path, recipe: Dumped | None, otherwise: str) -> str:
    """Say which key of a kept recipe is another, as words to follow "belongs to"; empty where that is not known."""
    if recipe is None:
        return ""
    try:
        before = _flat(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        return ""
    now = _flat(json.loads(recipe.model_dump_json()))
    for key in (k for k in now if k in before and k not in _IDLE and before[k] != now[k]):
        return f"another recipe: '{key}' was {json.dumps(before[key])} and is {json.dumps(now[key])}"
    return otherwise if before.keys() == now.keys() else ""


def _flat(content: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return flat


def load_checkpoint(path: Path, network: nn.Module, optimizer: torch.optim.Adam, digest: str) -> Progress:
    """Restore a run.

    Args:
        path: Written by `save_checkpoint`.
        network: Its parameters are overwritten.
        optimizer: Its state is overwritten.
        digest: Hash of the recipe and the data that want to continue.

    Returns:
        Where the run stood.

    Raises:
        WeightsError: If the file is truncated, belongs to another recipe or to other data, or does not fit the
            network.
    """
    progress = read_progress(path, digest)
    try:
        tensors = load_file(str(path))
        network.load_state_dict({k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")})
    except RuntimeError as e:
        raise WeightsError(
            f"checkpoint '{path}' does not fit the network",
            expected="tensors of the same names and sizes",
            do="choose another output folder, or delete the checkpoint to train from the start",
        ) from e
    except (OSError, ValueError, safetensors.SafetensorError) as e:
        raise _unreadable(path, e) from e
    for name, parameter in network.named_parameters():
        state = {
            key: tensors[f"adam.{key}.{name}"]
            for key in ("step", "exp_avg", "exp_avg_sq")
            if f"adam.{key}.{name}" in tensors
        }
        if state:
            optimizer.state[parameter] = {k: v if k == "step" else v.to(parameter.device) for k, v in state.items()}
    return progress


def _unreadable(path: Path, error: Exception) -> WeightsError:
    return WeightsError(f"checkpoint '{path}' could not be read ({error})", do="delete it to train from the start")
