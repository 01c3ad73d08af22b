"""A real pair without truth as a scene, and a method on it with what can be measured all the same."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import xarray as xr

from hsrdiff.choice import Degraded, degrade, reduced_scores
from hsrdiff.datasets import RealPairs
from hsrdiff.evaluation import Row, judge
from hsrdiff.fusers import Fuser
from hsrdiff.observation import (
    Scene,
    SpatialResponse,
    SpectralResponse,
    estimate_pair,
    estimate_response,
    pair_noise,
)
from hsrdiff.observation.pair_estimate import BLUR_LR
from hsrdiff.rng import generator

REDUCED_ERROR = "reduced error"  # topic of a note: the relative error on the pair degraded once more


def real_scene(pairs: RealPairs, pair: str) -> tuple[Scene, Degraded | None]:
    """Make a scene of a real pair, each image in units of its largest value, R, D and noise estimated from the pair.

    Args:
        pairs: The data set.
        pair: One of its pairs.

    Returns:
        The scene, and the pair degraded once more, None where it is too small for that.

    Raises:
        DatasetNotFoundError: If the files are not there.
        CubeFormatError: If a file is not laid out as it should be.
        InvalidValueError: If no pixel is valid in both images.
    """
    hsi, msi = pairs.load_pair(pair)
    (X, valid), (Y, valid_lr) = (_values(cube) for cube in (msi, hsi))
    wavelengths_nm = np.asarray(hsi["wavelength"].values) if "wavelength" in hsi.coords else None
    scene = Scene(X=X, Y=Y, valid=valid, valid_lr=valid_lr, wavelengths_nm=wavelengths_nm, name=pairs.name).check()
    # P67: neither R nor D of the real instruments is told, and the two images may be in different units
    scene = replace(scene, observation=estimate_pair(scene).observation)
    noise = pair_noise(scene)
    scene = replace(scene, sigma_x=noise.sigma_x, sigma_y=noise.sigma_y)
    return scene, degrade(scene, model_error=noise.model_error, fit_response=_fit_response)


def _fit_response(scene: Scene, D: SpatialResponse) -> SpectralResponse:
    return estimate_response(scene, D, blur_lr=BLUR_LR).spectral


def _values(cube: xr.DataArray) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return an image (1, C, H, W) in units of its largest value, and which pixels are valid, None for all."""
    image = torch.from_numpy(np.array(cube.values, dtype=np.float32))[None]
    valid = torch.isfinite(image).all(dim=1, keepdim=True)
    return image / float(np.nanmax(image.numpy())), None if bool(valid.all()) else valid


def fuse_pair(
    make: Callable[[], Fuser], scene: Scene, degraded: Degraded | None, seed: int
) -> tuple[Row, torch.Tensor]:
    """Fuse a pair; hold the result against it, and the method's result on the degraded pair against Y.

    Args:
        make: Makes the method.
        scene: From `real_scene`.
        degraded: Likewise.
        seed: Of what the method draws.

    Returns:
        A row whose scores are those at reduced resolution, NaN without a degraded pair, and whose notes are HQNR, its
        parts and both misfits; and Z_hat, shape (1, B, H, W).

    Raises:
        InputError: If the method lacks something of the scene.
        InvalidValueError: If no pixel of the result can be held against both images.
    """
    fuser = make()
    began = time.perf_counter()
    fusion = fuser.fuse(scene, generator=generator(seed, "fuse", scene.name))
    seconds = time.perf_counter() - began
    full = judge(fusion.Z_hat, scene)
    measured = {
        "HQNR": full.hqnr,
        "D_lambda": full.d_lambda,
        "D_s": full.d_s,
        "R Z - X": full.spectral.mean_relative_rmse,
        "Z D - Y": full.spatial.mean_relative_rmse,
    }
    notes = fusion.notes | {topic: f"{value:.9g}" for topic, value in measured.items()}
    unknown = math.nan
    row = Row(
        fuser.name,
        scene.name,
        scene.factor,
        psnr_db=unknown,
        ssim=unknown,
        sam_deg=unknown,
        ergas=unknown,
        rmse=unknown,
        seconds=seconds,
        told=str(fuser.needs),
        notes=notes,
    )
    if degraded is None:
        return row, fusion.Z_hat
    reduced = reduced_scores(degraded, make(), seed=seed)
    scores = reduced.scores
    notes[REDUCED_ERROR] = f"{reduced.relative_error:.9g}"
    scored = replace(
        row,
        psnr_db=scores.psnr_db,
        ssim=scores.ssim,
        sam_deg=scores.sam_deg,
        ergas=scores.ergas,
        rmse=scores.rmse,
        convention=reduced.convention,
    )
    return scored, fusion.Z_hat
