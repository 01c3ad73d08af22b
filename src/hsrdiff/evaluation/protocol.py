"""From a known Z to a scene to fuse: Wald's protocol with Eq. (1), noise if asked for, or a measured X."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import xarray as xr

from hsrdiff.datasets import Dataset, RealGuide
from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.fusers.masking import nearest_valid, take_pixels
from hsrdiff.metrics.pair import BLOCK_BYTES
from hsrdiff.observation import Observation, Scene, add_noise, pair_noise
from hsrdiff.rng import generator
from hsrdiff.typing import FloatArray

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
    values = cube.transpose("band", "y", "x").values[:, :height, :width]
    known = np.ones((height, width), dtype=np.bool_)
    for band in values:
        known &= np.isfinite(band)
    valid = torch.from_numpy(known)[None, None]
    valid_lr = observation.spatial.apply((~valid).double()).abs() <= INVALID_SHARE
    if not valid_lr.any():
        raise InvalidValueError(
            "every low-resolution pixel of the cube reaches an invalid one",
            expected="at least one block of valid pixels",
            do="crop the cube to its valid part",
        )
    X, Y = _observed(values, observation, valid)
    X, sigma_x = add_noise(X, snr_x_db, generator(seed, "noise", name, "X"))
    Y, sigma_y = add_noise(Y, snr_y_db, generator(seed, "noise", name, "Y"))
    nan = torch.full((), torch.nan, dtype=X.dtype)
    Z = torch.from_numpy(values.astype(np.float32))[None]  # a copy in any case
    if not known.all():
        for band in Z[0]:
            band[~valid[0, 0]] = torch.nan
    wavelengths_nm = None
    if "wavelength" in cube.coords:
        wavelengths_nm = np.asarray(cube["wavelength"].values, dtype=np.float64)
    return Scene(
        X=torch.where(valid, X, nan).float(),
        Y=torch.where(valid_lr, Y, nan).float(),
        observation=observation,
        Z=Z,
        valid=None if bool(valid.all()) else valid,
        valid_lr=None if bool(valid_lr.all()) else valid_lr,
        sigma_x=sigma_x,
        sigma_y=sigma_y,
        wavelengths_nm=wavelengths_nm,
        name=name,
    ).check()


def _observed(
    values: FloatArray | npt.NDArray[np.float32], observation: Observation, valid: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return X and Y of Eq. (1) in float64; Z is read in pieces, as it may fill the memory.

    Numerics: float64, so that Y = Z D and X = R Z hold to the rounding of float32.
    """
    bands, height, width = values.shape

    def read(piece: npt.NDArray[np.floating[Any]]) -> torch.Tensor:
        return torch.from_numpy(np.array(piece, dtype=np.float64))[None]

    step = max(1, BLOCK_BYTES // (8 * bands * width))
    strips = [observation.spectral.apply(read(values[:, first : first + step])) for first in range(0, height, step)]
    source = None if bool(valid.all()) else nearest_valid(valid)
    Y = []
    for band in values:
        image = read(band[None])
        Y.append(observation.spatial.apply(image if source is None else take_pixels(image, source)))
    X = torch.cat(strips, dim=2)
    return (X if source is None else take_pixels(X, source)), torch.cat(Y, dim=1)


def measured_scene(
    cube: xr.DataArray,
    guide: xr.DataArray,
    observation: Observation,
    *,
    snr_y_db: float = math.inf,
    seed: int = 0,
    name: str = "",
) -> Scene:
    """Make Y = Z D + noise from a cube, and take X as it was measured.

    X = R Z holds only as far as R and the registration are right, so the noise level of X is not known: it is found
    from X and Y, as for any pair of the user's. Pixels invalid in either image are invalid in both.

    Args:
        cube: Z, dims (band, y, x), invalid pixels NaN.
        guide: X, dims (band, y, x), on the grid and in the unit of Z, invalid pixels NaN.
        observation: R and D.
        snr_y_db: Signal-to-noise ratio of Y in dB; infinite for none.
        seed: Seed of the noise.
        name: Name of the scene, which also keys the noise.

    Returns:
        A float32 scene with Z, masks where something is invalid, NaN under them.

    Raises:
        ShapeError: If the images differ in size, or do not fit R and D.
        InvalidValueError: If no pixel is valid.
    """
    for axis in ("y", "x"):
        if cube.sizes[axis] != guide.sizes[axis]:
            raise ShapeError(
                f"the measured guide of '{name}' is {guide.sizes['y']} x {guide.sizes['x']} pixels",
                expected=f"{cube.sizes['y']} x {cube.sizes['x']}, the size of Z",
                do="resample it to the grid of Z",
            )
    measured = np.asarray(guide.transpose("band", "y", "x").values, dtype=np.float32)
    seen = np.isfinite(measured).all(axis=0)
    known = cube.transpose("band", "y", "x").where(xr.DataArray(seen, dims=("y", "x")))
    simulated = simulate_scene(known, observation, snr_y_db=snr_y_db, seed=seed, name=name)
    height, width = simulated.X.shape[-2:]
    X = torch.from_numpy(measured[:, :height, :width].copy())[None]
    if simulated.valid is not None:
        X = torch.where(simulated.valid, X, torch.nan)
    scene = replace(simulated, X=X).check()
    return replace(scene, sigma_x=pair_noise(scene, sigma_y=scene.sigma_y).sigma_x)


class Truth(NamedTuple):
    """What decides one scene of a data set, but for its noise.

    Attributes:
        Z: HR-HSI, a cube (band, y, x) with values 0..1.
        observation: Eq. (1).
        X: HR-MSI where it was measured, a cube (b, y, x); None where it is R Z.
    """

    Z: xr.DataArray
    observation: Observation
    X: xr.DataArray | None = None


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
    truth = dataset_truth(dataset, scene)
    return truth_scene(truth, snr_x_db=snr_x_db, snr_y_db=snr_y_db, seed=seed, name=f"{dataset.name}/{scene}")


def truth_scene(
    truth: Truth,
    *,
    snr_x_db: float = math.inf,
    snr_y_db: float = math.inf,
    seed: int = 0,
    name: str = "",
) -> Scene:
    """Make a scene from its truth: X and Y by Eq. (1), or Y alone where X was measured.

    Args:
        truth: What `dataset_truth` read.
        snr_x_db: Signal-to-noise ratio of X in dB; infinite for none.
        snr_y_db: Signal-to-noise ratio of Y in dB; infinite for none.
        seed: Seed of the noise.
        name: Name of the scene, which also keys the noise.

    Returns:
        The scene.

    Raises:
        ShapeError: If the images do not fit together.
        InvalidValueError: If no pixel is valid.
        InputError: If noise is asked for on a measured X, which has its own.
    """
    if truth.X is None:
        return simulate_scene(truth.Z, truth.observation, snr_x_db=snr_x_db, snr_y_db=snr_y_db, seed=seed, name=name)
    if not math.isinf(snr_x_db):
        raise InputError(
            f"noise of {snr_x_db:g} dB for the multispectral image of '{name}', which was measured",
            expected="no noise on it beside its own",
            do="leave the SNR of X out, or simulate the guide by naming a sensor",
        )
    return measured_scene(truth.Z, truth.X, truth.observation, snr_y_db=snr_y_db, seed=seed, name=name)


def dataset_truth(dataset: Dataset, scene: str) -> Truth:
    """Read what decides one scene of a data set.

    Args:
        dataset: The data set.
        scene: A name from ``dataset.scenes``.

    Returns:
        Z, Eq. (1), and X where it was measured.

    Raises:
        DatasetNotFoundError: If the scene's files are not there.
        InputError: For an unknown scene.
    """
    cube = dataset.load(scene)
    observation = dataset.observation(cube["wavelength"].values if "wavelength" in cube.coords else None)
    return Truth(cube, observation, dataset.load_guide(scene) if isinstance(dataset, RealGuide) else None)


def truth_digest(cube: xr.DataArray, observation: Observation, guide: xr.DataArray | None = None) -> str:
    """Hash what decides a scene of a data set, but for its noise.

    Args:
        cube: Z, dims (band, y, x).
        observation: R and D.
        guide: X where it was measured.

    Returns:
        16 hexadecimal digits, the same wherever Z, its wavelengths, R, D and a measured X are the same.
    """
    spatial = observation.spatial
    digest = hashlib.sha256(f"{cube.shape} {cube.dtype} {spatial.factor} {spatial.border}".encode())
    digest.update(np.ascontiguousarray(cube.values).data)
    if guide is not None:
        digest.update(f"{guide.shape} {guide.dtype}".encode())
        digest.update(np.ascontiguousarray(guide.values).data)
    numbers = [observation.spectral.matrix.numpy(), spatial.kernel.numpy()]
    if "wavelength" in cube.coords:
        numbers.append(np.asarray(cube["wavelength"].values, dtype=np.float64))
    for array in numbers:
        digest.update(f"{array.shape}".encode())
        digest.update((np.round(array.astype(np.float64), DECIMALS) + 0.0).tobytes())  # + 0.0: no negative zero
    return digest.hexdigest()[:16]
