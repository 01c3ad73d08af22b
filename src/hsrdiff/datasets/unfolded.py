"""Scenes of the unmixing literature: a square image unfolded to a matrix of bands x pixels."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from hsrdiff.cubes import open_cube
from hsrdiff.errors import CubeFormatError
from hsrdiff.typing import FloatArray


def read_unfolded(path: Path, matrix: str, bands: int) -> FloatArray:
    """Fold a matrix of bands x pixels, pixels counted down the columns as MATLAB does, into a square cube.

    Args:
        path: A MATLAB file.
        matrix: Name of the matrix.
        bands: How many bands it must have.

    Returns:
        Shape (bands, n, n), float64.

    Raises:
        CubeFormatError: If the file cannot be read, or the matrix is missing or has another shape.
    """
    values = np.asarray(open_cube(path, variable=matrix).values[0], dtype=np.float64)
    side = math.isqrt(values.shape[1])
    if values.shape != (bands, side * side):
        raise CubeFormatError(
            f"'{matrix}' in '{path}' has shape {values.shape}",
            expected=f"{bands} bands x the pixels of a square image",
            do="get the file again",
        )
    return values.reshape(bands, side, side, order="F")
