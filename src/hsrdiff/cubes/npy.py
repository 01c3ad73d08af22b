"""NumPy's .npy: the bare values (band, y, x), never pickled objects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import CreationOptions, no_variables
from hsrdiff.cubes.packed_cube import packed_strips
from hsrdiff.cubes.packing import Packing
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "NumPy"
suffixes: tuple[str, ...] = (".npy",)
options: dict[str, tuple[object, ...]] = {}
can_write = True
can_keep: frozenset[str] = frozenset({"nodata"})


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file begins as .npy."""
    return head.startswith(b"\x93NUMPY")


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read an array of (band, y, x), or of (y, x) as one band.

    Args:
        path: The file.
        chunks: As for `open_cube`; the file is mapped, not loaded, where given.
        variable: Must be None.

    Returns:
        The cube, without any metadata.

    Raises:
        CubeFormatError: The array has other dimensions or holds no real numbers; objects are never unpickled.
    """
    no_variables(path, variable)
    try:
        array: np.ndarray[Any, Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise CubeFormatError(
            f"{path} is cut short or holds pickled objects", expected="a plain array of numbers", do="save it again"
        ) from error
    if array.ndim not in (2, 3) or array.dtype.kind not in "iufb":
        raise CubeFormatError(
            f"{path} holds an array {array.shape} of {array.dtype}", expected="real numbers as (band, y, x)"
        )
    bands = array if array.ndim == 3 else array[None]
    return build_cube(
        bands if chunks is not None else np.array(bands),
        Packing.of(np.float32 if array.dtype.kind == "b" else array.dtype),
        chunks=chunks,
    )


def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Write the physical values as float32 (band, y, x), NaN where invalid.

    Args:
        cube: A checked cube.
        path: A file that does not exist yet.
        options: None apply.
    """
    bands, height, width = cube.shape
    with open(path, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": cube.shape}
        np.lib.format.write_array_header_1_0(file, header)
        start = file.tell()
        for rows, values in packed_strips(cube, Packing.of(np.float32)):
            for band in range(bands):
                file.seek(start + (band * height + rows.start) * width * 4)
                file.write(values[band].astype("<f4").tobytes())
