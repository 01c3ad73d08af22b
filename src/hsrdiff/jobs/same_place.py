"""Whether cubes have a place on the map, and two of one size the same, as far as both say where they lie."""

from __future__ import annotations

import numpy as np
import xarray as xr
from affine import Affine
from rasterio.crs import CRS

from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import InputError

_APART_PX = 0.5  # along rows or columns, at the corner that is farthest off


def check_same_place(cube: xr.DataArray, crs: CRS | None, transform: Affine | None, *, names: tuple[str, str]) -> None:
    """Refuse a cube of which a corner lies half a pixel or more from where it should.

    Args:
        cube: The cube.
        crs: Coordinate system in which it should lie, or None.
        transform: Pixel corners (column, row) to map coordinates there, or None where they are not known.
        names: What the cube and the other one are, for the message.

    Raises:
        InputError: It lies elsewhere, or its pixels have another size or direction.
    """
    own_crs, own = georeference_of(cube)
    if own is None or transform is None or not (on_a_map(own_crs, own) and on_a_map(crs, transform)):
        return
    if own_crs is not None and crs is not None and own_crs != crs:
        return  # one system has many names: numbers can be compared within one only
    height, width = cube.sizes["y"], cube.sizes["x"]
    into = ~transform @ own
    moved = [(into @ corner, corner) for corner in ((0, 0), (width, 0), (0, height), (width, height))]
    apart = max(max(abs(at[0] - corner[0]), abs(at[1] - corner[1])) for at, corner in moved)
    if apart < _APART_PX:
        return
    raise InputError(
        f"{names[0]} and {names[1]} lie up to {apart:.6g} pixels apart on the map",
        expected="the same place",
        do="check that both files are of one scene and one grid",
    )


def places_of(
    hsi: xr.DataArray, msi: xr.DataArray
) -> tuple[tuple[CRS | None, Affine | None], tuple[CRS | None, Affine | None]]:
    """Return where two images of one scene lie.

    Args:
        hsi: LR-HSI.
        msi: HR-MSI.

    Returns:
        The CRS of each and its transform, the latter None where it has no place on the map.
    """
    (coarse_crs, coarse), (crs, fine) = georeference_of(hsi), georeference_of(msi)
    if coarse is not None and fine is not None and coarse_crs is None and crs is None:
        # both may count in pixels of one of them, as images that were made of a scene without a CRS
        sides = [_sides(image, place) for image, place in ((hsi, coarse), (msi, fine))]
        meet = bool((np.max(sides, axis=0)[0] < np.min(sides, axis=0)[1]).all())
        if meet and abs(coarse.determinant) > abs(fine.determinant) and Affine.identity() not in (coarse, fine):
            return (None, coarse), (None, fine)
    return (
        (coarse_crs, coarse if on_a_map(coarse_crs, coarse) else None),
        (crs, fine if on_a_map(crs, fine) else None),
    )


def _sides(image: xr.DataArray, transform: Affine) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the least x and y of an image, and the largest."""
    height, width = image.sizes["y"], image.sizes["x"]
    x, y = zip(*(transform @ corner for corner in ((0, 0), (width, 0), (0, height), (width, height))), strict=True)
    return (min(x), min(y)), (max(x), max(y))


def on_a_map(crs: CRS | None, transform: Affine | None) -> bool:
    """Tell whether a transform means a place, rather than numbers of rows and columns.

    Args:
        crs: Coordinate system, or None.
        transform: Pixel corners (column, row) to coordinates, or None.
    """
    if transform is None or transform == Affine.identity():
        return False
    return crs is not None or (abs(transform.a), transform.b, transform.d, abs(transform.e)) != (1.0, 0.0, 0.0, 1.0)


def check_no_deviation(cube: xr.DataArray, name: str) -> None:
    """Refuse the standard deviation of a result in its place.

    Args:
        cube: What was given as the result.
        name: What it should be.

    Raises:
        InputError: It says that it is a standard deviation.
    """
    if cube.attrs.get("hsrdiff_quantity") == "standard deviation":
        raise InputError(
            f"{name} holds the standard deviation of a result, by its own word",
            expected="the result itself",
            do="give the file that stands beside it",
        )
