"""Nodata, scale and offset that an array declares beside its numbers, as rioxarray, xarray and NumPy's masks do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.packed_cube import encoding_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

# a plural is what rioxarray writes where bands differ
_SCALES, _OFFSETS = ("scale_factor", "scales"), ("add_offset", "offsets")
_FILLS = ("_FillValue", "missing_value", "fill_value", "nodata", "nodatavals")


def without_mask(array: Any) -> Any:
    """Return an array with NaN where NumPy's mask is set.

    Args:
        array: Anything; all but a masked array of numbers is returned as it is.

    Returns:
        An array without a mask, float32 where there was one.
    """
    if not isinstance(array, np.ma.MaskedArray) or array.dtype.kind not in "iufb":
        return array
    # filled before it is made float32: what lies under a mask may not fit
    values = np.asarray(array.data).astype(np.float32)
    values[np.ma.getmaskarray(array)] = np.nan
    return values


def unpacked(array: xr.DataArray) -> xr.DataArray:
    """Return a DataArray with the physical values that its attributes declare, as a file with these would be read.

    What they declare goes from the attributes to `.encoding`, so that writing restores it and nothing is applied
    twice. Where xarray unpacked the numbers itself, it has put it there already.

    Args:
        array: ``(band, y, x)`` of real numbers.

    Returns:
        The array itself where nothing is declared.

    Raises:
        InputError: A scale or offset is declared of numbers that may have been unpacked already.
        CubeFormatError: A scale is zero or not finite.
    """
    scale, offset = _numbers(array, _SCALES, 1.0), _numbers(array, _OFFSETS, 0.0)
    packing = Packing.of(array.dtype, scale, offset, _fill_of(array))
    known = {*_SCALES, *_OFFSETS, *_FILLS} & set(array.attrs)
    if array.dtype.kind == "b" or (packing.is_plain and packing.fill_value is None):
        return array
    if array.dtype.kind == "f" and not packing.is_plain:
        # calculations keep the attributes of what they began with
        raise InputError(
            f"the attributes of the array name a scale of {_first(scale):g} and an offset of {_first(offset):g}, and "
            f"its numbers are {array.dtype}, so that they may have been applied already",
            expected="physical values, or the whole numbers of the file",
            do="open the file with hsrdiff.open_cube, or with mask_and_scale=True, or delete these attributes",
        )
    values = packing.decode(array.data)
    attrs = {name: value for name, value in array.attrs.items() if name not in known}
    result = array.copy(data=values)
    result.attrs, result.encoding = attrs, {**array.encoding, **encoding_of(packing, array.coords)}
    return result


def _numbers(array: xr.DataArray, names: tuple[str, ...], default: float) -> Any:
    """Return the number, or one for each band, of the first attribute that is there."""
    numbers = next((array.attrs[name] for name in names if name in array.attrs), default)
    try:
        numbers = np.asarray(numbers, np.float64)
    except (TypeError, ValueError):
        return default
    fits = numbers.size == 1 or numbers.shape == (array.sizes.get("band"),)
    if not fits:
        raise InputError(
            f"the attribute '{next(name for name in names if name in array.attrs)}' has {numbers.size} entries",
            expected="one, or one for each band",
        )
    return numbers.reshape(()) if numbers.size == 1 else numbers


def _first(numbers: Any) -> float:
    return float(np.asarray(numbers).reshape(-1)[0])


def _fill_of(array: xr.DataArray) -> float | None:
    """Return the number of invalid pixels that the array declares and still has."""
    import rioxarray  # noqa: F401  (registers .rio)

    try:
        if array.rio.encoded_nodata is not None:
            return None  # NaN has taken its place
        nodata = array.rio.nodata
    except (OverflowError, TypeError, ValueError):  # its type cannot hold it, or it is no number
        return None
    return None if nodata is None or np.isnan(nodata) else float(nodata)
