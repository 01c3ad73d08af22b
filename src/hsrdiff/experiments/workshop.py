"""Where an experiment trains the weights that it needs, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hsrdiff.networks.store import weights_digest
from hsrdiff.training.kinds import runner_of
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class Trained:
    """Weights and what tells them from others.

    Attributes:
        path: The weights file.
        digest: Hash of its content.
    """

    path: Path
    digest: str


@dataclass(frozen=True)
class Workshop:
    """A folder with one training run in each sub-folder.

    Attributes:
        folder: Made when missing.
        data: Folder of the data sets; HSRDIFF_DATA when None.
        threads: Processor threads; None leaves torch's choice.
        minutes: Each training stops cleanly after so many minutes; None for the recipe's own number of steps.
    """

    folder: Path
    data: PathLike | None = None
    threads: int | None = None
    minutes: float | None = None

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
        kept = run / f"{recipe}.safetensors"
        # a run that the clock ended is not gone on with: its budget is used
        if self.minutes is None or not kept.exists():
            run.mkdir(parents=True, exist_ok=True)
            kept = runner_of(recipe)(
                recipe,
                run,
                data=self.data,
                minutes=self.minutes,
                threads=self.threads,
                overrides=None if overrides is None else dict(overrides),
            ).weights
        return Trained(kept, weights_digest(kept))
