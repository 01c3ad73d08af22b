"""One method on one scene, scored: a row; and the mean of rows."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import torch

from hsrdiff.errors import InputError
from hsrdiff.fusers import Fuser, Fusion
from hsrdiff.fusers.masking import output_mask
from hsrdiff.metrics import score
from hsrdiff.observation import Scene


@dataclass(frozen=True)
class Row:
    """Scores of one method on one scene, or the mean over scenes.

    Attributes:
        method: Name of the fuser.
        scene: Name of the scene, or "mean of N".
        factor: Resolution ratio.
        psnr_db: Peak signal-to-noise ratio in dB.
        ssim: Structural similarity.
        sam_deg: Spectral angle in degrees.
        ergas: Relative global error.
        rmse: Root mean square error in units of the peak.
        seconds: Wall-clock time of the fusion.
        told: What the method was told beside X and Y.
        convention: How the scores were computed; rows of one convention can be averaged.
        valid_share: Share of the pixels that counted, 0..1.
        notes: What the method said about its result.
    """

    method: str
    scene: str
    factor: int
    psnr_db: float
    ssim: float
    sam_deg: float
    ergas: float
    rmse: float
    seconds: float = math.nan
    told: str = ""
    convention: str = ""
    valid_share: float = 1.0
    notes: dict[str, str] = field(default_factory=dict)


def score_fusion(fuser: Fuser, fusion: Fusion, scene: Scene, *, seconds: float, peak: float = 1.0) -> Row:
    """Compare a result with the truth where both images have data.

    Args:
        fuser: The method, for its name and needs.
        fusion: What it returned.
        scene: The scene with Z.
        seconds: How long it took.
        peak: Largest value of the data.

    Returns:
        The row.

    Raises:
        InputError: If the scene has no truth.
    """
    if scene.Z is None:
        raise InputError(
            f"the scene '{scene.name}' has no known Z",
            expected="the true high-resolution hyperspectral image",
            do="simulate the pair from a known cube",
        )
    mask = output_mask(scene) & torch.isfinite(scene.Z).all(dim=1, keepdim=True)
    scores = score(fusion.Z_hat, scene.Z, factor=scene.factor, mask=mask, peak=peak)
    return Row(
        method=fuser.name,
        scene=scene.name,
        factor=scene.factor,
        psnr_db=scores.psnr_db,
        ssim=scores.ssim,
        sam_deg=scores.sam_deg,
        ergas=scores.ergas,
        rmse=scores.rmse,
        seconds=seconds,
        told=str(fuser.needs),
        convention=scores.protocol,
        valid_share=scores.valid_share,
        notes=fusion.notes | ({"scores": "; ".join(scores.remarks)} if scores.remarks else {}),
    )


def evaluate_fuser(fuser: Fuser, scene: Scene, *, generator: torch.Generator, peak: float = 1.0) -> tuple[Row, Fusion]:
    """Run one method on one scene with known truth and score it.

    Args:
        fuser: The method; it is given the scene without Z.
        scene: The scene with Z.
        generator: Source of the method's randomness.
        peak: Largest value of the data.

    Returns:
        The row and the result itself.

    Raises:
        InputError: If the scene has no truth or lacks what the method needs.
    """
    began = time.perf_counter()
    fusion = fuser.fuse(replace(scene, Z=None), generator=generator)
    seconds = time.perf_counter() - began
    return score_fusion(fuser, fusion, scene, seconds=seconds, peak=peak), fusion


def mean_row(rows: Sequence[Row]) -> Row:
    """Average the scores of one method over scenes.

    Args:
        rows: Rows of one method at one factor, at least one.

    Returns:
        A row named "mean of N", with the mean time of one scene.

    Raises:
        InputError: If there is no row, or they are of different methods, factors or conventions.
    """
    if not rows:
        raise InputError("no row to average", expected="at least one scored scene")
    kinds = {(row.method, row.factor, row.told, row.convention) for row in rows}
    if len(kinds) > 1:
        raise InputError(
            f"rows of {len(kinds)} different methods, factors or conventions to average",
            expected="rows of one method under one protocol",
        )
    shared = {topic: text for topic, text in rows[0].notes.items() if all(r.notes.get(topic) == text for r in rows)}
    return replace(
        rows[0],
        scene=f"mean of {len(rows)}",
        psnr_db=fmean(row.psnr_db for row in rows),
        ssim=fmean(row.ssim for row in rows),
        sam_deg=fmean(row.sam_deg for row in rows),
        ergas=fmean(row.ergas for row in rows),
        rmse=fmean(row.rmse for row in rows),
        seconds=fmean(row.seconds for row in rows),
        valid_share=fmean(row.valid_share for row in rows),
        notes=shared,
    )
