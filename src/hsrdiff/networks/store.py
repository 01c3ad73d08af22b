"""Trained modules in and out: safetensors with configuration and card in the header. No pickle is read or written."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TypeVar

import safetensors
import torch
from pydantic import BaseModel, ValidationError
from safetensors.torch import load_file, save_file
from torch import nn

from hsrdiff.errors import WeightsError, WriteError
from hsrdiff.typing import PathLike

_Config = TypeVar("_Config", bound=BaseModel)
_Card = TypeVar("_Card", bound=BaseModel)
_FOLDER = Path(__file__).parent.parent / "weights"
_TIMES = {"hours", "cpu_hours"}  # keys of cards and of their notes


def shipped_files(room: str = "") -> dict[str, Path]:
    """Return the weights that come with the package, by name.

    Args:
        room: Folder under the package's weights; the networks' own when empty.

    Returns:
        Name -> file.
    """
    return {p.stem: p for p in sorted((_FOLDER / room).glob("*.safetensors"))}


def shipped_digest() -> str:
    """Return a hash of all weights that come with the package, so that no kept result outlives a change of them.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in sorted(_FOLDER.rglob("*.safetensors")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def weights_digest(path: PathLike, room: str = "") -> str:
    """Return a hash of one weights file.

    Args:
        path: A path, or the name of weights shipped with the package.
        room: Folder of the shipped weights.

    Returns:
        16 hexadecimal digits.

    Raises:
        WeightsError: If the file cannot be read.
    """
    source = shipped_files(room).get(str(path), Path(path))
    try:
        return hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    except OSError as e:
        raise WeightsError(
            f"the weights '{path}' could not be read ({e.strerror})",
            expected="a safetensors file written by hsrdiff",
            do=f"give a path, or one of the shipped names: {', '.join(shipped_files(room)) or 'none'}",
        ) from e


def content_digest(path: PathLike) -> str:
    """Return a hash of what weights do: tensors, configuration and card, but for the time that the training took.

    The same training gives the same digest, though its file is another: the library writes its header in any order, and
    a run that is started again when it is finished writes the file anew.

    Args:
        path: A safetensors file written by hsrdiff.

    Returns:
        16 hexadecimal digits.

    Raises:
        WeightsError: If the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            texts = dict(file.metadata() or {})
            card = json.loads(texts.pop("card", "{}"))
            for part in (card, card.get("notes", {})):
                for time in _TIMES & part.keys():
                    del part[time]
            digest.update(json.dumps([sorted(texts.items()), card], sort_keys=True).encode())
            for name in sorted(file.keys()):
                tensor = file.get_tensor(name).contiguous()
                digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
                digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    except (OSError, ValueError, safetensors.SafetensorError) as e:
        raise _unreadable(path, e) from e
    return digest.hexdigest()[:16]


def training_minutes(path: PathLike) -> float | None:
    """Return the processor minutes that the training of weights took, as their card has it.

    Args:
        path: A safetensors file written by hsrdiff.

    Returns:
        Minutes; None where the card does not say.

    Raises:
        WeightsError: If the file cannot be read.
    """
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            card = json.loads((file.metadata() or {}).get("card", "{}"))
    except (OSError, ValueError, safetensors.SafetensorError) as e:
        raise _unreadable(path, e) from e
    hours = card.get("cpu_hours", card.get("notes", {}).get("cpu_hours"))
    return None if hours is None else 60 * float(hours)


def save_module(path: PathLike, module: nn.Module, config: BaseModel, card: BaseModel, kind: str) -> Path:
    """Write a module's tensors, configuration and card to one safetensors file, all or nothing.

    Args:
        path: Target; its folder must exist.
        module: The module.
        config: What it is built from.
        card: What it was trained on.
        kind: Name of the format, which changes whenever the same tensors would mean another function.

    Returns:
        The path written.

    Raises:
        WriteError: If the file cannot be written.
    """
    target = Path(path)
    tensors = {k: v.detach().float().cpu().contiguous() for k, v in module.state_dict().items()}
    metadata = {"format": kind, "config": config.model_dump_json(), "card": card.model_dump_json()}
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


def kind_of(path: PathLike) -> str:
    """Return the format that a weights file names in its header.

    Args:
        path: A safetensors file.

    Returns:
        The format, empty where the file cannot be read or names none.
    """
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            return str((file.metadata() or {}).get("format", ""))
    except (OSError, safetensors.SafetensorError):
        return ""


def read_description(
    path: PathLike, kind: str, called: str, config: type[_Config], card: type[_Card], room: str = ""
) -> tuple[Path, _Config, _Card]:
    """Read configuration and card of a weights file without its tensors.

    Args:
        path: A path, or the name of weights shipped with the package.
        kind: The format it must have.
        called: What has this format, in words.
        config: Class of the configuration.
        card: Class of the card.
        room: Folder of the shipped weights.

    Returns:
        The file, its configuration and its card.

    Raises:
        WeightsError: If the file is missing, truncated, or not ours.
    """
    shipped = shipped_files(room)
    source = shipped.get(str(path), Path(path))
    try:
        with safetensors.safe_open(str(source), framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as e:
        raise WeightsError(
            f"'{path}' could not be read as weights ({_why_not(source, e)})",
            expected="a safetensors file written by hsrdiff",
            do=f"give a path, or one of the shipped names: {', '.join(shipped) or 'none'}",
        ) from e
    if metadata.get("format", kind) != kind:
        raise WeightsError(
            f"'{path}' holds weights of the format '{metadata['format']}'",
            expected=f"'{kind}', {called}",
            do="give such weights; if these should be, another version of hsrdiff wrote them: train again",
        )
    try:
        return (
            source,
            config.model_validate_json(metadata["config"]),
            card.model_validate_json(metadata["card"]),
        )
    except (KeyError, ValidationError) as e:
        raise WeightsError(
            f"'{path}' carries no readable hsrdiff model card",
            expected="a safetensors file written by hsrdiff",
            do="get the file again, or train again",
        ) from e


def load_tensors(source: Path, module: nn.Module, described: str, device: torch.device | str = "cpu") -> None:
    """Fill a module with a file's tensors.

    Args:
        source: The file.
        module: Changed in place.
        described: The file's own description in words, for the message.
        device: Where the tensors go.

    Raises:
        WeightsError: If the tensors do not fit the module.
    """
    try:
        module.load_state_dict(load_file(str(source), device=str(device)))
    except (RuntimeError, safetensors.SafetensorError) as e:
        raise WeightsError(
            f"the tensors in '{source}' do not fit its own description ({described})",
            do="get the file again, or, where the network's code was changed, train again",
        ) from e


def _unreadable(path: PathLike, error: Exception) -> WeightsError:
    return WeightsError(
        f"the weights '{path}' could not be read ({error})",
        expected="a safetensors file written by hsrdiff",
        do="remove it, so that it is trained again",
    )


def _why_not(source: Path, error: Exception) -> str:
    """Say why a file holds no weights; one that may run code when it is read is named as such, and never read."""
    if not source.is_file():
        return "there is no such file"
    with source.open("rb") as file:
        begin = file.read(2)
    if begin in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return "it looks like a pickle or an archive of one, as torch.save writes it, which is never opened"
    return str(error)
