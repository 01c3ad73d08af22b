"""From a recipe to a trained competitor, by the loop that trains HSR-Diff, on the same patches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from hsrdiff.networks.competitors import COMPETITORS, Competitor, save_competitor
from hsrdiff.observation import Observation
from hsrdiff.rng import derive_seed
from hsrdiff.threads import use_threads
from hsrdiff.training.checkpoints import Progress
from hsrdiff.training.competitors.loss import CompetitorLoss
from hsrdiff.training.competitors.published import PUBLISHED
from hsrdiff.training.competitors.recipe import CompetitorRecipe, CompetitorTraining, load_competitor_recipe
from hsrdiff.training.data import TrainingData, load_training_data
from hsrdiff.training.patches import Patches
from hsrdiff.training.progressive import Plan, Stage, plan
from hsrdiff.training.run import TrainResult, carry_out, make_card
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class CompetitorTask:
    """What is trained on what.

    Attributes:
        name: The competitor.
        network: Trained in place.
        patches: Where the truths come from.
        observation: R and D of the training pairs.
        plan: One stage: patches of one size.
        options: Optimiser and seed.
        digest: Hash of the recipe and the data, kept in checkpoints.
    """

    name: str
    network: Competitor
    patches: Patches
    observation: Observation
    plan: Plan
    options: CompetitorTraining
    digest: str

    def begin(self) -> None:
        """Nothing is asked of the network."""

    def rate(self, step: int) -> float:
        """Return Adam's step size at `step`, from 0."""
        return self.options.rate(step)

    def freeze(self, stage: Stage) -> list[nn.Parameter]:
        """Return all parameters: every stage trains them."""
        return list(self.network.parameters())

    def loss(self, step: int, stage: Stage, process: int, device: torch.device) -> CompetitorLoss:
        """Return the method's loss on the patches of a step.

        Args:
            step: From 0.
            stage: Gives size and number of the patches.
            process: Rank of this process.
            device: Where the network is.

        Returns:
            Its terms.
        """
        Z = self.patches.batch(step, stage, process).to(device)
        # P60: pairs are made by the recipe's own R and D, the same for every method.
        X, Y = self.observation.observe(Z)
        return PUBLISHED[self.name].compare(self.network, X, Y, Z)


def run_competitor_recipe(
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
    """Train a competitor as a recipe says, resuming whatever `out` already holds.

    Arguments and result are those of `run_recipe`.

    Raises:
        HsrdiffError: As `run_recipe` says.
        FactorError: If the method cannot be built for the factor of the data.
    """
    recipe = load_competitor_recipe(name_or_path, overrides)
    use_threads(threads)
    training = load_training_data(recipe.data, data)
    task = make_competitor_task(recipe, training)

    def save(path: Path, done: Progress) -> None:
        card = make_card(recipe.name, training, task, done, seed=recipe.training.seed)
        save_competitor(path, task.name, task.network, card)

    return carry_out(task, recipe, Path(out), save, minutes=minutes, stop_at=stop_at, progress=progress)


def make_competitor_task(recipe: CompetitorRecipe, training: TrainingData) -> CompetitorTask:
    """Build network, patches and plan from a recipe and its data.

    Args:
        recipe: The recipe.
        training: From `load_training_data`.

    Returns:
        What `train_loop` needs.

    Raises:
        RecipeError: If the patches do not fit the scenes.
        FactorError: If the method cannot be built for the factor of the data.
    """
    options, observation = recipe.training, training.observation
    stages = (Stage(size=options.size, batch=options.batch),)
    patches = Patches(training.scenes, training.factor, options.seed, recipe.data.flips)
    patches.check(stages)
    bands, msi_bands = training.scenes[0].shape[0], observation.spectral.matrix.shape[0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(options.seed, "weights"))
        entry = COMPETITORS[recipe.competitor.name]
        network = entry.build(bands, msi_bands, training.factor, recipe.competitor.shape())
    network.prepare([(observation.spectral.apply(Z[None]), Z[None]) for Z in training.scenes])
    digest = f"{recipe.digest()}-{training.digest()}"
    return CompetitorTask(
        recipe.competitor.name, network, patches, observation, plan(stages, options.steps), options, digest
    )
