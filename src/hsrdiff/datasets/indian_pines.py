"""Indian Pines at factor 4: a real AVIRIS scene that comes with the tensorly package, for demos and tests."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hsrdiff.cubes import as_cube
from hsrdiff.datasets.aviris_1992 import CENTRES_NM, FWHM_NM
from hsrdiff.datasets.base import require_scene, require_split
from hsrdiff.datasets.guide import Guide
from hsrdiff.errors import MissingExtraError, WavelengthError
from hsrdiff.observation import Observation, SpatialResponse
from hsrdiff.observation.spatial import check_factor
from hsrdiff.typing import BoolArray, FloatArray, PathLike

# water vapour bands removed by the distributors of the "corrected" scene, 1-based in the image's 220
WATER_BANDS = (*range(104, 109), *range(150, 164), 220)

NOISE_CORRELATION = 0.90
# what `noise_bands` finds in the scene, 1-based in the 200 bands distributed: the ends of the spectrum,
# the joints of the spectrometers, the shoulders of the water vapour bands
NOISE_BANDS = (
    *(1, 2, 35, 36, 57, 61, 75, 76, 85, 86, 87, 88),
    *(89, 90, 91, 94, 95, 103, 104, 105, 144, 145, 199, 200),
)

# what means 1: the scene's digital numbers, about 1000 to 9604, are read as 0.1 .. 0.96
DIVISOR = 10000.0

# blue, green, red, near infrared and two short-wave infrared bands
SENSOR = "landsat8:B2,B3,B4,B5,B6,B7"

# (rows, columns) of the 145 x 145 scene. Four columns or rows between a training and a test part: more
# than the two pixels that a blur reaches beyond a block, so the test part is never seen, not even blurred
PARTS = {
    "west": (slice(0, 144), slice(0, 76)),
    "southeast": (slice(76, 144), slice(80, 144)),
    "northeast": (slice(0, 72), slice(80, 144)),
}
SCENES_BY_SPLIT = {
    "train": ("west", "southeast"),
    "fit": ("west",),
    "validation": ("southeast",),
    "test": ("northeast",),
}


class IndianPines:
    """AVIRIS Indian Pines, 176 of its 220 bands, with a six-band Landsat-like guide at factor 4.

    The scene of 145 x 145 pixels (about 20 m) is cut into two training parts and a test part of 72 x 64
    pixels that do not touch. Twenty water vapour bands are missing in the package's copy; the 24 noise bands
    are dropped here. Bands are put in the order of their wavelengths (the spectrometers overlap). `load` returns
    digital numbers over 10000, the peak.

    Args:
        data: Not used, as the scene comes with tensorly; accepted so that every data set is made alike.
        factor: Resolution ratio.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "indian-pines"
    citation = (
        "Baumgardner, Biehl and Landgrebe, 220 band AVIRIS hyperspectral image data set: June 12, 1992 "
        "Indian Pine test site 3, Purdue University Research Repository 2015, "
        "doi:10.4231/R7RX991C (CC BY 3.0)"
    )
    peak = DIVISOR

    def __init__(self, data: PathLike | None = None, *, factor: int = 4, sensor: str = SENSOR) -> None:
        self.factor = check_factor(factor)
        self._guide = Guide.named(sensor)
        self._cube: xr.DataArray | None = None

    def scenes(self, split: str) -> tuple[str, ...]:
        """Return the parts of one split: west and southeast train, northeast test.

        Args:
            split: One of train, fit, validation, test.

        Returns:
            Names that `load` takes.

        Raises:
            InputError: For an unknown split.
        """
        return SCENES_BY_SPLIT[require_split(split)]

    def load(self, scene: str) -> xr.DataArray:
        """Read one part of the scene.

        Args:
            scene: ``"west"``, ``"southeast"`` or ``"northeast"``.

        Returns:
            A cube (176, H, W), float32, 0..1, with wavelengths and FWHM in nm.

        Raises:
            MissingExtraError: If tensorly is not installed.
            InputError: For an unknown part.
        """
        rows, columns = PARTS[require_scene(scene, tuple(PARTS), self.name)]
        if self._cube is None:
            kept = _kept_by_wavelength()
            centres_nm, fwhm_nm = distributed_wavelengths_nm()
            values = (read_distributed()[kept] / DIVISOR).astype(np.float32)
            self._cube = as_cube(values, wavelengths_nm=centres_nm[kept], fwhm_nm=fwhm_nm[kept])
        part = self._cube.isel(y=rows, x=columns).copy()
        part.name = f"{self.name}/{scene}"
        return part

    def observation(self, wavelengths_nm: FloatArray | None = None) -> Observation:
        """Return R of the guide (Landsat 8, blue to SWIR 2, as a rule) and a Gaussian PSF as wide as the factor.

        Args:
            wavelengths_nm: Band centres of the cubes; the scene's own when None.

        Returns:
            Eq. (1) of this data set.

        Raises:
            WavelengthError: If the centres are not those of this scene.
        """
        kept = _kept_by_wavelength()
        centres_nm, fwhm_nm = (axis[kept] for axis in distributed_wavelengths_nm())
        if wavelengths_nm is not None and (
            np.shape(wavelengths_nm) != centres_nm.shape or not np.allclose(wavelengths_nm, centres_nm, atol=0.5)
        ):
            raise WavelengthError(
                f"{np.size(wavelengths_nm)} band centres that are not those of Indian Pines",
                expected=f"its {centres_nm.size} kept centres",
                do="pass cubes that IndianPines.load returned",
            )
        spectral = self._guide.response(centres_nm.size, centres_nm, fwhm_nm)
        return Observation(spectral, SpatialResponse.gaussian(self.factor))


