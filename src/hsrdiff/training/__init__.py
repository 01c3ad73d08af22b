"""Training: Eq. (8), progressive learning, recipes, the one loop, checkpoints."""

from hsrdiff.training.loss import Loss, loss_eq8
from hsrdiff.training.progressive import Plan, Stage, plan
from hsrdiff.training.recipe import Recipe, load_recipe, shipped_recipes
from hsrdiff.training.run import TrainResult, run_recipe

__all__ = [
    "Loss",
    "Plan",
    "Recipe",
    "Stage",
    "TrainResult",
    "load_recipe",
    "loss_eq8",
    "plan",
    "run_recipe",
    "shipped_recipes",
]
