"""From a recipe to weights."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from hsrdiff.datasets import SPLITS, Dataset, FolderDataset, make_dataset
from hsrdiff.diffusion import linear_schedule
from hsrdiff.errors import InvalidValueError, RecipeError, WriteError, did_you_mean
from hsrdiff.networks import DENOISERS, ModelCard, NoiseRange, save_weights
from hsrdiff.observation import Observation
from hsrdiff.rng import derive_seed
from hsrdiff.threads import use_threads
from hsrdiff.training.checkpoints import CHECKPOINT, Progress, read_progress
from hsrdiff.training.journal import write_whole
from hsrdiff.training.loop import Task, Trainee, is_main_process, train_loop
from hsrdiff.training.patches import Patches
from hsrdiff.training.progressive import plan
from hsrdiff.training.recipe import DataSection, Recipe, load_recipe
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class TrainResult:
    """What a training run left behind.

    Attributes:
        weights: The weights file.
        steps_done: Optimiser steps taken over all sittings.
        finished: Whether the plan was completed.
        message: One or two sentences for the user, naming the stages not reached.
    """

    weights: Path
    steps_done: int
    finished: bool
    message: str


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


def run_recipe(
    name_or_path: PathLike,
    out: PathLike,
    *,
    data: PathLike | None = None,
    minutes: float | None = None,
    threads: int | None = None,
    progress: bool = True,
    overrides: dict[str, str] | None = None,
    stop_at: int | None = None,
) -> TrainResult:
    """Train what a recipe describes, resuming whatever `out` already holds.

    Args:
        name_or_path: Shipped recipe, or a TOML file.
        out: Folder for the checkpoint, the logs, the resolved recipe and the weights.
        data: Folder of the data, in place of HSRDIFF_DATA.
        minutes: Stop cleanly after this many minutes; the weights so far are written.
        threads: Processor threads; None leaves torch's choice.
        progress: Draw a progress bar.
        overrides: Dotted recipe keys to replace.
        stop_at: Stop cleanly after this many steps in all.

    Returns:
        The weights and how far the run came.

    Raises:
        RecipeError: If the recipe cannot be read, or its data section does not fit the data.
        InputError: If `threads` is below 1, or a scene holds invalid values.
        DatasetNotFoundError: If the data are missing.
        WeightsError: If `out` holds the checkpoint of another recipe or of other data.
        WriteError: If `out` cannot be written.
    """
    recipe = load_recipe(name_or_path, overrides)
    use_threads(threads)
    training = load_training_data(recipe.data, data)
    task = make_task(recipe, training)

    def save(path: Path, done: Progress) -> None:
        noise = NoiseRange(**recipe.diffusion.model_dump())
        card = make_card(recipe.name, training, task, done, seed=recipe.training.seed, diffusion=noise)
        save_weights(path, task.network, card)

    return carry_out(task, recipe, Path(out), save, minutes=minutes, stop_at=stop_at, progress=progress)


class NamedRecipe(Protocol):
    """What `carry_out` needs of a recipe."""

    @property
    def name(self) -> str:
        """Name of the weights."""

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """The whole recipe."""


def carry_out(
    task: Trainee,
    recipe: NamedRecipe,
    folder: Path,
    save: Callable[[Path, Progress], None],
    *,
    minutes: float | None = None,
    stop_at: int | None = None,
    progress: bool = True,
) -> TrainResult:
    """Train in a folder, going on from its checkpoint, and write the weights.

    Args:
        task: What is trained.
        recipe: Written beside the weights.
        folder: For checkpoint, logs, recipe and weights; made when missing.
        save: Writes the weights and their card.
        minutes: Stop cleanly after this many minutes.
        stop_at: Stop cleanly after this many steps in all.
        progress: Draw a progress bar.

    Returns:
        The weights and how far the run came.

    Raises:
        WeightsError: If the folder holds the checkpoint of another recipe or of other data.
        WriteError: If it cannot be written.
    """
    # Nothing is written before recipe, data and checkpoint have been accepted.
    if (folder / CHECKPOINT).exists():
        read_progress(folder / CHECKPOINT, task.digest)
    if is_main_process():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / "recipe.json", recipe.model_dump_json(indent=2))
        except OSError as e:
            raise WriteError(f"'{folder}' cannot be written ({e.strerror})", do="choose another folder") from e
    done = train_loop(task, folder, minutes=minutes, stop_at=stop_at, show=progress)
    weights = folder / f"{recipe.name}.safetensors"
    if is_main_process():
        save(weights, done)
    steps = task.options.steps
    missing = task.plan.missing(done.step)
    finished = done.step >= steps
    message = f"{done.step} of {steps} steps in {done.seconds / 60:.1f} minutes"
    if not finished:
        message += "; run the same command again to go on"
    if missing:
        message += f"; stages not reached: {', '.join(s.title for s in missing)}"
    return TrainResult(weights, done.step, finished, message)


def make_task(recipe: Recipe, training: TrainingData) -> Task:
    """Build network, patches, schedule and plan from a recipe and its data.

    Args:
        recipe: The recipe.
        training: From `load_training_data`.

    Returns:
        What `train_loop` needs.
    """
    options = recipe.training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(options.seed, "weights"))
        network = DENOISERS[recipe.network.kind].network(
            training.scenes[0].shape[0],
            training.observation.spectral.matrix.shape[0],
            recipe.network.config(),
        )
    patches = Patches(training.scenes, training.factor, options.seed, recipe.data.flips)
    patches.check(options.stages)
    schedule = linear_schedule(recipe.diffusion.steps, recipe.diffusion.start, recipe.diffusion.end)
    return Task(
        network,
        patches,
        training.observation,
        schedule,
        plan(options.stages, options.steps),
        options,
        f"{recipe.digest()}-{training.digest()}",
    )


def make_card(
    name: str,
    training: TrainingData,
    task: Trainee,
    done: Progress,
    *,
    seed: int,
    diffusion: NoiseRange | None = None,
) -> ModelCard:
    """Write down what weights were trained on.

    Args:
        name: Of the recipe and its weights.
        training: The data.
        task: The network and its plan.
        done: How far the run came.
        seed: Of the run.
        diffusion: Noise levels of the training, for a denoiser.

    Returns:
        The card.
    """
    bands, msi_bands = training.scenes[0].shape[0], training.observation.spectral.matrix.shape[0]
    parameters = sum(p.numel() for p in task.network.parameters())
    return ModelCard(
        name=name,
        bands=bands,
        msi_bands=msi_bands,
        wavelengths_nm=training.wavelengths_nm,
        factor=training.factor,
        peak=training.peak,
        sensor=training.sensor,
        dataset=training.title,
        recipe=name,
        diffusion=diffusion,
        seed=seed,
        steps=done.step,
        hours=round(done.seconds / 3600, 4),
        notes={
            "cpu_hours": f"{done.cpu_seconds / 3600:.4f}",
            "digest": done.digest,
            "parameters": f"{parameters}",
            "psf": training.observation.spatial.describe(),
            "torch": torch.__version__,
            "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        },
    )
