"""Fill values that a file does not declare: taken for light they would spoil the whole image."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hsrdiff.errors import InvalidValueError

# what products and programs write where there are no data; float32 has each of them exactly
_FILLS = (-999.0, -9999.0, -99999.0, -32767.0, -32768.0, -2147483648.0)
# beyond any unit of light: the fills of NetCDF (9.97e36), of USGS (-1e34), 1e20 and the largest float32 are
_BEYOND = 1e19


def check_fill(cube: xr.DataArray, role: str) -> None:
    """Refuse an image that holds a fill value as if it were measured.

    A number beyond 1e19 is one. So is a usual fill value that a pixel has in all of two bands and more, or that has
    no other value near it, within a factor of two.

    Args:
        cube: (band, y, x), NaN or infinite where invalid, with at least one number.
        role: What the image is, for the message.

    Raises:
        InvalidValueError: It does.
    """
    values = cube.values
    finite = np.isfinite(values)  # infinite values are invalid as it is
    least = float(np.min(values, where=finite, initial=np.inf))
    most = float(np.max(values, where=finite, initial=-np.inf))
    if most >= _BEYOND or least <= -_BEYOND:
        found = most if most >= _BEYOND else least
        count = int((finite & (np.abs(values) >= _BEYOND)).sum())
        raise _refused(role, f"{count} value(s) such as {found:.6g}, which no image has")
    for fill in _FILLS:
        if least > fill:
            continue
        at = values == np.float32(fill)
        count = int(at.sum())
        if not count:
            continue
        whole = int(at.all(axis=0).sum()) if len(values) > 1 else 0
        if whole:
            raise _refused(role, f"{whole} pixel(s) of {fill:.10g} in every band")
        near = (values < fill / 2) & (values > 2 * fill) & ~at
        if not near.any():
            raise _refused(role, f"{count} value(s) of {fill:.10g} and none near it")


def _refused(role: str, found: str) -> InvalidValueError:
    return InvalidValueError(
        f"{role} holds {found}, which looks like nodata that is not declared",
        expected="NaN, or a nodata value that the file names",
        do="declare it in the file, or replace it by NaN",
    )
