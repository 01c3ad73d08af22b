"""The guide that a data set simulates: a sensor's bands, or Gaussians over the band axis where no sensor fits."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from hsrdiff.errors import SensorError, ShapeError, WavelengthError
from hsrdiff.observation import SpectralResponse
from hsrdiff.sensors import Sensor, load_sensor
from hsrdiff.typing import FloatArray

_GAUSSIANS = re.compile(r"gaussian(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Guide:
    """What the multispectral image of a simulated pair sees.

    Attributes:
        sensor: A sensor, which needs cubes with wavelengths; None for Gaussians over the band axis.
        gaussians: b, number of those Gaussians; 0 with a sensor.
    """

    sensor: Sensor | None
    gaussians: int = 0

    @classmethod
    def named(cls, name: str) -> Guide:
        """Return the guide of a name.

        Args:
            name: What `load_sensor` takes, or ``"gaussian4"``: four Gaussians over the band axis, and so for any
                number; ``"gaussian1"`` is a panchromatic guide.

        Returns:
            The guide.

        Raises:
            SensorError: If the sensor is unknown, or the number is 0.
        """
        match = _GAUSSIANS.fullmatch(name.strip())
        if match is None:
            return cls(load_sensor(name))
        if int(match[1]) < 1:
            raise SensorError(f"the guide '{name}' has no band", expected="at least one", do="use 'gaussian4'")
        return cls(None, int(match[1]))

    def response(
        self, bands: int, wavelengths_nm: FloatArray | None = None, fwhm_nm: FloatArray | None = None
    ) -> SpectralResponse:
        """Return R for cubes of B bands.

        Args:
            bands: B.
            wavelengths_nm: Band centres, shape (B,), nm; only a sensor needs them.
            fwhm_nm: Band widths, shape (B,), nm, where known.

        Returns:
            R with rows that sum to 1.

        Raises:
            WavelengthError: If a sensor is to be simulated and the wavelengths are not known.
            SensorError: If the cubes do not cover a band of the sensor.
            ShapeError: If there are more Gaussians than bands.
        """
        if self.sensor is None:
            return gaussians_over_bands(self.gaussians, bands)
        if wavelengths_nm is None:
            raise WavelengthError(
                f"the sensor '{self.sensor.name}' for cubes whose wavelengths are not known",
                expected="a centre in nm for every band",
                do="write the scenes in a format that keeps them, such as ENVI or NetCDF, or use a guide over the band "
                "axis, such as 'gaussian4'",
            )
        return SpectralResponse.from_sensor(self.sensor, wavelengths_nm, fwhm_nm)


def gaussians_over_bands(msi_bands: int, bands: int) -> SpectralResponse:
    """Return R of b Gaussians evenly spaced over the band axis, each as wide at half maximum as their spacing.

    ``R[i, j] ~ exp(-4 ln 2 ((j - c_i) / d)^2)`` with d = B / b and ``c_i = (i + 1/2) d - 1/2``, j counted from 0:
    a guide for cubes whose wavelengths are not known.

    Args:
        msi_bands: b, at least 1.
        bands: B, at least b.

    Returns:
        R with rows that sum to 1, bands "g1" ... "gb".

    Raises:
        ShapeError: If there are more Gaussians than bands.
    """
    if not 1 <= msi_bands <= bands:
        raise ShapeError(
            f"a guide of {msi_bands} Gaussians for {bands} bands",
            expected="at least one, and no more than there are bands",
            do="choose another number of Gaussians",
        )
    spacing = bands / msi_bands
    centres = (np.arange(msi_bands) + 0.5) * spacing - 0.5
    distance = (np.arange(bands) - centres[:, None]) / spacing
    rows = np.exp(-4.0 * np.log(2.0) * distance**2)
    names = tuple(f"g{i + 1}" for i in range(msi_bands))
    return SpectralResponse(rows / rows.sum(axis=1, keepdims=True), names)
