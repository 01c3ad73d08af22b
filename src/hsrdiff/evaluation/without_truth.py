"""Quality of a result without truth: what both instruments would see of it, beside what they saw."""

from __future__ import annotations

import torch

from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.fusers.masking import output_mask
from hsrdiff.metrics import FullResolution, full_resolution
from hsrdiff.observation import Scene
from hsrdiff.observation.band_places import centres_nm
from hsrdiff.typing import HRHSI

# weight on invalid pixels from which an LR pixel does not count
_TOUCHED = 1e-12


def judge(Z_hat: HRHSI, scene: Scene) -> FullResolution:
    """Judge a result by its pair, X = R Z and Y = Z D of Eq. (1).

    A fine pixel counts where X, the result and the LR pixel around it are valid; a coarse one where Y is valid and
    its PSF reaches valid pixels of the result only.

    Args:
        Z_hat: The result, shape (1, B, H, W), NaN where invalid.
        scene: X, Y, masks and observation; its truth is not looked at.

    Returns:
        The numbers with their convention.

    Raises:
        InputError: The scene has no observation.
        ShapeError: The result does not fit the scene.
        InvalidValueError: No fine or no coarse pixel counts.
    """
    if scene.observation is None:
        raise InputError(
            f"the scene '{scene.name}' has no known R and D", expected="the observation that the result is held against"
        )
    expected = (1, scene.bands, *scene.X.shape[-2:])
    if tuple(Z_hat.shape) != expected:
        raise ShapeError(f"a result of shape {tuple(Z_hat.shape)}", expected=f"{expected}, as the pair has it")
    spectral, spatial = scene.observation.spectral, scene.observation.spatial
    known = torch.ones_like(Z_hat[:, :1], dtype=torch.bool)
    for band in range(scene.bands):
        known &= torch.isfinite(Z_hat[:, band : band + 1])
    counted = known & output_mask(scene)
    counted_lr = spatial.apply((~known).double()).abs() <= _TOUCHED
    if scene.valid_lr is not None:
        counted_lr = counted_lr & scene.valid_lr
    if not (counted.any() and counted_lr.any()):
        raise InvalidValueError(
            "no pixel of the result can be held against both images",
            expected="valid pixels of all three in one place",
            do="check nodata values, and that the three are of one place",
        )
    RZ = torch.zeros(scene.X.shape, dtype=torch.float64)
    ZD = torch.empty(scene.Y.shape, dtype=torch.float64)
    for band in range(scene.bands):  # one band at a time: float64 of the whole cube may not fit the memory
        layer = torch.where(known, Z_hat[:, band : band + 1], 0.0).double()
        RZ += spectral.matrix[:, band, None, None] * layer
        ZD[:, band : band + 1] = spatial.apply(layer)
    guide_nm = None if scene.wavelengths_nm is None else centres_nm(spectral.matrix.numpy(), scene.wavelengths_nm)
    return full_resolution(
        Z_hat,
        scene.X,
        scene.Y,
        RZ,
        ZD,
        mask=counted,
        mask_lr=counted_lr,
        wavelengths_nm=scene.wavelengths_nm,
        guide_wavelengths_nm=guide_nm,
    )
