"""What a data set is, and where its files are looked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import xarray as xr

from hsrdiff.errors import DatasetNotFoundError, InputError, did_you_mean
from hsrdiff.observation import Observation
from hsrdiff.typing import FloatArray, PathLike

ENVIRONMENT_VARIABLE = "HSRDIFF_DATA"
SPLITS = ("train", "fit", "validation", "test")


class Dataset(Protocol):
    """Scenes with known HR-HSI Z, their split, and the observation of Eq. (1) that belongs to them.

    The splits are ``train`` and ``test``, which share no pixel; choices are made by learning on ``fit`` and
    looking at ``validation``, the two parts of ``train``. A data set may have nothing to train on.

    Attributes:
        name: Name in the catalog.
        citation: Who published the data.
        factor: Resolution ratio H / h of the protocol.
        peak: Value, in the units of the cubes a user fuses, that `load` maps to 1.
    """

    @property
    def name(self) -> str:
        """Name in the catalog."""

    @property
    def citation(self) -> str:
        """Who published the data."""

    @property
    def factor(self) -> int:
        """Resolution ratio H / h of the protocol."""

    @property
    def peak(self) -> float:
        """Value, in the units of the cubes a user fuses, that `load` maps to 1."""

    def scenes(self, split: str) -> tuple[str, ...]:
        """Return the names of the scenes of one split, always the same and in the same order.

        Args:
            split: One of `SPLITS`.

        Returns:
            Names that `load` takes.

        Raises:
            InputError: For an unknown split.
        """

    def load(self, scene: str) -> xr.DataArray:
        """Read the HR-HSI Z of one scene.

        Args:
            scene: A name from `scenes`.

        Returns:
            A cube (band, y, x), float32, 0..1, invalid pixels NaN.

        Raises:
            DatasetNotFoundError: If its files are not there.
            InputError: For an unknown scene.
        """

    def observation(self, wavelengths_nm: FloatArray | None = None) -> Observation:
        """Return Eq. (1) as this data set's protocol has it.

        Args:
            wavelengths_nm: Band centres (B,) in nm of the cubes; the data set's own where it knows them.

        Returns:
            R and D.
        """


def data_root(explicit: PathLike | None = None, *, holds: str = "", origin: str = "") -> Path:
    """Find the folder that holds all data sets.

    Args:
        explicit: The folder, when the user named one; otherwise the environment variable HSRDIFF_DATA.
        holds: What is looked for in it, for the message when there is no such folder.
        origin: Where that comes from, likewise.

    Returns:
        An existing folder.

    Raises:
        DatasetNotFoundError: If neither names an existing folder.
    """
    given = explicit if explicit is not None else os.environ.get(ENVIRONMENT_VARIABLE)
    inside = f"and in it {holds}" if holds else "one sub-folder each (such as cave/)"
    expected = f"the folder that holds the data sets, {inside}"
    come = f"; the files come from {origin}" if origin else ""
    if not given:
        raise DatasetNotFoundError(
            f"the environment variable {ENVIRONMENT_VARIABLE} is not set and no data folder was given",
            expected=expected,
            do=f"name it with --data, or export {ENVIRONMENT_VARIABLE}=/path/to/data{come}",
        )
    root = Path(given).expanduser()
    if not root.is_dir():
        raise DatasetNotFoundError(
            f"the data folder '{root}' does not exist",
            expected=expected,
            do=f"name it with --data, or set {ENVIRONMENT_VARIABLE}{come}",
        )
    return root


def require_split(split: str) -> str:
    """Return `split` when it is one of `SPLITS`.

    Args:
        split: What the user wrote.

    Returns:
        The same text.

    Raises:
        InputError: For any other text.
    """
    if split not in SPLITS:
        raise InputError(f"unknown split '{split}'", do=did_you_mean(split, SPLITS))
    return split


def require_scene(scene: str, known: Sequence[str], dataset: str) -> str:
    """Return `scene` when the data set has one of that name.

    Args:
        scene: What the user wrote.
        known: The names that exist.
        dataset: Name of the data set, for the message.

    Returns:
        The same text.

    Raises:
        InputError: For any other text.
    """
    if scene not in known:
        raise InputError(f"the data set '{dataset}' has no scene '{scene}'", do=did_you_mean(scene, known))
    return scene
