"""Training of the learned kernel of spectral kriging: small exact problems from many scenes and sensors."""

from hsrdiff.training.kriging.recipe import (
    KernelRecipe,
    is_kernel_recipe,
    load_kernel_recipe,
    shipped_kernel_recipes,
)
from hsrdiff.training.kriging.run import run_kernel_recipe

__all__ = [
    "KernelRecipe",
    "is_kernel_recipe",
    "load_kernel_recipe",
    "run_kernel_recipe",
    "shipped_kernel_recipes",
]
