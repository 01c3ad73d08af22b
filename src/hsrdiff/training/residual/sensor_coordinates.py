"""Coordinates of a pair of sensors: where spectral regression errs on the training truths."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from hsrdiff.errors import RecipeError
from hsrdiff.fusers.regression import Regression
from hsrdiff.fusers.residual import Coordinates
from hsrdiff.observation import Scene


def sensor_coordinates(scenes: Iterator[Scene], count: int, *, bands: bool = False) -> Coordinates:
    """Return coordinates of a pair of sensors: the errors of spectral regression on the training truths.

    They cost little and span what kriging misses nearly as well as its own errors do.

    Args:
        scenes: Training scenes with truths, all with the same bands.
        count: r.
        bands: Whether each band is to be a coordinate by itself.

    Returns:
        The coordinates.

    Raises:
        RecipeError: If the scenes differ in their bands, or r is not B where each band is to be a coordinate.
    """
    total: torch.Tensor | None = None
    R: torch.Tensor | None = None
    for scene in scenes:
        assert scene.Z is not None
        assert scene.observation is not None
        errors = (Regression().estimate(scene).Z_hat - scene.Z)[0].flatten(1).double()
        C = errors @ errors.T / errors.shape[1]
        C = C / C.diagonal().mean()
        if total is not None and total.shape != C.shape:
            raise RecipeError(
                f"the scene '{scene.name}' has {len(C)} bands, the scenes before it {len(total)}",
                expected="the same bands, as the recipe's basis is that of one pair of sensors",
                do="set basis to 'scene', or leave the other data sets out",
            )
        total = C if total is None else total + C
        R = scene.observation.spectral.matrix
    assert total is not None
    assert R is not None
    total = total / total.diagonal().mean()
    if not bands:
        return Coordinates.of(total, R, count)
    if count != len(total):
        raise RecipeError(
            f"{count} coordinates for the basis 'bands' and {len(total)} bands",
            expected="as many coordinates as bands",
            do=f"set network.coordinates to {len(total)}",
        )
    return Coordinates.of_bands(total)
