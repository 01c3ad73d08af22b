"""Responses made from published numbers: a Gaussian from centre and width, a box from two edges."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hsrdiff.errors import SensorError
from hsrdiff.sensors.sensor import Sensor
from hsrdiff.typing import FloatArray

GRID_STEP_NM = 1.0
SHAPES = ("gaussian", "box")


def gaussian_profile(grid_nm: FloatArray, centre_nm: float, fwhm_nm: float) -> FloatArray:
    """Gaussian response with peak 1: ``exp(-4 ln 2 ((lambda - centre) / FWHM)^2)``.

    Args:
        grid_nm: Wavelengths, shape (m,), nm.
        centre_nm: Centre, nm.
        fwhm_nm: Full width at half maximum, nm, > 0.

    Returns:
        Shape (m,), in [0, 1].
    """
    return np.asarray(np.exp(-4.0 * math.log(2.0) * ((grid_nm - centre_nm) / fwhm_nm) ** 2))


def box_profile(grid_nm: FloatArray, low_nm: float, high_nm: float) -> FloatArray:
    """Box response, each sample the share of its grid cell between the edges, so that the width is exact.

    Args:
        grid_nm: Evenly spaced wavelengths, shape (m,), nm.
        low_nm: Lower edge, nm.
        high_nm: Upper edge, nm.

    Returns:
        Shape (m,), in [0, 1].
    """
    half = (grid_nm[1] - grid_nm[0]) / 2
    inside = np.minimum(grid_nm + half, high_nm) - np.maximum(grid_nm - half, low_nm)
    return np.asarray(np.clip(inside, 0.0, None) / (2 * half))


def band_sensor(
    name: str,
    bands: tuple[str, ...],
    shapes: tuple[str, ...],
    centres_nm: npt.ArrayLike,
    widths_nm: npt.ArrayLike,
) -> Sensor:
    """Evaluate b bands given by shape, centre and full width at half maximum on a grid of 1 nm or finer.

    Args:
        name: The sensor's name.
        bands: b band names.
        shapes: "gaussian" or "box" for each band.
        centres_nm: Shape (b,), nm.
        widths_nm: Shape (b,), nm, > 0.

    Returns:
        The sensor; its source and licence are empty.

    Raises:
        SensorError: A centre, a width or a shape is not usable.
    """
    centres = np.atleast_1d(np.asarray(centres_nm, dtype=np.float64))
    widths = np.atleast_1d(np.asarray(widths_nm, dtype=np.float64))
    if not bands or not (
        centres.ndim == 1 and centres.shape == widths.shape == (len(bands),) and len(shapes) == len(bands)
    ):
        raise SensorError(
            f"sensor '{name}' has {len(bands)} bands, centres of shape {centres.shape} and widths of shape "
            f"{widths.shape}",
            expected="one centre and one width for each of at least one band",
        )
    for band, shape, centre, width in zip(bands, shapes, centres, widths, strict=True):
        if shape not in SHAPES:
            raise SensorError(f"band {band} of sensor '{name}' has the shape '{shape}'", expected=" or ".join(SHAPES))
        if not (math.isfinite(centre) and math.isfinite(width) and 0 < width < 2 * centre):
            raise SensorError(
                f"band {band} of sensor '{name}' is centred at {centre:g} nm and {width:g} nm wide",
                expected="a positive centre and width in nm",
            )
    step = min(GRID_STEP_NM, float(widths.min()) / 10)
    # A Gaussian is below 2e-5 of its peak two widths away from its centre.
    low = max(math.floor((centres - 2 * widths).min()), 1)
    high = math.ceil((centres + 2 * widths).max())
    grid = low + step * np.arange(math.ceil((high - low) / step) + 1)
    response = [
        gaussian_profile(grid, c, w) if shape == "gaussian" else box_profile(grid, c - w / 2, c + w / 2)
        for shape, c, w in zip(shapes, centres, widths, strict=True)
    ]
    return Sensor(name, bands, grid, np.array(response))


def gaussian_sensor(centres_nm: npt.ArrayLike, fwhm_nm: npt.ArrayLike, name: str = "simulated") -> Sensor:
    """Make up a guide of b Gaussian bands, for simulations.

    Args:
        centres_nm: Band centres, shape (b,), nm.
        fwhm_nm: Full widths at half maximum, shape (b,) or one for all, nm, > 0.
        name: The sensor's name.

    Returns:
        A sensor with bands "b1" ... "bb".

    Raises:
        SensorError: A centre or a width is not usable.
    """
    centres = np.atleast_1d(np.asarray(centres_nm, dtype=np.float64))
    widths = np.asarray(fwhm_nm, dtype=np.float64)
    if widths.ndim == 0:
        widths = np.full(centres.shape, float(widths))
    names = tuple(f"b{i + 1}" for i in range(centres.size))
    return band_sensor(name, names, ("gaussian",) * centres.size, centres, widths)
