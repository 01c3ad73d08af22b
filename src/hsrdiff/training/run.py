"""From a recipe to weights."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from hsrdiff.diffusion import linear_schedule
from hsrdiff.errors import WriteError
from hsrdiff.networks import DENOISERS, ModelCard, NoiseRange, save_weights
from hsrdiff.observation.band_places import BandPlaces
from hsrdiff.rng import derive_seed
from hsrdiff.threads import use_threads
from hsrdiff.training.checkpoints import CHECKPOINT, Progress, read_progress
from hsrdiff.training.data import TrainingData, load_training_data
from hsrdiff.training.journal import write_whole
from hsrdiff.training.loop import Task, Trainee, is_main_process, train_loop
from hsrdiff.training.patches import Patches
from hsrdiff.training.progressive import plan
from hsrdiff.training.recipe import Recipe, load_recipe
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
        read_progress(folder / CHECKPOINT, task.digest, recipe)
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
    places = None
    if training.wavelengths_nm is not None:
        places = BandPlaces.of(training.observation.spectral, np.asarray(training.wavelengths_nm))
    return ModelCard(
        name=name,
        bands=bands,
        msi_bands=msi_bands,
        wavelengths_nm=training.wavelengths_nm,
        msi_wavelengths_nm=None if places is None else places.centres_nm.round(2).tolist(),
        msi_widths_nm=None if places is None else places.widths_nm.round(2).tolist(),
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
