"""HypSen: a real pair of Hyperion and Sentinel-2A at ratio 3, without truth."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import xarray as xr

from hsrdiff.cubes import open_cube
from hsrdiff.datasets.base import data_root, require_scene
from hsrdiff.errors import CubeFormatError, DatasetNotFoundError
from hsrdiff.typing import PathLike

ENDINGS = (".mat", ".tif", ".nc", ".img", ".h5")
LAYOUT = (
    "hypsen/hyperion.mat (84 bands of 250 x 330 pixels, with their wavelengths) and hypsen/sentinel2.mat "
    f"(B2, B3, B4, B8; 750 x 990), or with another ending: {', '.join(ENDINGS)}"
)
ORIGIN = (
    "the authors of the data set, or cut them from an EO-1 Hyperion scene (USGS EarthExplorer) and a Sentinel-2A scene "
    "(Copernicus Data Space) of the same place"
)


class HypSen:
    """The paper's HypSen (sections 4.1 and 4.6): Hyperion at 30 m, 84 bands, and Sentinel-2A at 10 m, four bands.

    Bands and cut of the paper are not published as numbers (P36), so the two images have to be brought in that form:
    84 bands of 250 x 330 pixels, and blue, green, red and near infrared (B2, B3, B4, B8) of 750 x 990, registered.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.

    Raises:
        DatasetNotFoundError: If the folder does not exist.

    Attributes:
        shapes: Name of each file without its ending -> shape (bands, rows, columns).
    """

    name = "hypsen"
    citation = (
        "Yang, Zhao and Chan, Hyperspectral and multispectral image fusion via deep two-branches convolutional neural "
        "network, Remote Sensing 10(5):800, 2018; Hyperion: USGS and NASA; contains modified Copernicus Sentinel data"
    )
    factor = 3
    sensor = "sentinel2:B2,B3,B4,B8"
    shapes: ClassVar = {"hyperion": (84, 250, 330), "sentinel2": (4, 750, 990)}

    def __init__(self, data: PathLike | None = None) -> None:
        self.root = data_root(data, holds=LAYOUT, origin=ORIGIN)

    def pairs(self) -> tuple[str, ...]:
        """Return the name of the one pair.

        Returns:
            Names that `load_pair` takes.
        """
        return (self.name,)

    def load_pair(self, pair: str) -> tuple[xr.DataArray, xr.DataArray]:
        """Read both images, in the units of their files.

        Args:
            pair: ``"hypsen"``.

        Returns:
            Y, a cube (84, 250, 330), with wavelengths where the file has them, and X, a cube (4, 750, 990).

        Raises:
            DatasetNotFoundError: If a file is not there.
            CubeFormatError: If a file cannot be read, has another shape or no value above 0.
            InputError: For an unknown pair.
        """
        require_scene(pair, self.pairs(), self.name)
        hsi, msi = (self._read(stem) for stem in self.shapes)
        return hsi, msi

    def _read(self, stem: str) -> xr.DataArray:
        path = self._path(stem)
        cube = open_cube(path)
        bands, height, width = self.shapes[stem]
        if cube.shape != (bands, height, width):
            raise CubeFormatError(
                f"'{path}' has {cube.sizes['band']} bands of {cube.sizes['y']} x {cube.sizes['x']} pixels",
                expected=f"{bands} bands of {height} x {width}, as the paper cut them",
                do="select the bands and cut the image, or fuse other images with 'hsrdiff fuse', which takes any size",
            )
        if not bool((cube > 0).any()):
            raise CubeFormatError(f"'{path}' has no value above 0", expected="an image", do="get the file again")
        return cube

    def _path(self, stem: str) -> Path:
        for ending in ENDINGS:
            path = self.root / self.name / f"{stem}{ending}"
            if path.is_file():
                return path
        raise DatasetNotFoundError(
            f"the image '{stem}' of the data set '{self.name}' is not under '{self.root / self.name}'",
            expected=f"under the data folder {LAYOUT}",
            do=f"get them from {ORIGIN}, and put them there",
        )
