"""Stored values: the integers and the scale that a cube is packed with, and what a reader of its file will see."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsrdiff.cubes import cave
from hsrdiff.cubes.catalog import FORMATS, format_to_write
from hsrdiff.cubes.packed_cube import packing_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.errors import CubeFormatError, InputError, did_you_mean

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.typing import PathLike

NUMBER_TYPES = ("float32", "int16", "uint16")


def check_number_type(dtype: str, path: PathLike | None, step: float | None = None) -> None:
    """Make sure that a number type is known, and that the format of an output keeps its scale.

    Args:
        dtype: One of `NUMBER_TYPES`.
        path: Where the cube goes, or None for nowhere.
        step: What one step of an integer is to mean, or None.

    Raises:
        InputError: There is no such type, or the step is no positive number or not one of integers.
        CubeFormatError: The format keeps no scale, or its ending is unknown.
    """
    if dtype not in NUMBER_TYPES:
        raise InputError(f"there is no number type '{dtype}' for a cube", do=did_you_mean(str(dtype), NUMBER_TYPES))
    if step is not None and not (math.isfinite(step) and step > 0):
        raise InputError(f"a scale of {step}", expected="a positive number", do="correct it, or leave it out")
    if step is not None and dtype == "float32":
        raise InputError(
            f"a scale of {step:g} for float32 numbers, which have none",
            expected="int16 or uint16",
            do="choose the number type, or leave the scale out",
        )
    if path is None or dtype == "float32":
        return
    known = FORMATS[format_to_write(Path(path))]
    if "packing" not in known.can_keep:
        endings = (each.suffixes[0] for each in FORMATS.values() if each.can_write and "packing" in each.can_keep)
        raise CubeFormatError(
            f"the output '{path}' is a {known.title}, which keeps no scale for {dtype} numbers",
            expected=f"one of {', '.join(sorted(set(endings)))}",
            do="choose another ending, or leave the number type out",
        )


def packed_as(cube: xr.DataArray, dtype: str, step: float | None = None) -> xr.DataArray:
    """Ask for a number type, with the scale that loses least: one for all bands, as every reader knows it.

    Integers span the valid values; the scale has three digits, so that it is the same number in every file. The
    offset is 0, but for unsigned numbers of a cube with negative values: there it is a multiple of the scale, so
    that 0 stays 0.

    Args:
        cube: (band, y, x), NaN where invalid.
        dtype: One of `NUMBER_TYPES`.
        step: What one step of an integer means, with an offset of 0, so that cubes with one step fit together; values
            beyond the type's ends are clipped. What loses least when None.

    Returns:
        The same values with an `.encoding` of their own.

    Raises:
        InputError: There is no such type.
    """
    check_number_type(dtype, None, step)
    packed = cube.copy(deep=False)
    kept = {name: value for name, value in cube.encoding.items() if name not in _ENTRIES}
    packed.encoding = kept | ({} if dtype == "float32" else _integers(cube, np.dtype(dtype), step).encoding())
    return packed


def as_stored(cube: xr.DataArray, path: PathLike | None = None, *, in_place: bool = False) -> xr.DataArray:
    """Return the cube with the values that its file gives back, rounded and clipped by its packing.

    Args:
        cube: (band, y, x) of float32, NaN where invalid.
        path: Where it goes, which decides the format; None for one that keeps the packing.
        in_place: Write the values over those of `cube`, where its array may be written to.

    Returns:
        The cube itself where nothing is lost.

    Raises:
        CubeFormatError: The format holds no invalid pixels, or its ending is unknown.
    """
    packing = packing_of(cube)
    if path is not None:
        name = format_to_write(Path(path))
        if name == "cave":
            packing = cave.WRITTEN
        elif "packing" not in FORMATS[name].can_keep:
            packing = Packing.of(np.float32, fill_value=np.nan)
        elif "band_packing" not in FORMATS[name].can_keep:
            packing = packing.one_scale()
    if packing.is_plain and packing.dtype == np.float32:
        return cube
    values = cube.values
    own = in_place and values.dtype == np.float32 and values.flags.writeable
    stored = values if own else np.empty(values.shape, np.float32)
    for band in range(len(values)):
        each = packing.of_band(band)
        stored[band] = each.decode(each.encode(values[band : band + 1]))[0]
    return cube.copy(data=stored)


_ENTRIES = ("dtype", "scale_factor", "add_offset", "_FillValue")


def share_outside(cube: xr.DataArray) -> float:
    """Return the share of the valid values that are beyond the ends of the integers that the cube is packed as.

    Args:
        cube: (band, y, x) with the encoding of its file.

    Returns:
        0 to 1; 0 for real numbers.
    """
    packing = packing_of(cube)
    if packing.dtype.kind == "f":
        return 0.0
    outside = valid = 0
    for band, values in enumerate(cube.values):
        low, high = packing.of_band(band).reach()
        known = values[np.isfinite(values)]
        outside += int(((known < low) | (known > high)).sum())
        valid += known.size
    return outside / max(valid, 1)


def _integers(cube: xr.DataArray, dtype: np.dtype[np.integer], step: float | None) -> Packing:
    """Span the valid values, or take the step that was asked for; one end of the type marks invalid pixels."""
    if step is not None:
        limits = np.iinfo(dtype)
        return Packing.of(dtype, step, 0.0, limits.min or limits.max)
    finite = (band[np.isfinite(band)] for band in cube.values)
    spans = [(float(band.min()), float(band.max())) for band in finite if band.size]
    low, high = (min(a for a, _ in spans), max(b for _, b in spans)) if spans else (0.0, 0.0)
    limits = np.iinfo(dtype)
    if limits.min:
        scale = _three_digits_up(max(-low, high) / limits.max)
        return Packing.of(dtype, scale, 0.0, limits.min)
    if low >= 0:
        return Packing.of(dtype, _three_digits_up(high / (limits.max - 1)), 0.0, limits.max)
    # the offset's step down to a multiple of the scale takes one more number
    scale = _three_digits_up((max(high, 0.0) - low) / (limits.max - 2))
    return Packing.of(dtype, scale, -math.ceil(-low / scale) * scale, limits.max)


def _three_digits_up(number: float) -> float:
    """Return the least number of three digits that is not less; 1 for 0."""
    if not number > 0:
        return 1.0
    exponent = math.floor(math.log10(number)) - 2
    return float(f"{math.ceil(number / 10.0**exponent)}e{exponent}")
