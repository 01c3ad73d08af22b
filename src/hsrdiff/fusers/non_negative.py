"""A fusion without negative values, reconciled with what both images see of it."""

from __future__ import annotations

from dataclasses import replace

import torch

from hsrdiff.fusers.base import Fusion
from hsrdiff.fusers.masking import fill_invalid, mask_output
from hsrdiff.observation import Scene, non_negative


@torch.no_grad()
def cut_negative(fusion: Fusion, scene: Scene) -> Fusion:
    """Cut values below 0; where R and D are known, what they see of the estimate stays (`non_negative`).

    Args:
        fusion: What a method returned, NaN where invalid.
        scene: The scene, with its observation where it is known.

    Returns:
        The fusion with a note on what was cut; the same estimate where nothing is below 0.
    """
    Z = fusion.Z_hat
    below = Z < 0
    if not bool(below.any()):
        return replace(fusion, notes=fusion.notes | {"non_negative": "no value was below 0"})
    known = torch.isfinite(Z).all(dim=1, keepdim=True)
    share = float(below.sum()) / float(torch.isfinite(Z).sum())
    words = f"{100 * share:.2g} % of the values were below 0 and were cut"
    if scene.observation is None:
        words += "; R and D are not known, so what the images see of the result was not kept"
        return replace(fusion, Z_hat=Z.clamp_min(0.0), notes=fusion.notes | {"non_negative": words})
    # values of invalid pixels are made up, and free to take up what is cut beside them
    cut = non_negative(scene.observation, fill_invalid(Z, known))
    words += (
        f", with {cut.rounds} rounds of projection: what the images see moved by {100 * cut.moved_x:.2g} % (MSI) and "
        f"{100 * cut.moved_y:.2g} % (HSI)"
    )
    return replace(fusion, Z_hat=mask_output(cut.Z, known), notes=fusion.notes | {"non_negative": words})
