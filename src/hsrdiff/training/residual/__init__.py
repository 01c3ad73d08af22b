"""Training of residual denoisers."""

from hsrdiff.training.residual.recipe import (
    ResidualRecipe,
    is_residual_recipe,
    load_residual_recipe,
    shipped_residual_recipes,
)
from hsrdiff.training.residual.run import run_residual_recipe

__all__ = [
    "ResidualRecipe",
    "is_residual_recipe",
    "load_residual_recipe",
    "run_residual_recipe",
    "shipped_residual_recipes",
]
