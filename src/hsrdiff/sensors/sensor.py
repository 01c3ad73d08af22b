"""Sensor: a named set of spectral responses on one wavelength grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from hsrdiff.errors import SensorError, did_you_mean
from hsrdiff.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Sensor:
    """The relative spectral responses r_i(lambda) of an instrument's bands.

    A response is linear between its samples and zero outside its table.

    Args:
        name: What tables and messages call the sensor.
        bands: Names of the b bands.
        wavelengths_nm: Grid, shape (m,), nm, increasing, m >= 2.
        response: Relative response, shape (b, m), not negative; only its shape over wavelength matters.
        source: Where the numbers are published.
        licence: Under which terms.
        groups: Named selections of bands, such as ``{"10m": ("B2", "B3", "B4", "B8")}``.

    Raises:
        SensorError: The parts do not fit together, or a band has no response.
    """

    name: str
    bands: tuple[str, ...]
    wavelengths_nm: FloatArray
    response: FloatArray
    source: str = ""
    licence: str = ""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        grid = np.array(self.wavelengths_nm, dtype=np.float64)
        response = np.array(self.response, dtype=np.float64)
        object.__setattr__(self, "wavelengths_nm", grid)
        object.__setattr__(self, "response", response)
        if grid.ndim != 1 or grid.size < 2 or response.shape != (len(self.bands), grid.size):
            raise SensorError(
                f"sensor '{self.name}' has {len(self.bands)} band names, wavelengths of shape {grid.shape} "
                f"and a response of shape {response.shape}",
                expected="wavelengths (m,) with m >= 2 and a response (number of bands, m)",
            )
        if not np.all(np.diff(grid) > 0):
            raise SensorError(f"the wavelengths of sensor '{self.name}' do not increase", do="sort the table")
        if not np.all(np.isfinite(response)) or np.any(response < 0):
            raise SensorError(f"sensor '{self.name}' has a negative or non-finite response", expected="values >= 0")
        if len({band.lower() for band in self.bands}) != len(self.bands):
            raise SensorError(f"sensor '{self.name}' names a band twice", do="rename one of the columns")
        empty = [band for band, row in zip(self.bands, response, strict=True) if not row.any()]
        if empty:
            raise SensorError(
                f"band {empty[0]} of sensor '{self.name}' is zero or negative at every wavelength",
                do="remove the band from the table",
            )

    @property
    def integrals_nm(self) -> FloatArray:
        """Integral of each response over wavelength, shape (b,), nm."""
        return np.asarray(np.trapezoid(self.response, self.wavelengths_nm, axis=1))

    @property
    def centroids_nm(self) -> FloatArray:
        """Centre of mass of each response, shape (b,), nm."""
        moment = np.trapezoid(self.response * self.wavelengths_nm, self.wavelengths_nm, axis=1)
        return np.asarray(moment / self.integrals_nm)

    def ranges_nm(self, level: float = 0.01) -> list[tuple[float, float]]:
        """Return where each band responds: first and last wavelength above `level` of its peak.

        Args:
            level: Share of the peak, in [0, 1).

        Returns:
            One (low, high) pair in nm for each band.
        """
        ranges = []
        for row in self.response:
            inside = self.wavelengths_nm[row > level * row.max()]
            ranges.append((float(inside[0]), float(inside[-1])))
        return ranges

    def select(self, bands: Iterable[str]) -> Sensor:
        """Keep some bands, in the order asked for.

        Args:
            bands: Band names; upper and lower case are the same.

        Returns:
            A new sensor with those bands.

        Raises:
            SensorError: A name is not a band of this sensor, or none was given.
        """
        known = {band.lower(): i for i, band in enumerate(self.bands)}
        rows: list[int] = []
        for band in bands:
            if band.strip().lower() not in known:
                raise SensorError(f"sensor '{self.name}' has no band '{band}'", do=did_you_mean(band, self.bands))
            rows.append(known[band.strip().lower()])
        if not rows:
            raise SensorError(f"no band of sensor '{self.name}' was selected", expected="at least one of its bands")
        kept = {self.bands[i] for i in rows}
        return Sensor(
            self.name,
            tuple(self.bands[i] for i in rows),
            self.wavelengths_nm,
            self.response[rows],
            self.source,
            self.licence,
            {name: group for name, group in self.groups.items() if kept.issuperset(group)},
        )
