"""AVIRIS over Los Angeles: five cubes of 205 bands in the same order, from an anomaly detection set."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from hsrdiff.cubes import open_cube
from hsrdiff.datasets.known_scenes import KnownScenes
from hsrdiff.errors import CubeFormatError
from hsrdiff.typing import FloatArray

# P65: places (from 0) and wavelengths (nm) of what the atmosphere absorbs in every scene: oxygen at 687 and 761, water
# vapour at 940, 1135 and 1380; both ends are the instrument's
LANDMARKS = ((0, 366.0), (34, 687.0), (42, 761.0), (60, 940.0), (80, 1135.0), (105, 1380.0), (204, 2496.0))


class AvirisLa(KnownScenes):
    """Five scenes of 100 x 100 pixels (about 7 m), 205 AVIRIS bands; the last one is the test.

    Which of the instrument's bands were removed is not published, so the cubes have no wavelengths. To simulate a
    sensor as guide they are told to about one band, 10 nm, from what the atmosphere absorbs: the guide is then nearly
    that sensor, and R is exactly what the guide was made with. Values are
    reflectance times 10000 as far as can be told. A pixel with a value above 10000 in any band, as a few sun glints in
    abu-urban-4 have, is invalid: such values are twice as large as all others, and would decide every mean.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "aviris-la"
    citation = (
        "Kang, Zhang, Li, Li, Li and Benediktsson, Hyperspectral anomaly detection with attribute and "
        "edge-preserving filters, IEEE TGRS 2017; AVIRIS, NASA Jet Propulsion Laboratory"
    )
    peak = 10000.0
    files: ClassVar = {
        name: f"aviris_la/{name}.mat"
        for name in ("abu-airport-1", "abu-airport-2", "abu-airport-3", "abu-urban-4", "abu-urban-5")
    }
    splits: ClassVar = {
        "train": tuple(files)[:4],
        "fit": tuple(files)[:3],
        "validation": tuple(files)[3:4],
        "test": tuple(files)[4:],
    }
    bands = 205
    origin = "the ABU (airport-beach-urban) anomaly detection data set"
    layout = "data (100, 100, 205)"

    def guide_axis(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Return the rough centres, on straight lines between `LANDMARKS`; widths are not known."""
        places, centres_nm = zip(*LANDMARKS, strict=True)
        return np.interp(np.arange(self.bands), places, centres_nm), None

    def read(self, path: Path) -> FloatArray:
        """Read one scene, pixels with a value above the peak as NaN.

        Args:
            path: A MATLAB file with ``data`` (rows, columns, 205).

        Returns:
            Shape (205, H, W).

        Raises:
            CubeFormatError: If the file cannot be read or has other bands.
        """
        values = np.asarray(open_cube(path, variable="data").values, dtype=np.float64)
        if len(values) != self.bands:
            raise CubeFormatError(
                f"'data' in '{path}' has {len(values)} bands", expected=f"{self.bands}", do="get the file again"
            )
        # a few values of -1 and -2 stand for 0
        return np.where((values > self.peak).any(axis=0), np.nan, values.clip(0.0))
