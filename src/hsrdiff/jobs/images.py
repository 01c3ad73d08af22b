"""What a job takes: cubes and masks, from paths or arrays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from hsrdiff.cubes import as_cube, open_cube
from hsrdiff.errors import HsrdiffError, InputError, InvalidValueError, ShapeError
from hsrdiff.jobs.undeclared_fill import check_fill
from hsrdiff.typing import BoolArray, PathLike

if TYPE_CHECKING:
    import torch

Image: TypeAlias = "PathLike | xr.DataArray | npt.NDArray[Any] | torch.Tensor"


def take_cube(image: Image, role: str, variable: str | None = None) -> xr.DataArray:
    """Open a path, or check and complete an array.

    Args:
        image: Path of a cube, a DataArray with dims band, y and x, or an array (band, y, x).
        role: What the image is, for messages, such as ``"the multispectral image"``.
        variable: What to read of a file that holds several things, as `open_cube` takes it; None for its default.

    Returns:
        A float32 cube (band, y, x) in memory.

    Raises:
        CubeFormatError: The file cannot be read as a cube.
        InputError: A variable of an array is asked for, or it is no array of numbers.
        ShapeError: The array is not (band, y, x).
        InvalidValueError: Not one value is a finite number, or some are fill values that the file does not declare.
    """
    if isinstance(image, str | os.PathLike):
        cube = open_cube(image, variable=variable)
    elif variable is not None:
        raise InputError(
            f"the variable '{variable}' of {role} is asked for, which is an array",
            expected="the path of a file or product",
            do="open it with hsrdiff.open_cube(path, variable=...)",
        )
    else:
        cube = _array_cube(image, role)
    if not np.isfinite(cube.values).any():
        raise InvalidValueError(
            f"{role}{_named(image)} has no valid pixel: every value is NaN or nodata",
            expected="numbers",
            do="check the nodata value and the mask of the file",
        )
    check_fill(cube, f"{role}{_named(image)}")
    return cube


def _array_cube(image: Any, role: str) -> xr.DataArray:
    """Make a cube of what is given in place of a file, or say what it is."""
    do = "give a path, a DataArray or an array"
    if isinstance(image, xr.Dataset):
        do = f"give one of its variables ({', '.join(map(str, image.data_vars)) or 'it has none'})"
    else:
        try:
            return as_cube(image)
        except HsrdiffError:
            raise
        except (RuntimeError, TypeError, ValueError):  # NumPy cannot make an array of it
            if hasattr(image, "detach"):
                do = "give its detach().cpu()"
    raise InputError(f"{role} is a {type(image).__name__}", expected="an array (band, y, x) of numbers", do=do)


def _named(image: Image) -> str:
    return f" '{image}'" if isinstance(image, str | os.PathLike) else ""


def usable_bands(cube: xr.DataArray) -> BoolArray:
    """Mark the bands worth fusing: not marked as bad by the file, and with at least one valid pixel.

    Args:
        cube: (band, y, x).

    Returns:
        (B,), True for a usable band.

    Raises:
        InvalidValueError: No band is left.
    """
    usable: BoolArray = np.isfinite(cube.values).any(axis=(1, 2))
    if "good_band" in cube.coords:
        usable = usable & np.asarray(cube["good_band"].values, dtype=bool)
    if not usable.any():
        raise InvalidValueError(
            "every band of the hyperspectral image is marked as bad or empty",
            expected="at least one good band",
            do="check its good_band marks",
        )
    return usable


def take_mask(mask: Image, size: tuple[int, int]) -> BoolArray:
    """Read a mask: True, or any number but 0, where a pixel counts.

    Args:
        mask: Path, DataArray or array of one band.
        size: (H, W) it must have.

    Returns:
        (H, W), True where a pixel counts.

    Raises:
        ShapeError: It has more than one band or another size.
    """
    if isinstance(mask, str | os.PathLike):
        values = open_cube(mask).values
    else:
        values = as_cube(mask).values
    if values.shape != (1, *size):
        raise ShapeError(
            f"the mask has shape {values.shape}",
            expected=f"(1, {size[0]}, {size[1]}), one band of the size of the truth",
        )
    return np.asarray(np.isfinite(values[0]) & (values[0] != 0))
