"""What is trained on: truths, and the observation that makes pairs of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import torch

from hsrdiff.datasets import SPLITS, Dataset, FolderDataset, make_dataset
from hsrdiff.errors import InvalidValueError, RecipeError, did_you_mean
from hsrdiff.observation import Observation
from hsrdiff.training.recipe import DataSection
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class TrainingData:
    """Truths and the observation that makes pairs from them.

    Attributes:
        scenes: Z of each scene, shape (B, H, W), float32, values about 0..1.
        observation: R and D.
        factor: H / h.
        wavelengths_nm: Band centres, if known.
        peak: What the cubes were divided by.
        sensor: The MSI's sensor in words.
        title: Data set and split in words.
        names: Name of each scene.
    """

    scenes: tuple[torch.Tensor, ...]
    observation: Observation
    factor: int
    wavelengths_nm: list[float] | None
    peak: float
    sensor: str
    title: str
    names: tuple[str, ...]

    def digest(self) -> str:
        """Return a hash of bands, scale, scenes and R, to tell whether a checkpoint was trained on these data."""
        decisive = {
            "factor": self.factor,
            "peak": self.peak,
            "scenes": [[name, *Z.shape] for name, Z in zip(self.names, self.scenes, strict=True)],
            # rounded, so that another machine's last digit is not another sensor
            "response": [[round(weight, 6) for weight in row] for row in self.observation.spectral.matrix.tolist()],
        }
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def load_training_data(section: DataSection, data: PathLike | None = None) -> TrainingData:
    """Load the scenes a recipe names.

    Args:
        section: The recipe's [data].
        data: Folder of the data, in place of HSRDIFF_DATA.

    Returns:
        Scenes and observation.

    Raises:
        RecipeError: If the split is empty, a scene name is unknown or the window lies outside a scene.
        InvalidValueError: If a scene holds NaN or infinite values.
        DatasetNotFoundError: If the files are missing.
    """
    dataset = _dataset(section, data)
    known = dataset.scenes(section.split)
    for name in section.scenes:
        if name not in known:
            raise RecipeError(
                f"'{name}' is not a scene of {dataset.name}'s split '{section.split}'",
                do=did_you_mean(name, known),
            )
    scenes, wavelengths = [], None
    names = section.scenes or known
    if not names:
        full = [split for split in SPLITS if dataset.scenes(split)]
        raise RecipeError(
            f"{dataset.name}'s split '{section.split}' has no scenes",
            expected=f"a split that has some: {', '.join(full)}",
            do="change data.split",
        )
    for name in names:
        cube = dataset.load(name)
        if wavelengths is None and "wavelength" in cube.coords:
            wavelengths = np.asarray(cube["wavelength"].values, dtype=np.float64)
        Z = np.asarray(cube.values, dtype=np.float32)
        if section.window is not None:
            row, column, height, width = section.window
            Z = Z[:, row : row + height, column : column + width]
            if Z.shape[1:] != (height, width):
                raise RecipeError(
                    f"data.window {section.window} leaves the scene '{name}' of {cube.shape[1]}x{cube.shape[2]}",
                    do="choose a window inside it",
                )
        invalid = ~np.isfinite(Z).all(axis=0)
        if invalid.any():
            raise InvalidValueError(
                f"the scene '{name}' has NaN or infinite values in {100 * invalid.mean():.2g} % of its pixels",
                expected="numbers everywhere, since training would learn from whatever stood in for them",
                do="crop the scene or fill them, or cut a valid part with data.window",
            )
        scenes.append(torch.from_numpy(np.ascontiguousarray(Z)))
    observation = dataset.observation(wavelengths)
    return TrainingData(
        scenes=tuple(scenes),
        observation=observation,
        factor=observation.spatial.factor,
        wavelengths_nm=None if wavelengths is None else [float(w) for w in wavelengths],
        peak=dataset.peak,
        sensor=section.sensor or ", ".join(observation.spectral.band_names),
        title=f"{dataset.name}, split {section.split}, {len(scenes)} scenes",
        names=tuple(names),
    )


def _dataset(section: DataSection, data: PathLike | None) -> Dataset:
    """Build the recipe's data set; "folder" stands for the folder given as `data`, so that no recipe holds a path."""
    if section.dataset != "folder":
        return make_dataset(section.dataset, data=data, factor=section.factor, sensor=section.sensor, peak=section.peak)
    if data is None:
        raise RecipeError(
            "the recipe trains on a folder of one's own, and no folder was given",
            do="name it with --data",
        )
    if section.factor is None or section.sensor is None:
        lacking = "data.factor" if section.factor is None else "data.sensor"
        raise RecipeError(
            f"the recipe trains on a folder of one's own and lacks {lacking}",
            expected="the factor and the sensor of the guide to simulate",
            do="give both, such as factor = 4 and sensor = 'sentinel2'",
        )
    return FolderDataset(data, factor=section.factor, sensor=section.sensor, peak=section.peak)
