"""Values below 0 cut from an estimate while both instruments see of it what they saw before."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hsrdiff.observation.consistency import JointProjection
from hsrdiff.observation.model import Observation
from hsrdiff.typing import HRHSI, LRHSI, MSI

ROUNDS = 20
_RELAXATION = 1.5  # of each projection: of 1, 1.5, 1.8 and 1.95 the one that came nearest in 20 rounds
_ENOUGH = 1e-6  # of the images' root mean square: what float32 keeps of a sum over bands and pixels


@dataclass(frozen=True)
class NonNegative:
    """A cube without negative values, and what it cost.

    Args:
        Z: Shape (1, B, H, W), at least 0.
        share: Share of the values that were below 0.
        lowest: The lowest value before; 0 where none was below 0.
        rounds: Rounds of projection and clipping that the cube took, 0 for a plain clip.
        moved_x: Root mean square of R Z - R Z_before over that of R Z_before.
        moved_y: Root mean square of Z D - Z_before D over that of Z_before D.
    """

    Z: HRHSI
    share: float
    lowest: float
    rounds: int
    moved_x: float
    moved_y: float


def non_negative(observation: Observation, Z: HRHSI, rounds: int = ROUNDS) -> NonNegative:
    """Clip and project alternately, at most `rounds` times, and end with the clip.

    A clip alone brightens R Z and Z D wherever it acts. The projection is on what Z itself shows of both images,
    ``{Z' : R Z' = R Z, Z' D = Z D}``: an estimate that meets X and Y exactly goes on meeting them, and one that
    meets them softly keeps its distance, without taking their noise in. The rounds come ever nearer to where the
    two sets meet (relaxed alternating projections). Of all that were made, the one is kept whose larger change of
    the two images, each over the change by the clip, is the least: neither image is moved further than by the clip.

    Args:
        observation: R and D.
        Z: Shape (1, B, H, W), finite.
        rounds: At most so many projections, at least 0.

    Returns:
        The cube, in the type of Z; Z itself where nothing is below 0.

    Raises:
        ShapeError: Z does not fit R or D.
    """
    below = Z < 0
    share = float(below.double().mean())
    if not share:
        return NonNegative(Z, 0.0, 0.0, 0, 0.0, 0.0)
    X, Y = observation.observe(Z)
    projection = JointProjection(observation, (int(Z.shape[-2]), int(Z.shape[-1])))
    current = Z.clamp_min(0.0)
    clipped = _moved(observation, current, X, Y)
    best, best_round, least, moved = current, 0, 1.0, clipped
    for made in range(1, rounds + 1):
        step = projection.project(current, X, Y) - current
        current = (current + _RELAXATION * step).clamp_min(0.0)
        now = _moved(observation, current, X, Y)
        # Numerics: an image that the clip moved by rounding only does not decide
        worst = max(each / max(plain, _ENOUGH) for each, plain in zip(now, clipped, strict=True))
        if worst < least:
            best, best_round, least, moved = current, made, worst, now
        if max(now) <= _ENOUGH:
            break
    return NonNegative(best, share, float(Z.min()), best_round, *moved)


def _moved(observation: Observation, Z: HRHSI, X: MSI, Y: LRHSI) -> tuple[float, float]:
    """Return the relative changes of what is seen of Z from X and Y."""
    RZ, ZD = observation.observe(Z)
    return _relative(RZ - X, X), _relative(ZD - Y, Y)


def _relative(change: torch.Tensor, image: torch.Tensor) -> float:
    energy = float(image.double().square().mean())
    return (float(change.double().square().mean()) / energy) ** 0.5 if energy else 0.0
