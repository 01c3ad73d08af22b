"""What the user says about the instruments, turned into R and D of Eq. (1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from hsrdiff.cubes.spectral_axis import BAND_SHAPE
from hsrdiff.errors import InputError, InvalidValueError, ShapeError, WavelengthError
from hsrdiff.fusers import Needs
from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.jobs.scaling import Scale
from hsrdiff.jobs.told_psf import is_estimated
from hsrdiff.observation import (
    NoiseLevels,
    Observation,
    Scene,
    SpatialResponse,
    SpectralResponse,
    estimate_pair,
    estimate_response,
    pair_noise,
)
from hsrdiff.observation.pair_estimate import BLUR_LR
from hsrdiff.sensors import Sensor, band_sensor, load_sensor
from hsrdiff.typing import FloatArray, PathLike


def told_sensor(
    sensor: PathLike | Sensor | None,
    srf: PathLike | None,
    bands: Sequence[str] | None,
    *,
    msi: xr.DataArray | None = None,
) -> Sensor | None:
    """Find the MSI's sensor.

    Args:
        sensor: A shipped name such as ``"sentinel2:B2,B3,B4,B8"``, or a sensor.
        srf: Path of a CSV table of measured responses, in place of `sensor`.
        bands: The image's bands by the sensor's names, in the image's order; all of the sensor's when None.
        msi: The image that must have as many bands; its band names are used where they are the sensor's.

    Returns:
        The sensor with one response for each band, or None where none is named.

    Raises:
        InputError: Both `sensor` and `srf` are given, or `bands` without either.
        SensorError: The sensor or a band does not exist.
        ShapeError: The sensor does not have as many bands as the image.
    """
    if sensor is not None and srf is not None:
        raise InputError("both a sensor and a table of responses are given", expected="one of the two")
    named = srf if srf is not None else sensor
    if named is None:
        if bands is not None:
            raise InputError("bands are named but no sensor", do="name the sensor they belong to")
        return None
    found = named if isinstance(named, Sensor) else load_sensor(named)
    if bands is not None:
        found = found.select(bands)
    if msi is None:
        return found
    if bands is None and "band_name" in msi.coords:
        # The image's own order counts, also where it has as many bands as the sensor.
        own = [str(name).strip() for name in msi["band_name"].values]
        if {name.lower() for name in own} <= {name.lower() for name in found.bands}:
            return found.select(own)
    if len(found.bands) == msi.sizes["band"]:
        return found
    raise ShapeError(
        f"the multispectral image has {msi.sizes['band']} bands and sensor '{found.name}' {len(found.bands)} "
        f"({', '.join(found.bands)})",
        expected="one response for each band of the image",
        do="name the image's bands in its order, such as --bands " + ",".join(found.bands[: msi.sizes["band"]]),
    )


def own_sensor(msi: xr.DataArray) -> Sensor | None:
    """Make responses from what the image itself says about its bands.

    Args:
        msi: HR-MSI (b, H, W).

    Returns:
        The sensor, or None where the image lacks wavelengths or a width.
    """
    if "wavelength" not in msi.coords or "fwhm" not in msi.coords or not (msi["fwhm"].values > 0).all():
        return None
    # P72: bands of known multispectral products are boxes, of any other image Gaussians
    shape = "box" if msi.attrs.get(BAND_SHAPE) == "box" else "gaussian"
    count = msi.sizes["band"]
    names = [str(name).strip() for name in msi["band_name"].values] if "band_name" in msi.coords else []
    if "" in names or len({name.lower() for name in names}) != count:
        names = [f"b{band + 1}" for band in range(count)]
    return band_sensor(
        "the image's own bands", tuple(names), (shape,) * count, msi["wavelength"].values, msi["fwhm"].values
    )


def told_response(
    sensor: Sensor | None,
    wavelengths_nm: FloatArray | None,
    fwhm_nm: FloatArray | None,
) -> SpectralResponse | None:
    """Build R from the sensor and the HSI's wavelengths.

    Args:
        sensor: The MSI's sensor, or None.
        wavelengths_nm: Centres of the HSI bands (B,), nm, or None.
        fwhm_nm: Their widths (B,), nm, or None; 0 or NaN where one is not known.

    Returns:
        R, or None without a sensor.

    Raises:
        WavelengthError: A sensor is given but the HSI has no wavelengths, or two bands have the same.
        SensorError: A band of the sensor lies outside the HSI.
    """
    if sensor is None:
        return None
    if wavelengths_nm is None:
        raise WavelengthError(
            f"sensor '{sensor.name}' was named but the hyperspectral image has no wavelengths",
            expected="a band centre in nm for each of its bands",
            do="add them to the file (the ENVI header's 'wavelength' line), or leave the sensor out",
        )
    order = np.argsort(wavelengths_nm, kind="stable")
    same = np.flatnonzero(np.diff(wavelengths_nm[order]) == 0)
    if same.size:
        one, other = sorted(int(band) + 1 for band in order[same[0] : same[0] + 2])
        raise WavelengthError(
            f"bands {one} and {other} of the hyperspectral image both have the wavelength "
            f"{wavelengths_nm[one - 1]:g} nm",
            expected="one centre for each band, where a sensor is to be met",
            do="correct the list of wavelengths, or leave the sensor out",
        )
    # files write 0 where a width is not known
    widths = None if fwhm_nm is None else np.where(fwhm_nm > 0, fwhm_nm, np.nan)
    return SpectralResponse.from_sensor(sensor, wavelengths_nm, widths)


def check_noise(noise_hsi: float | None, noise_msi: float | None, *, method: str, needs: Needs) -> None:
    """Make sure that noise levels which the user names can be such, and are of use.

    Args:
        noise_hsi: Standard deviation of the HSI's noise, or None to estimate it.
        noise_msi: That of the MSI, likewise.
        method: Name of the method.
        needs: What it must be told.

    Raises:
        InputError: A level is negative or not finite, or the method is not told of the PSF and so takes none.
    """
    for image, level in (("hyperspectral", noise_hsi), ("multispectral", noise_msi)):
        if level is not None and not (math.isfinite(level) and level >= 0):
            raise InputError(
                f"the noise level of the {image} image is {level}",
                expected="a standard deviation of at least 0 in the image's unit",
                do="correct it, or leave it out to have it estimated",
            )
    if not needs.psf and (noise_hsi is not None or noise_msi is not None):
        raise InputError(
            f"the method '{method}' takes no noise levels",
            expected="one that meets the images, such as kriging",
            do="leave out --noise-hsi and --noise-msi, or choose another method",
        )


def told_noise(scene: Scene, scale: Scale, noise_hsi: float | None, noise_msi: float | None) -> NoiseLevels:
    """Find the noise levels: what the user says, else what the pair shows.

    Args:
        scene: The scene in units of the peak, with its observation.
        scale: How its values were made.
        noise_hsi: Standard deviation of the HSI's noise in the file's unit, or None to estimate it.
        noise_msi: That of the MSI, likewise.

    Returns:
        The levels in units of the peak.
    """
    sigma_x = None if noise_msi is None else noise_msi / scale.unit_msi
    sigma_y = None if noise_hsi is None else noise_hsi / scale.peak
    return pair_noise(scene, sigma_x, sigma_y)


def fitted_response(scene: Scene, spatial: SpatialResponse) -> SpectralResponse:
    """Fit R to the pair where no sensor is known, on both images blurred further, so that D need not be quite right.

    Where no LR pixel is seen by both images, their invalid pixels are filled first.

    Args:
        scene: X, Y and their masks.
        spatial: D.

    Returns:
        R (b, B), non-negative, rows not normalised, as the two images may be in different units.
    """
    try:
        return estimate_response(scene, spatial, blur_lr=BLUR_LR).spectral
    except InvalidValueError:
        filled = replace(
            scene,
            X=fill_invalid(scene.X, scene.valid),
            Y=fill_invalid(scene.Y, scene.valid_lr),
            valid=None,
            valid_lr=None,
        )
        return estimate_response(filled, spatial, blur_lr=BLUR_LR).spectral


def judging_observation(
    scene: Scene, spatial: SpatialResponse, psf: PathLike | npt.ArrayLike | None
) -> Observation | None:
    """Fit R only to say how far a result is from both images, of a method that was told neither R nor D.

    Args:
        scene: X, Y and their masks.
        spatial: D as `told_psf` has it.
        psf: What the user says about the PSF, as for `told_observation`.

    Returns:
        R and D, or None where the pair gives no R.
    """
    try:
        return told_observation(scene, None, spatial, psf)[0]
    except InputError:
        return None


def told_observation(
    scene: Scene, spectral: SpectralResponse | None, spatial: SpatialResponse, psf: PathLike | npt.ArrayLike | None
) -> tuple[Observation, dict[str, str]]:
    """Put R and D together, and find in the pair what is not known.

    Args:
        scene: X, Y and their masks.
        spectral: R, or None to fit it.
        spatial: D as `told_psf` has it.
        psf: What the user says about the PSF: with ``"estimated"`` it is found from the pair, beginning with `spatial`.

    Returns:
        R and D, and what a reader of the result should know of how they were found, by topic.
    """
    if not is_estimated(psf):
        return Observation(fitted_response(scene, spatial) if spectral is None else spectral, spatial), {}
    try:
        found = estimate_pair(scene, spectral=spectral, assumed=spatial)
    except InvalidValueError:  # no LR pixel is seen by both images
        return Observation(fitted_response(scene, spatial) if spectral is None else spectral, spatial), {
            "psf": "nothing in the pair to estimate it from: it was taken as assumed"
        }
    if found.psf is None:
        return found.observation, {"psf": "no detail in the pair to estimate it from: it was taken as assumed"}
    return found.observation, {"psf": found.psf.describe()}
