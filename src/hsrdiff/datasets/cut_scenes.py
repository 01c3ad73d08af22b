"""One large image on disk, cut into training and test scenes that stay apart by more than the blur reaches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hsrdiff.datasets.known_scenes import KnownScenes
from hsrdiff.errors import CubeFormatError
from hsrdiff.typing import FloatArray, PathLike

# P18: blue, green, red, near infrared 1
SENSOR = "worldview3:bgrn"
# a largest value outside these shares of the peak means another unit than the published file's
LEAST_SHARE, LARGEST_SHARE = 0.01, 1.5


class CutScenes(KnownScenes):
    """Scenes that are windows of one image: a data set adds the windows and how a window is read.

    Windows on two sides of a split leave out `margin` rows or columns between them. A pair is simulated from its own
    window, mirrored at the window's border, so no pixel of one side enters the other even without the margin; with
    it, pairs made from the whole image would not mix either.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio, a whole number of at least 2.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    def __init__(self, data: PathLike | None = None, *, factor: int = 4, sensor: str = SENSOR) -> None:
        super().__init__(data, factor=factor, sensor=sensor)

    @property
    def margin(self) -> int:
        """Pixels left out between training and test: one LR pixel; the PSF reaches half of that beyond its block."""
        return self.factor

    def windows(self) -> Mapping[str, tuple[slice, slice]]:
        """Return the windows of all scenes.

        Returns:
            Scene name -> (rows, columns) of the image in the file.
        """
        raise NotImplementedError

    def read_window(self, path: Path, rows: slice, columns: slice) -> FloatArray:
        """Read the bands kept of one window.

        Args:
            path: An existing file.
            rows: Rows of the image in the file.
            columns: Its columns.

        Returns:
            Shape (B, H, W), in the file's units, invalid pixels NaN.

        Raises:
            CubeFormatError: If the file cannot be read or is not laid out as it should be.
        """
        raise NotImplementedError

    def read_scene(self, scene: str) -> FloatArray:
        """Read the window of one scene; small negative values become 0.

        Args:
            scene: A name from `scenes`.

        Returns:
            Shape (B, H, W), in the file's units, invalid pixels NaN.

        Raises:
            DatasetNotFoundError: If the file is not there.
            CubeFormatError: If it cannot be read, is not laid out as it should be or holds another unit.
            InputError: For an unknown scene.
        """
        path = self.path(scene)
        values = self.read_window(path, *self.windows()[scene])
        lowest, highest = (float(extreme.reduce(values, axis=None)) for extreme in (np.fmin, np.fmax))  # NaN apart
        least = LEAST_SHARE * self.peak
        if lowest < -least or not least <= highest <= LARGEST_SHARE * self.peak:
            raise CubeFormatError(
                f"the values of '{path}' run from {lowest:g} to {highest:g} in the scene '{scene}'",
                expected=f"the digital numbers of the published file, 0 to about {self.peak:g}",
                do="get the file again, not scaled",
            )
        return np.maximum(values, 0.0, out=values)
