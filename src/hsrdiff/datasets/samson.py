"""SAMSON: one scene of the unmixing literature, 156 bands of the visible and near infrared."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from hsrdiff.datasets.known_scenes import KnownScenes
from hsrdiff.datasets.unfolded import read_unfolded
from hsrdiff.typing import FloatArray


class Samson(KnownScenes):
    """One test scene of 95 x 95 pixels, 156 bands of 401 to 889 nm, values 0..1 as distributed.

    Only the ends of the range are published; the centres are spaced evenly between them. There is nothing to train
    on.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "samson"
    citation = (
        "SAMSON, Florida Environmental Research Institute; Zhu, Wang, Xiang, Fan and Pan, Structured sparse method "
        "for hyperspectral unmixing, ISPRS Journal of Photogrammetry and Remote Sensing 2014"
    )
    peak = 1.0
    files: ClassVar = {"samson": "small/Samson.mat"}
    splits: ClassVar = {"train": (), "fit": (), "validation": (), "test": ("samson",)}
    bands = 156
    origin = "one of the public copies of the unmixing scene Samson"
    layout = "Y (156, 9025)"

    def axis(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Return the centres; widths are not known."""
        return np.linspace(401.0, 889.0, self.bands), None

    def read(self, path: Path) -> FloatArray:
        """Read the scene.

        Args:
            path: A MATLAB file with ``Y`` (156, pixels).

        Returns:
            Shape (156, H, W).

        Raises:
            CubeFormatError: If the file cannot be read or has other bands.
        """
        return read_unfolded(path, "Y", self.bands)
