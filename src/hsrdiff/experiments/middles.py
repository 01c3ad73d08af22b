"""Pairs of the middle of a scene: what is measured on many large scenes in little time."""

from __future__ import annotations

from hsrdiff.datasets import Dataset
from hsrdiff.evaluation.protocol import dataset_truth, simulate_scene
from hsrdiff.observation import Scene


def middle_scene(dataset: Dataset, scene: str, side: int | None, seed: int) -> Scene:
    """Simulate a pair of the middle of a scene, or of all of it.

    Args:
        dataset: The data set.
        scene: One of its scenes.
        side: HR pixels along the square in the middle; None for the whole scene.
        seed: Decides noise.

    Returns:
        The pair, with its truth.
    """
    truth = dataset_truth(dataset, scene)
    Z = truth.Z
    if side is not None:
        top, left = ((Z.sizes[axis] - side) // 2 for axis in ("y", "x"))
        Z = Z.isel(y=slice(top, top + side), x=slice(left, left + side))
    return simulate_scene(Z, truth.observation, seed=seed, name=f"{dataset.name}/{scene}")
