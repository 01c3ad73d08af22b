"""From a known Z to a scene to fuse: Wald's protocol with Eq. (1), and noise if asked for."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch
import xarray as xr

from hsrdiff.datasets import Dataset
from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.observation import Observation, Scene, add_noise
from hsrdiff.rng import generator

# an LR pixel is valid when no more than this share of its PSF falls on invalid pixels of Z
INVALID_SHARE = 1e-6
# decimals of R, D and wavelengths that tell two scenes apart: another machine's last digit is not another sensor
DECIMALS = 6


def simulate_scene(
    cube: xr.DataArray,
    observation: Observation,
    *,
    snr_x_db: float = math.inf,
    snr_y_db: float = math.inf,
    seed: int = 0,
    name: str = "",
) -> Scene:
    """Make X = R Z + noise and Y = Z D + noise from a cube, Eq. (1).

    Rows and columns at the bottom and the right that do not fill a block of the factor are left out. A pixel with
    an invalid band is invalid in X; an LR pixel whose PSF reaches such a pixel is invalid in Y.

    Args:
        cube: Z, dims (band, y, x), invalid pixels NaN, any units.
        observation: R and D.
        snr_x_db: Signal-to-noise ratio of X in dB; infinite for none.
        snr_y_db: Signal-to-noise ratio of Y in dB; infinite for none.
        seed: Seed of the noise.
        name: Name of the scene, which also keys the noise.

    Returns:
        A float32 scene with Z, masks where something is invalid, NaN under them.

    Raises:
        ShapeError: If the cube is smaller than one block or does not fit R.
        InvalidValueError: If no pixel is valid.
    """
    factor = observation.spatial.factor
    height, width = (cube.sizes[axis] // factor * factor for axis in ("y", "x"))
    if not height or not width:
        raise ShapeError(
            f"the cube of {cube.sizes['y']} x {cube.sizes['x']} pixels is smaller than one block",
            expected=f"at least {factor} x {factor} pixels at factor {factor}",
            do="use a larger cube or a smaller factor",
        )
    # Numerics: float64, so that Y = Z D and X = R Z hold to the rounding of float32
    values = np.asarray(cube.transpose("band", "y", "x").values[:, :height, :width], dtype=np.float64)
    Z = torch.from_numpy(values.copy())[None]
    valid = torch.isfinite(Z).all(dim=1, keepdim=True)
    valid_lr = observation.spatial.apply((~valid).double()).abs() <= INVALID_SHARE
    if not valid_lr.any():
        raise InvalidValueError(
            "every low-resolution pixel of the cube reaches an invalid one",
            expected="at least one block of valid pixels",
            do="crop the cube to its valid part",
        )
    X, Y = observation.observe(fill_invalid(Z, valid))
    X, sigma_x = add_noise(X, snr_x_db, generator(seed, "noise", name, "X"))
    Y, sigma_y = add_noise(Y, snr_y_db, generator(seed, "noise", name, "Y"))
    nan = torch.full((), torch.nan, dtype=Z.dtype)
    wavelengths_nm = None
    if "wavelength" in cube.coords:
        wavelengths_nm = np.asarray(cube["wavelength"].values, dtype=np.float64)
    return Scene(
        X=torch.where(valid, X, nan).float(),
        Y=torch.where(valid_lr, Y, nan).float(),
        observation=observation,
        Z=torch.where(valid, Z, nan).float(),
        valid=None if bool(valid.all()) else valid,
        valid_lr=None if bool(valid_lr.all()) else valid_lr,
        sigma_x=sigma_x,
        sigma_y=sigma_y,
        wavelengths_nm=wavelengths_nm,
        name=name,
    ).check()


def dataset_scene(
    dataset: Dataset,
    scene: str,
    *,
    snr_x_db: float = math.inf,
    snr_y_db: float = math.inf,
    seed: int = 0,
) -> Scene:
    """Make one scene of a data set under its own protocol.

    Args:
        dataset: The data set.
        scene: A name from ``dataset.scenes``.
        snr_x_db: Signal-to-noise ratio of X in dB; infinite for none.
        snr_y_db: Signal-to-noise ratio of Y in dB; infinite for none.
        seed: Seed of the noise.

    Returns:
        The scene, values 0..1.

    Raises:
        DatasetNotFoundError: If the scene's files are not there.
        InputError: For an unknown scene.
    """
    cube, observation = dataset_truth(dataset, scene)
    return simulate_scene(
        cube, observation, snr_x_db=snr_x_db, snr_y_db=snr_y_db, seed=seed, name=f"{dataset.name}/{scene}"
    )


def dataset_truth(dataset: Dataset, scene: str) -> tuple[xr.DataArray, Observation]:
    """Read what decides one scene of a data set.

    Args:
        dataset: The data set.
        scene: A name from ``dataset.scenes``.

    Returns:
        Z, a cube (band, y, x) with values 0..1, and Eq. (1).

    Raises:
        DatasetNotFoundError: If the scene's files are not there.
        InputError: For an unknown scene.
    """
    cube = dataset.load(scene)
    return cube, dataset.observation(cube["wavelength"].values if "wavelength" in cube.coords else None)


def truth_digest(cube: xr.DataArray, observation: Observation) -> str:
    """Hash what decides a simulated scene, but for its noise.

    Args:
        cube: Z, dims (band, y, x).
        observation: R and D.

    Returns:
        16 hexadecimal digits, the same wherever Z, its wavelengths, R and D are the same.
    """
    spatial = observation.spatial
    digest = hashlib.sha256(f"{cube.shape} {cube.dtype} {spatial.factor} {spatial.border}".encode())
    digest.update(np.ascontiguousarray(cube.values).data)
    numbers = [observation.spectral.matrix.numpy(), spatial.kernel.numpy()]
    if "wavelength" in cube.coords:
        numbers.append(np.asarray(cube["wavelength"].values, dtype=np.float64))
    for array in numbers:
        digest.update(f"{array.shape}".encode())
        digest.update((np.round(array.astype(np.float64), DECIMALS) + 0.0).tobytes())  # + 0.0: no negative zero
    return digest.hexdigest()[:16]