def distributed_wavelengths_nm() -> tuple[FloatArray, FloatArray]:
    """Return centre and FWHM in nm of the 200 bands that tensorly distributes, in the file's order.

    The list that tensorly itself gives is not used: it leaves out band 109 instead of band 220, which shifts
    half the spectrum by one band, and three of its values are misprinted.

    Returns:
        Two arrays (200,).
    """
    kept = np.setdiff1d(np.arange(1, CENTRES_NM.size + 1), WATER_BANDS) - 1
    return CENTRES_NM[kept], FWHM_NM[kept]


def read_distributed() -> FloatArray:
    """Read the scene as tensorly distributes it.

    Returns:
        Digital numbers (200, 145, 145), float64.

    Raises:
        MissingExtraError: If tensorly is not installed.
    """
    try:
        from tensorly.datasets import load_indian_pines
    except ImportError as error:
        raise MissingExtraError(
            "the Indian Pines scene comes with the package tensorly, which is not installed",
            do='run pip install "hsrdiff[demo]"',
        ) from error
    rows_columns_bands = np.asarray(load_indian_pines()["tensor"], dtype=np.float64)
    return np.ascontiguousarray(np.moveaxis(rows_columns_bands, -1, 0))


def noise_bands(cube: FloatArray, threshold: float = NOISE_CORRELATION) -> BoolArray:
    """Mark the bands whose correlation with both neighbours is under the threshold.

    Args:
        cube: Bands in the instrument's order (B, H, W), B of at least 2.
        threshold: Correlation of the pixel values, -1..1.

    Returns:
        (B,), True for a noise band.
    """
    flat = cube.reshape(cube.shape[0], -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    neighbours = (flat[1:] * flat[:-1]).sum(axis=1)
    best = np.maximum(np.append(neighbours, -1.0), np.insert(neighbours, 0, -1.0))
    return np.asarray(best < threshold)


def _kept_by_wavelength() -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return where the bands without noise are in the distributed 200, by increasing wavelength."""
    centres_nm, _ = distributed_wavelengths_nm()
    kept = np.setdiff1d(np.arange(1, centres_nm.size + 1), NOISE_BANDS) - 1
    return kept[np.argsort(centres_nm[kept], kind="stable")]
