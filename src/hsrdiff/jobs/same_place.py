"""Whether two cubes of one size lie in one place, as far as both say where they lie."""

from __future__ import annotations

import xarray as xr
from affine import Affine

from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import InputError

_APART_PX = 0.5  # along rows or columns, at the corner that is farthest off


def check_same_place(cube: xr.DataArray, crs: object, transform: Affine | None, *, names: tuple[str, str]) -> None:
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
    if own is None or transform is None or not (_on_a_map(own_crs, own) and _on_a_map(crs, transform)):
        return
    if own_crs is not None and crs is not None and own_crs != crs:
        return  # one system has many names: numbers can be compared within one only
    height, width = cube.sizes["y"], cube.sizes["x"]
    into = ~transform * own
    moved = [(into * corner, corner) for corner in ((0, 0), (width, 0), (0, height), (width, height))]
    apart = max(max(abs(at[0] - corner[0]), abs(at[1] - corner[1])) for at, corner in moved)
    if apart < _APART_PX:
        return
    raise InputError(
        f"{names[0]} and {names[1]} lie up to {apart:.6g} pixels apart on the map",
        expected="the same place",
        do="check that both files are of one scene and one grid",
    )


def _on_a_map(crs: object, transform: Affine) -> bool:
    """Tell whether a transform means a place, rather than numbers of rows and columns."""
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
