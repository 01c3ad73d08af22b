"""`simulate`: one cube in, the pair that two instruments would see of it out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import xarray as xr
from affine import Affine

from hsrdiff._version import __version__
from hsrdiff.cubes import as_cube, write_cube
from hsrdiff.cubes.atomic import atomic_output
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.cubes.spectral_axis import band_numbers
from hsrdiff.errors import InputError, ShapeError, WavelengthError
from hsrdiff.evaluation import simulate_scene
from hsrdiff.jobs.images import Image, take_cube, usable_bands
from hsrdiff.jobs.output_files import check_apart, check_output
from hsrdiff.jobs.told import told_response, told_sensor
from hsrdiff.jobs.told_psf import told_psf
from hsrdiff.jobs.writable import check_held, named_files
from hsrdiff.observation import Observation, Scene
from hsrdiff.sensors import Sensor
from hsrdiff.typing import PathLike


class SimulatedPair(NamedTuple):
    """What `simulate` returns.

    Attributes:
        hsi: LR-HSI (B, h, w).
        msi: HR-MSI (b, H, W).
    """

    hsi: xr.DataArray
    msi: xr.DataArray


def simulate(
    cube: Image,
    *,
    sensor: str | Sensor | None = None,
    factor: int,
    out_hsi: PathLike | None = None,
    out_msi: PathLike | None = None,
    srf: PathLike | None = None,
    bands: Sequence[str] | None = None,
    snr_db_hsi: float | None = None,
    snr_db_msi: float | None = None,
    psf: PathLike | npt.ArrayLike | None = None,
    psf_fwhm: float | None = None,
    seed: int = 0,
) -> SimulatedPair:
    """Make X = R Z and Y = Z D from a known Z, Eq. (1), with noise if asked for.

    Rows at the bottom and columns at the right that do not fill a coarse pixel are left out, and so are bands that
    the file marks as bad; both stand in the attributes of the results.

    Args:
        cube: Z (band, y, x) with wavelengths: a path, a DataArray or an array.
        sensor: The MSI's sensor, such as ``"landsat8:B2,B3,B4,B5,B6,B7"``.
        factor: Ratio of the pixel sizes, a whole number of at least 2.
        out_hsi: Where to write the LR-HSI.
        out_msi: Where to write the HR-MSI.
        srf: CSV table of measured responses, in place of `sensor`.
        bands: Bands of the sensor to simulate; all when None.
        snr_db_hsi: Signal-to-noise ratio of the LR-HSI in dB; no noise when None.
        snr_db_msi: Signal-to-noise ratio of the HR-MSI in dB; no noise when None.
        psf: None or ``"gaussian"``, the path of a kernel (.npy, .csv), or a kernel (K, K) in fine pixels.
        psf_fwhm: Full width at half maximum of the Gaussian in coarse pixels; 1 when None.
        seed: Seed of the noise.

    Returns:
        The LR-HSI and the HR-MSI, float32, in the cube's unit, with wavelengths, CRS and transforms.

    Raises:
        InputError: No sensor is named, the cube or an option does not fit, or an output is the cube or the other
            output.
        WavelengthError: The cube has no wavelengths.
        HsrdiffError: A file or sensor cannot be used, or a result cannot be written.
    """
    for path in (out_hsi, out_msi):
        check_output(path, cube, *named_files(psf=psf, srf=srf, sensor=sensor))
    check_apart(out_hsi, out_msi, holding=("the hyperspectral image", "the multispectral image"))
    spatial = told_psf(psf, psf_fwhm, factor)
    known = told_sensor(sensor, srf, bands)
    if known is None:
        raise InputError(
            "no sensor is named for the multispectral image",
            expected="a sensor or a table of responses",
            do="give one, such as --sensor sentinel2:B2,B3,B4,B8",
        )
    whole = take_cube(cube, "the cube")
    kept = usable_bands(whole)
    truth = whole if kept.all() else whole.isel(band=np.flatnonzero(kept))
    wavelengths_nm, fwhm_nm = band_numbers(truth, "wavelength"), band_numbers(truth, "fwhm")
    spectral = told_response(known, wavelengths_nm, fwhm_nm)
    if spectral is None:
        raise WavelengthError("the cube has no wavelengths", expected="a band centre in nm for each band")
    _check_held((out_hsi, out_msi), truth, known, spatial.factor)
    scene = simulate_scene(
        truth,
        Observation(spectral, spatial),
        snr_x_db=math.inf if snr_db_msi is None else snr_db_msi,
        snr_y_db=math.inf if snr_db_hsi is None else snr_db_hsi,
        seed=seed,
    )
    record = {
        "hsrdiff_version": __version__,
        "hsrdiff_factor": str(spatial.factor),
        "hsrdiff_psf": spatial.describe(),
        "hsrdiff_sensor": f"{known.name}: {', '.join(known.bands)}",
        "hsrdiff_seed": str(seed),
    }
    for name, snr_db in (("hsi", snr_db_hsi), ("msi", snr_db_msi)):
        if snr_db is not None:
            record[f"hsrdiff_snr_db_{name}"] = f"{snr_db:g}"
    if not kept.all():
        record["hsrdiff_dropped_bands"] = ",".join(str(int(band) + 1) for band in np.flatnonzero(~kept))
    cropped = (truth.sizes["y"] - scene.X.shape[-2], truth.sizes["x"] - scene.X.shape[-1])
    if any(cropped):
        sides = zip(cropped, ("row", "column"), ("at the bottom", "at the right"), strict=True)
        record["hsrdiff_left_out"] = " and ".join(
            f"{count} {line}{'s' if count > 1 else ''} {side}" for count, line, side in sides if count
        )
    pair = scene_cubes(scene, truth, known)
    for image in pair:
        image.attrs.update(record)
    with ExitStack() as stack:
        if out_msi is not None:
            # it takes its place only after the other one has been written
            write_cube(pair.msi, stack.enter_context(atomic_output(Path(out_msi))))
        if out_hsi is not None:
            write_cube(pair.hsi, out_hsi)
    return pair


def _check_held(outputs: tuple[PathLike | None, PathLike | None], truth: xr.DataArray, sensor: Sensor, s: int) -> None:
    """Make sure that the formats can hold the two images that `scene_cubes` makes."""
    height, width = truth.sizes["y"] // s, truth.sizes["x"] // s
    if 0 in (height, width):
        return  # which has a sentence of its own
    crs, transform = georeference_of(truth)
    coarse = None if transform is None else transform @ Affine.scale(s)
    lr, hr = (truth.sizes["band"], height, width), (len(sensor.bands), s * height, s * width)
    check_held(outputs[0], lr, wavelengths_nm=band_numbers(truth, "wavelength"), crs=crs, transform=coarse)
    check_held(outputs[1], hr, wavelengths_nm=sensor.centroids_nm, crs=crs, transform=transform)


def scene_cubes(scene: Scene, truth: xr.DataArray, sensor: Sensor) -> SimulatedPair:
    """Give a simulated scene's tensors the bands of the sensor and of the truth, and their places on the map.

    Args:
        scene: A scene made from `truth`.
        truth: Z (B, y, x) before cropping.
        sensor: The MSI's sensor.

    Returns:
        LR-HSI and HR-MSI as cubes.

    Raises:
        ShapeError: The scene does not have the sensor's bands.
    """
    if scene.msi_bands != len(sensor.bands):
        raise ShapeError(
            f"the scene has {scene.msi_bands} multispectral bands", expected=f"{len(sensor.bands)}, as the sensor"
        )
    crs, transform = georeference_of(truth)
    coarse = None if transform is None else transform @ Affine.scale(scene.factor)
    hsi = as_cube(
        _values(scene.Y),
        wavelengths_nm=band_numbers(truth, "wavelength"),
        fwhm_nm=band_numbers(truth, "fwhm"),
        crs=crs,
        transform=coarse,
    )
    if "band_name" in truth.coords:
        hsi = hsi.assign_coords(band_name=("band", truth["band_name"].values))
    msi = as_cube(_values(scene.X), wavelengths_nm=sensor.centroids_nm, crs=crs, transform=transform)
    msi = msi.assign_coords(band_name=("band", np.asarray(sensor.bands)))
    hsi.name, msi.name = "hsi", "msi"
    return SimulatedPair(hsi, msi)


def _values(image: torch.Tensor) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = image[0].numpy().astype(np.float32)
    return values
