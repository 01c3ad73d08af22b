"""`train`: a recipe in, weights out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hsrdiff.jobs.images import check_folder
from hsrdiff.training import TrainResult, run_recipe
from hsrdiff.training.competitors import is_competitor_recipe, run_competitor_recipe
from hsrdiff.training.kriging import is_kernel_recipe, run_kernel_recipe
from hsrdiff.training.residual import is_residual_recipe, run_residual_recipe
from hsrdiff.typing import PathLike


def train(
    recipe: PathLike,
    *,
    out: PathLike,
    data: PathLike | None = None,
    minutes: float | None = None,
    threads: int | None = None,
    overrides: Mapping[str, str] | None = None,
    progress: bool = True,
) -> TrainResult:
    """Train what a recipe describes, going on where an earlier run in the same folder stopped.

    Args:
        recipe: Name of a shipped recipe, or the path of a TOML file.
        out: Folder for the checkpoint, the logs, the resolved recipe and the weights; made when missing, in a folder
            that exists.
        data: Folder of the data, in place of HSRDIFF_DATA, or of one's own scenes.
        minutes: Stop cleanly after this many minutes.
        threads: Processor threads; None leaves torch's choice.
        overrides: Dotted recipe keys and what replaces their values.
        progress: Draw a progress bar.

    Returns:
        The weights and how far the run came.

    Raises:
        RecipeError: The recipe is unknown or has an unknown key.
        DatasetNotFoundError: Its data are missing.
        WriteError: The folder cannot be written.
    """
    check_folder(Path(out).absolute().parent)
    run = run_recipe
    if is_kernel_recipe(recipe):
        run = run_kernel_recipe
    elif is_residual_recipe(recipe):
        run = run_residual_recipe
    elif is_competitor_recipe(recipe):
        run = run_competitor_recipe
    return run(
        recipe,
        out,
        data=data,
        minutes=minutes,
        threads=threads,
        progress=progress,
        overrides=None if overrides is None else dict(overrides),
    )
