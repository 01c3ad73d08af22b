"""Training of learned competitors."""

from hsrdiff.training.competitors.recipe import (
    CompetitorRecipe,
    is_competitor_recipe,
    load_competitor_recipe,
    shipped_competitor_recipes,
)
from hsrdiff.training.competitors.run import run_competitor_recipe

__all__ = [
    "CompetitorRecipe",
    "is_competitor_recipe",
    "load_competitor_recipe",
    "run_competitor_recipe",
    "shipped_competitor_recipes",
]
