"""Where a cube lies: its CRS and transform, kept in `.rio` and followed through cropping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.errors import InputError

if TYPE_CHECKING:
    import xarray as xr
    from affine import Affine
    from rasterio.crs import CRS

PLACE_NOTE = "place_note"  # attribute of a cube that has no transform: what could give it one, and is not used


def unused_place(*, points: bool, polynomials: bool) -> dict[str, str]:
    """Say that an image without a grid on the map has something to lay one by, which is not used.

    Args:
        points: Whether it has ground control points.
        polynomials: Whether it has rational polynomials.

    Returns:
        The attribute `PLACE_NOTE`, or nothing.
    """
    found = "ground control points" if points else "rational polynomials (RPC)" if polynomials else ""
    return {PLACE_NOTE: f"{found} are not used: gdalwarp lays the image on a map by them"} if found else {}


def set_georeference(cube: xr.DataArray, crs: Any, transform: Affine | None) -> xr.DataArray:
    """Return the cube with its CRS and transform in `.rio`, and x, y as pixel centres where rows are parallel.

    Args:
        cube: ``(band, y, x)``.
        crs: Anything `rasterio` takes for a CRS, or None.
        transform: Pixel (column, row) corners to map coordinates, or None.

    Returns:
        A new cube; the values are shared.

    Raises:
        InputError: The CRS is not known.
    """
    import rioxarray  # noqa: F401  (registers .rio)
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    cube = cube.copy(deep=False)  # rioxarray would copy the values, for which there may be no memory
    if transform is not None:
        cube.attrs.pop(PLACE_NOTE, None)
        if transform.b == 0 and transform.d == 0:
            height, width = cube.sizes["y"], cube.sizes["x"]
            cube = cube.assign_coords(
                x=transform.c + transform.a * (np.arange(width) + 0.5),
                y=transform.f + transform.e * (np.arange(height) + 0.5),
            )
        else:
            cube = cube.drop_vars(["x", "y"], errors="ignore")
        cube = cube.rio.write_transform(transform, inplace=True)
    if crs is not None:
        try:
            known = CRS.from_user_input(crs)
        except CRSError as error:
            raise InputError(f"the CRS {crs!r} is not known", expected="an EPSG code or WKT") from error
        cube = cube.rio.write_crs(known, inplace=True)
    return cube


def georeference_of(cube: xr.DataArray) -> tuple[CRS | None, Affine | None]:
    """Return the CRS and the transform of a cube, also after it was cropped along x and y.

    Args:
        cube: ``(band, y, x)``. A rotated transform has no x and y to follow a crop by and is taken as it stands.

    Returns:
        The CRS or None, and the transform or None.
    """
    import rioxarray  # noqa: F401  (registers .rio)
    from affine import Affine

    crs = cube.rio.crs
    entry = cube.coords[cube.rio.grid_mapping].attrs if cube.rio.grid_mapping in cube.coords else {}
    stored = None
    if "GeoTransform" in entry:
        stored = Affine.from_gdal(*(float(number) for number in str(entry["GeoTransform"]).split()))
    if "x" not in cube.coords or "y" not in cube.coords:
        return crs, stored
    x, y = (np.asarray(cube.coords[name].values, np.float64) for name in ("x", "y"))
    if stored is not None and stored.b == 0 and stored.d == 0:
        # The stored numbers are exact; x and y tell how far in the crop begins and whether its step still fits.
        column, row = (x[0] - stored.c) / stored.a - 0.5, (y[0] - stored.f) / stored.e - 0.5
        last_column, last_row = (x[-1] - stored.c) / stored.a - 0.5, (y[-1] - stored.f) / stored.e - 0.5
        steps = (last_column - column, last_row - row)
        if np.allclose(steps, (x.size - 1, y.size - 1), atol=1e-3):
            column, row = (round(n) if abs(n - round(n)) < 1e-3 else n for n in (column, row))
            left, top = stored.c + stored.a * column, stored.f + stored.e * row
            return crs, Affine(stored.a, 0.0, left, 0.0, stored.e, top)
    if x.size < 2 or y.size < 2:
        return crs, stored
    step_x, step_y = (x[-1] - x[0]) / (x.size - 1), (y[-1] - y[0]) / (y.size - 1)
    return crs, Affine(step_x, 0.0, x[0] - step_x / 2, 0.0, step_y, y[0] - step_y / 2)
