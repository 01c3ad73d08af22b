"""Whether two cubes of one size lie in one place, as far as both say where they lie."""

from __future__ import annotations

import math

import xarray as xr
from affine import Affine

from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import InputError

_APART_PX, _STRETCH = 0.5, 0.01


def check_same_place(cube: xr.DataArray, crs: object, transform: Affine | None, *, names: tuple[str, str]) -> None:
    """Refuse a cube whose pixels do not lie where they should by half a pixel or more.

    Args:
        cube: The cube.
        crs: Coordinate system in which it should lie, or None.
        transform: Pixel corners (column, row) to map coordinates there, or None where they are not known.
        names: What the cube and the other one are, for the message.

    Raises:
        InputError: It lies elsewhere, or has pixels of another size.
    """
    own_crs, own = georeference_of(cube)
    if own is None or transform is None or Affine.identity() in (own, transform):
        return
    if own_crs is not None and crs is not None and own_crs != crs:
        return  # one system has many names: numbers can be compared within one only
    size = math.sqrt(abs(transform.determinant))
    apart = math.hypot(own.c - transform.c, own.f - transform.f)
    turned = max(abs(own.a - transform.a), abs(own.b - transform.b), abs(own.d - transform.d), abs(own.e - transform.e))
    if apart < _APART_PX * size and turned < _STRETCH * size:
        return
    found = f"{names[0]} begins {apart:.6g} map units ({apart / size:.1f} pixels) from {names[1]}"
    if turned >= _STRETCH * size:
        found = f"{names[0]} and {names[1]} have pixels of another size or direction on the map"
    raise InputError(found, expected="the same place", do="check that both files are of one scene and one grid")


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
