"""Chikusei: one large airborne scene of 128 bands in a MATLAB 7.3 file, of which only the window asked for is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from hsrdiff.cubes.matlab73 import lazy_array
from hsrdiff.datasets.cut_scenes import CutScenes
from hsrdiff.errors import CubeFormatError
from hsrdiff.typing import FloatArray

DISTRIBUTED, HEIGHT, WIDTH = 128, 2517, 2335
# P25: the 110 bands between 400 and 970 nm; the 8 and 10 at the ends are left out
KEPT = slice(8, 118)
# P25: the central 2048 x 2048 pixels
TOP, LEFT, SIDE = 234, 143, 2048
HALF, TILE = SIDE // 2, 512
VALIDATION_COLUMNS = 512
TILES = tuple(f"tile-{row}-{column}" for row in (1, 2) for column in (1, 2, 3, 4))
FILE = "chikusei/HyperspecVNIR_Chikusei_20140729.mat"


class Chikusei(CutScenes):
    """The paper's Chikusei (section 4.1): 110 bands of the central 2048 x 2048 pixels, factor 4, a WorldView-3 guide.

    The top 1024 rows train and the bottom ones are eight test tiles of 512 x 512 pixels. Training keeps one LR pixel
    away from the tiles. Its right quarter is for validation ("top-right"), again one LR pixel away from the rest
    ("top-left"). Only the ends of the spectral range, 363 and 1018 nm, are published; the centres are spaced evenly
    between them.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "chikusei"
    citation = (
        "Yokoya and Iwasaki, Airborne hyperspectral data over Chikusei, Space Application Laboratory, University of "
        "Tokyo, SAL-2016-05-27, 2016"
    )
    # P29: the largest digital number of the central pixels, so that the file is not read to find it
    peak = 15133.0
    files: ClassVar = dict.fromkeys(("top-left", "top-right", *TILES), FILE)
    splits: ClassVar = {
        "train": ("top-left", "top-right"),
        "fit": ("top-left",),
        "validation": ("top-right",),
        "test": TILES,
    }
    bands = KEPT.stop - KEPT.start
    origin = "Naoto Yokoya's page 'Airborne hyperspectral data over Chikusei' (the MATLAB version)"
    layout = "chikusei (2517, 2335, 128), MATLAB 7.3"

    def windows(self) -> Mapping[str, tuple[slice, slice]]:
        """Return both training windows and the eight test tiles."""
        training = slice(TOP, TOP + HALF - self.margin)
        parted = LEFT + SIDE - VALIDATION_COLUMNS
        return {
            "top-left": (training, slice(LEFT, parted - self.margin)),
            "top-right": (training, slice(parted, LEFT + SIDE)),
        } | {
            f"tile-{row + 1}-{column + 1}": (
                slice(TOP + HALF + row * TILE, TOP + HALF + (row + 1) * TILE),
                slice(LEFT + column * TILE, LEFT + (column + 1) * TILE),
            )
            for row in range(HALF // TILE)
            for column in range(SIDE // TILE)
        }

    def axis(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Return the centres of the bands kept; widths are not known."""
        return np.linspace(363.0, 1018.0, DISTRIBUTED)[KEPT], None

    def read_window(self, path: Path, rows: slice, columns: slice) -> FloatArray:
        """Read one window, and nothing else of the file.

        Args:
            path: A MATLAB 7.3 file with ``chikusei`` (2517, 2335, 128).
            rows: Rows of the scene.
            columns: Its columns.

        Returns:
            Shape (110, H, W).

        Raises:
            CubeFormatError: If the file cannot be read or has another shape.
        """
        image = lazy_array(path, "chikusei")
        if image.shape != (HEIGHT, WIDTH, DISTRIBUTED):
            raise CubeFormatError(
                f"'chikusei' in '{path}' has shape {image.shape}",
                expected=f"{(HEIGHT, WIDTH, DISTRIBUTED)}",
                do="get the file again",
            )
        return image.transpose((2, 0, 1))[KEPT, rows, columns].astype(np.float32)
