"""`train`: a recipe in, weights out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hsrdiff.errors import InputError
from hsrdiff.jobs.output_files import check_new_folder
from hsrdiff.training import TrainResult
from hsrdiff.training.kinds import runner_of
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
        out: Folder for the checkpoint, the logs, the resolved recipe and the weights; made when missing.
        data: Folder of the data, in place of HSRDIFF_DATA, or of one's own scenes.
        minutes: Stop cleanly after this many minutes, at least 0; one step is made in any case.
        threads: Processor threads; None leaves torch's choice.
        overrides: Dotted recipe keys and what replaces their values.
        progress: Draw a progress bar.

    Returns:
        The weights and how far the run came.

    Raises:
        RecipeError: The recipe is unknown or has an unknown key.
        DatasetNotFoundError: Its data are missing.
        WriteError: The folder cannot be written.
        InputError: The minutes are no number of at least 0.
    """
    if minutes is not None and not minutes >= 0:
        raise InputError(
            f"{minutes:g} minutes", expected="a number of at least 0", do="change --minutes, or leave it out"
        )
    check_new_folder(Path(out))
    return runner_of(recipe)(
        recipe,
        out,
        data=data,
        minutes=minutes,
        threads=threads,
        progress=progress,
        overrides=None if overrides is None else dict(overrides),
    )
