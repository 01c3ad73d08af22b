"""AVIRIS over Jasper Ridge: one scene of the unmixing literature, 197 bands."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from hsrdiff.datasets.known_scenes import KnownScenes
from hsrdiff.datasets.unfolded import read_unfolded
from hsrdiff.typing import FloatArray

# the first of the 198 bands distributed correlates less than 0.90 with its neighbour
DISTRIBUTED, NOISE_BANDS = 198, 1


class JasperRidge(KnownScenes):
    """One test scene of 100 x 100 pixels, 197 AVIRIS bands of about 0.38 to 2.5 micrometres.

    The file holds 198 bands, numbers 4 to 219 of the instrument's 224 without those of water vapour; the first is
    noise and left out. It names the bands' numbers and not their centres, which are taken as not known. There is
    nothing to train on.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "jasper-ridge"
    citation = (
        "AVIRIS, NASA Jet Propulsion Laboratory; Zhu, Wang, Xiang, Fan and Pan, Structured sparse method for "
        "hyperspectral unmixing, ISPRS Journal of Photogrammetry and Remote Sensing 2014"
    )
    peak = 5437.0  # the largest value of the scene
    files: ClassVar = {"jasper-ridge": "small/jasperRidge2_R198.mat"}
    splits: ClassVar = {"train": (), "fit": (), "validation": (), "test": ("jasper-ridge",)}
    bands = DISTRIBUTED - NOISE_BANDS
    origin = "one of the public copies of the unmixing scene jasperRidge2_R198"
    layout = "Y (198, 10000)"

    def read(self, path: Path) -> FloatArray:
        """Read the scene without its noise band.

        Args:
            path: A MATLAB file with ``Y`` (198, pixels).

        Returns:
            Shape (197, H, W).

        Raises:
            CubeFormatError: If the file cannot be read or has other bands.
        """
        return read_unfolded(path, "Y", DISTRIBUTED)[NOISE_BANDS:]
