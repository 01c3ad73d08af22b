"""The map grid of a PRISMA L2D file: its corners may stand for pixel centres or for outer corners.

Readers disagree on the meaning of Product_ULcorner_easting and its like (EnMAP-Box/enmap-box#1072), and files leave
no doubt: n pixels of 30 m span 30 n m between outer corners and 30 (n - 1) m between centres. The panchromatic band of
5 m shares the corners of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hsrdiff.cubes.hdf5 import number_of
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.crs import CRS

PIXEL_M = 30.0
PAN_PIXEL_M = 5.0
_CLOSE = 0.25  # of a pixel


class PrismaGrid(NamedTuple):
    """Size and place of a cube, and how its axes lie in the file."""

    height: int
    width: int
    crs: CRS
    transform: Affine
    transposed: bool
    note: str


def read_grid(path: Path, file: Any, swath: str, shape: tuple[int, int], pixel_m: float) -> PrismaGrid:
    """Place the pixels of a swath on the map.

    Where the swath has its latitudes and longitudes, they say which axis of the file runs along the rows, and a
    first pixel that they put elsewhere is remarked.

    Args:
        path: The file, for messages.
        file: The open `h5py.File`.
        swath: The swath's group.
        shape: The sizes of the first and the last axis of its cube.
        pixel_m: The size of a pixel, m.

    Returns:
        The grid.

    Raises:
        CubeFormatError: The EPSG code is not known, or the corners fit no grid of such pixels.
        KeyError: An attribute is missing.
    """
    from affine import Affine
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    try:
        crs = CRS.from_epsg(int(number_of(file, "Epsg_Code")))
    except CRSError:
        raise CubeFormatError(
            f"the EPSG code of {path} is {number_of(file, 'Epsg_Code'):g}", expected="the code of a UTM zone"
        ) from None
    left, top = (number_of(file, f"Product_ULcorner_{name}") for name in ("easting", "northing"))
    right, bottom = (number_of(file, f"Product_LRcorner_{name}") for name in ("easting", "northing"))
    degrees = _corner_degrees(file, swath, shape)
    transposed = degrees is not None and _runs_along_columns(degrees)
    height, width = shape[::-1] if transposed else shape
    # what the size lacks between outer corners, centres of these pixels, and centres of the 30 m pixels of the file
    for lacking_m in (0.0, pixel_m, PIXEL_M):
        apart = (right - left + lacking_m) / pixel_m - width, (top - bottom + lacking_m) / pixel_m - height
        if max(abs(part) for part in apart) <= _CLOSE:
            left, top = left - lacking_m / 2, top + lacking_m / 2
            break
    else:
        raise CubeFormatError(
            f"the corners of {path} are {right - left:g} m by {top - bottom:g} m apart",
            expected=f"{width} x {height} pixels of {pixel_m:g} m between them",
            do="download the file again",
        )
    note = ""
    if degrees is not None:
        away = _metres_away(degrees, crs, left + pixel_m / 2, top - pixel_m / 2)
        if away > _CLOSE * pixel_m:
            note = f"the first pixel lies {away:.1f} m away from its latitude and longitude in the file"
    return PrismaGrid(height, width, crs, Affine(pixel_m, 0.0, left, 0.0, -pixel_m, top), transposed, note)


def _corner_degrees(file: Any, swath: str, shape: tuple[int, int]) -> np.ndarray[Any, Any] | None:
    """Return (latitude, longitude) of the pixels [0, 0], [0, -1] and [-1, 0], or None where the file has none."""
    place = f"{swath}/Geolocation Fields"
    arrays = [file.get(f"{place}/{name}") for name in ("Latitude", "Longitude")]
    if any(array is None or array.shape != tuple(shape) for array in arrays) or min(shape) < 2:
        return None
    ends = ((0, 0), (0, shape[1] - 1), (shape[0] - 1, 0))
    degrees = np.array([[array[end] for array in arrays] for end in ends], np.float64)
    sound = np.isfinite(degrees).all() and np.abs(degrees[:, 0]).max() <= 90 and np.ptp(degrees, axis=0).all()
    return degrees if sound else None


def _runs_along_columns(degrees: np.ndarray[Any, Any]) -> bool:
    """Return whether the last axis of the file changes the latitude, and so runs along a column of the map."""
    squeeze = np.cos(np.radians(degrees[0, 0]))
    north, east = np.abs(degrees[1] - degrees[0]) * (1.0, squeeze)
    return bool(north > east)


def _metres_away(degrees: np.ndarray[Any, Any], crs: CRS, easting: float, northing: float) -> float:
    from rasterio.warp import transform

    east, north = transform("EPSG:4326", crs, [degrees[0, 1]], [degrees[0, 0]])[:2]
    return float(np.hypot(east[0] - easting, north[0] - northing))
