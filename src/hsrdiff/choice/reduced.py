"""Scores at reduced resolution: a method run on the degraded pair, its result held against the measured Y."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hsrdiff.choice.comparison import relative_error
from hsrdiff.choice.degraded import Degraded
from hsrdiff.errors import InvalidValueError
from hsrdiff.fusers import Fuser
from hsrdiff.metrics import Scores, q2n, score
from hsrdiff.metrics.q2n import BLOCK_PX
from hsrdiff.rng import generator


@dataclass(frozen=True)
class ReducedScores:
    """What a method reaches on the pair degraded once more (Wald's protocol).

    Attributes:
        method: Name of the method.
        scores: PSNR, SSIM, SAM, ERGAS and RMSE against Y, in units of its largest value.
        q2n: Q2n against Y; NaN where no block is half valid.
        relative_error: Geometric mean over bands of the relative RMSE, by which methods are chosen.
        factor: Factor of the second degradation.
        pixels: Valid pixels of the degraded hyperspectral image.
        remarks: What was done otherwise than degrading the whole pair by its own factor.
    """

    method: str
    scores: Scores
    q2n: float
    relative_error: float
    factor: int
    pixels: int
    remarks: tuple[str, ...] = ()

    @property
    def convention(self) -> str:
        """How the scores are defined, as one line to print beside them."""
        against = "against the hyperspectral image itself, in units of the pair's peak"
        return f"{self.scores.convention}; Q2n in {BLOCK_PX}x{BLOCK_PX} blocks; {against}"


def reduced_scores(degraded: Degraded, fuser: Fuser, *, seed: int = 0) -> ReducedScores:
    """Fuse the degraded pair and score the result against its truth, the Y of the pair it was made from.

    Args:
        degraded: The pair of `degrade`.
        fuser: The method.
        seed: Decides what the method draws.

    Returns:
        The scores.

    Raises:
        InvalidValueError: The result has no number in a pixel that counts, or none counts.
        InputError: The method lacks something of the scene.
    """
    scene, counted = degraded.scene, degraded.scored
    Z = degraded.truth
    fusion = fuser.fuse(replace(scene, Z=None), generator=generator(seed, "choice", fuser.name))
    mask = counted[0, 0]
    if not mask.any():
        raise InvalidValueError(
            "no pixel of the degraded pair counts", expected="valid pixels of both images in one place"
        )
    peak = float(f"{float(Z[0][:, mask].max()):.6g}")
    # the measured Y is noisy and may lie outside 0..peak itself
    scores = score(fusion.Z_hat, Z, factor=scene.factor, mask=mask, clip=False, peak=peak)
    try:
        index = q2n(fusion.Z_hat, Z, mask=mask)
    except InvalidValueError:
        index = float("nan")
    return ReducedScores(
        fuser.name,
        scores,
        index,
        relative_error(fusion.Z_hat, Z, counted),
        scene.factor,
        degraded.pixels,
        degraded.remarks,
    )
