"""Whether an output can be written where its name says and in the format that its ending names, before it is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from affine import Affine
from rasterio.crs import CRS

from hsrdiff.cubes import as_cube
from hsrdiff.cubes.atomic import refuse_special
from hsrdiff.cubes.catalog import check_holds, format_to_write
from hsrdiff.errors import CubeFormatError, WriteError
from hsrdiff.typing import PathLike

_LONGEST_NAME = 255  # bytes, where the system does not say


def check_name(path: PathLike, role: str) -> None:
    """Make sure that the system takes the name of an output, and that nothing stands there that is no file or folder.

    Args:
        path: The file or folder to write.
        role: What it is, such as ``"output"``.

    Raises:
        WriteError: The name is too long, or that of a device or a pipe.
    """
    refuse_special(Path(path))
    whole = Path(path).absolute()
    longest = _LONGEST_NAME
    if hasattr(os, "pathconf") and whole.parent.is_dir():
        longest = os.pathconf(whole.parent, "PC_NAME_MAX")
    length = len(os.fsencode(whole.name))
    if length > longest:
        raise WriteError(
            f"the name of the {role} '{whole.name[:20]}...' has {length} bytes",
            expected=f"at most {longest}",
            do="choose a shorter one",
        )


def named_files(
    *, psf: PathLike | npt.ArrayLike | None, srf: object, sensor: object, weights: object = None, options: object = None
) -> tuple[PathLike, ...]:
    """Return what may be files among the options of a job: no output is to replace one.

    Args:
        psf: What the user says about the PSF.
        srf: Table of responses, or None.
        sensor: Name, table or `Sensor`, or None.
        weights: Weights, or None.
        options: Options of a method by name, or None.

    Returns:
        Paths, and names that come with hsrdiff, which are in nobody's way.
    """
    told = [psf, srf, sensor, weights, *(options.values() if isinstance(options, Mapping) else ())]
    if isinstance(sensor, str):
        told.append(sensor.rpartition(":")[0])  # "my.csv:red,nir" is some bands of a table
    return tuple(each for each in told if isinstance(each, str | os.PathLike) and os.fspath(each))


def check_held(
    path: PathLike | None,
    shape: tuple[int, int, int],
    *,
    dtype: str = "float32",
    wavelengths_nm: npt.ArrayLike | None = None,
    crs: CRS | None = None,
    transform: Affine | None = None,
) -> None:
    """Make sure, before it is made, that the format of an output can hold a cube.

    Args:
        path: The file to write; None for nowhere.
        shape: (bands, rows, columns) of the cube.
        dtype: Number type of the file.
        wavelengths_nm: Band centres, nm, or None.
        crs: Its CRS, or None.
        transform: Its transform, or None.

    Raises:
        CubeFormatError: It cannot.
        WriteError: It takes no such name.
    """
    if path is None:
        return
    if format_to_write(Path(path)) == "geotiff" and not _is_unicode(Path(path).absolute()):
        raise WriteError(
            f"the name of the output '{path}' or of its folder is no Unicode",
            expected="one that is, as GDAL asks for it of a GeoTIFF",
            do="rename it, or write .nc instead",
        )
    blank = np.broadcast_to(np.float32(0), shape)  # takes no memory
    cube = as_cube(blank, wavelengths_nm=wavelengths_nm, crs=crs, transform=transform)
    cube.encoding["dtype"] = dtype
    try:
        check_holds(cube, path)
    except CubeFormatError as error:
        raise CubeFormatError(
            f"the output '{path}' cannot hold what is to be written: {error.found}",
            expected=error.expected,
            do=error.do,
        ) from error


def _is_unicode(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
