"""Where an experiment trains the weights that it needs, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hsrdiff.errors import InputError, WriteError, did_you_mean
from hsrdiff.networks.store import content_digest, training_minutes
from hsrdiff.training.kinds import runner_of
from hsrdiff.training.residual import is_residual_recipe
from hsrdiff.typing import PathLike

_Choice = TypeVar("_Choice")


@dataclass(frozen=True)
class Trained:
    """Weights and what tells them from others.

    Attributes:
        path: The weights file.
        digest: Hash of its content.
        minutes: Processor minutes that the training took, where its card says so.
    """

    path: Path
    digest: str
    minutes: float | None = None


@dataclass(frozen=True)
class Workshop:
    """A folder with one training run in each sub-folder, and what the user asked of the trainings.

    Attributes:
        folder: Made when missing.
        data: Folder of the data sets; HSRDIFF_DATA when None.
        threads: Processor threads; None leaves torch's choice.
        dataset: Which of an experiment's data sets; its first when None.
        budget: Processor minutes meant for each training, which takes as large a part of its recipe's steps; all of
            them when None.
        share_pairs: Whether runs of residual mode keep their prepared pairs in one place: seeds, and variants that
            differ in the network alone, have the same.
    """

    folder: Path
    data: PathLike | None = None
    threads: int | None = None
    dataset: str | None = None
    budget: float | None = None
    share_pairs: bool = False

    def weights(self, recipe: str, label: str = "", overrides: Mapping[str, str] | None = None) -> Trained:
        """Train what a recipe describes, or go on where an earlier run stopped; nothing is trained twice.

        Args:
            recipe: Name of a shipped recipe.
            label: Name of the run; the recipe's own when empty.
            overrides: Dotted recipe keys and what replaces their values.

        Returns:
            The weights.

        Raises:
            RecipeError: If the recipe is unknown or an override does not fit.
            DatasetNotFoundError: If the data are missing.
            WriteError: If the folder cannot be written.
        """
        run = self.folder / (label or recipe)
        try:
            run.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise WriteError(f"'{run}' cannot be used ({e.strerror})", do="choose another folder") from e
        given = None if overrides is None else dict(overrides)
        shared = {"pairs": self.folder / "pairs"} if self.share_pairs and is_residual_recipe(recipe) else {}
        train = runner_of(recipe)
        path = train(recipe, run, data=self.data, threads=self.threads, overrides=given, **shared).weights
        return Trained(path, content_digest(path), training_minutes(path))

    def choose(self, known: Mapping[str, _Choice]) -> _Choice:
        """Return what belongs to the data set that was asked for.

        Args:
            known: Data set -> anything; the first is the default.

        Returns:
            What belongs to it.

        Raises:
            InputError: If the experiment knows no such data set.
        """
        name = self.dataset or next(iter(known))
        if name not in known:
            raise InputError(f"the experiment does not know the data set '{name}'", do=did_you_mean(name, known))
        return known[name]
