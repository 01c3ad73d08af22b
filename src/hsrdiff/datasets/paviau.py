"""Pavia University: one airborne ROSIS scene; the top left corner tests, the L-shaped rest trains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from hsrdiff.cubes import open_cube
from hsrdiff.datasets.cut_scenes import CutScenes
from hsrdiff.errors import CubeFormatError
from hsrdiff.typing import FloatArray

BANDS, HEIGHT, WIDTH = 103, 610, 340
TEST_SIDE = 128
FILE = "paviau/PaviaU.mat"


class PaviaU(CutScenes):
    """The paper's PaviaU (section 4.1): 103 ROSIS bands of 430 to 860 nm, factor 4, a WorldView-3 guide.

    The test scene is the square of 128 x 128 pixels at the top left. The rest is an L; it is cut into the two
    rectangles "right" (beside the square) and "bottom" (below both), each one LR pixel away from the square and from
    each other. That leaves out 1 % of the training pixels at factor 4. Only the ends of the spectral range are
    published; the centres are spaced evenly between them.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "paviau"
    citation = "ROSIS scene of Pavia University by Paolo Gamba, Telecommunications and Remote Sensing Laboratory, Pavia"
    # P29: the largest digital number of the file, where the sensor saturates
    peak = 8000.0
    files: ClassVar = dict.fromkeys(("right", "bottom", "corner"), FILE)
    splits: ClassVar = {
        "train": ("bottom", "right"),
        "fit": ("bottom",),
        "validation": ("right",),
        "test": ("corner",),
    }
    bands = BANDS
    origin = "the page 'Hyperspectral Remote Sensing Scenes' of the University of the Basque Country (Pavia University)"
    layout = "paviaU (610, 340, 103)"

    def windows(self) -> Mapping[str, tuple[slice, slice]]:
        """Return the test square and the two training rectangles."""
        far = TEST_SIDE + self.margin
        return {
            "right": (slice(0, TEST_SIDE), slice(far, WIDTH)),
            "bottom": (slice(far, HEIGHT), slice(0, WIDTH)),
            "corner": (slice(0, TEST_SIDE), slice(0, TEST_SIDE)),
        }

    def axis(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Return the centres; widths are not known."""
        return np.linspace(430.0, 860.0, BANDS), None

    def read_window(self, path: Path, rows: slice, columns: slice) -> FloatArray:
        """Read one window.

        Args:
            path: A MATLAB file with ``paviaU`` (610, 340, 103).
            rows: Rows of the scene.
            columns: Its columns.

        Returns:
            Shape (103, H, W).

        Raises:
            CubeFormatError: If the file cannot be read or has another shape.
        """
        cube = open_cube(path, variable="paviaU")
        if cube.shape != (BANDS, HEIGHT, WIDTH):
            raise CubeFormatError(
                f"'paviaU' in '{path}' has {cube.sizes['band']} bands of {cube.sizes['y']} x {cube.sizes['x']} pixels",
                expected=f"{BANDS} bands of {HEIGHT} x {WIDTH}",
                do="get the file again",
            )
        return np.array(cube.values[:, rows, columns])
