"""Which loop trains what a recipe describes: recipes of every kind behind one function."""

from __future__ import annotations

from collections.abc import Callable

from hsrdiff.training.competitors import is_competitor_recipe, run_competitor_recipe
from hsrdiff.training.kriging import is_kernel_recipe, run_kernel_recipe
from hsrdiff.training.recipe_file import FOLDER, read_toml
from hsrdiff.training.residual import is_residual_recipe, run_residual_recipe
from hsrdiff.training.run import TrainResult, run_recipe
from hsrdiff.typing import PathLike

# Tells whether a recipe is of a kind, and runs it; what is of none of them is of the paper's mode.
KINDS: tuple[tuple[Callable[[PathLike], bool], Callable[..., TrainResult]], ...] = (
    (is_kernel_recipe, run_kernel_recipe),
    (is_residual_recipe, run_residual_recipe),
    (is_competitor_recipe, run_competitor_recipe),
)


def runner_of(recipe: PathLike) -> Callable[..., TrainResult]:
    """Return what trains a recipe.

    Args:
        recipe: Name of a shipped recipe, or the path of a TOML file.

    Returns:
        A function with the arguments of `run_recipe`.
    """
    return next((run for is_kind, run in KINDS if is_kind(recipe)), run_recipe)


def steps_of(recipe: str) -> int:
    """Return the optimiser steps that a shipped recipe takes.

    Args:
        recipe: Its name.

    Returns:
        Steps, at least 1.

    Raises:
        RecipeError: If there is no such recipe.
    """
    found = next(FOLDER.rglob(f"{recipe}.toml"), FOLDER / f"{recipe}.toml")
    return int(read_toml(found, recipe, None)["training"]["steps"])
