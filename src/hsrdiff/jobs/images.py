"""What a job takes and leaves: cubes from paths or arrays, and outputs that are checked before the work starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from hsrdiff.cubes import FORMATS, as_cube, open_cube
from hsrdiff.errors import CubeFormatError, HsrdiffError, InputError, InvalidValueError, ShapeError, WriteError
from hsrdiff.jobs.writable import check_name
from hsrdiff.typing import BoolArray, PathLike

if TYPE_CHECKING:
    import torch

# what products and programs write where there are no data
_FILLS = frozenset(float(np.float32(value)) for value in (-999, -9999, -99999, -32768, -2147483648, -3.4028235e38))

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
        InvalidValueError: Not one value is a finite number.
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
    _check_fill(cube, f"{role}{_named(image)}")
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


def _check_fill(cube: xr.DataArray, role: str) -> None:
    """Notice a fill value that the file does not declare: the least value, with nothing near it."""
    least = float(np.nanmin(cube.values))
    if least not in _FILLS:
        return
    others = cube.values[cube.values > least]
    if others.size and float(np.nanmin(others)) > least / 10:
        raise InvalidValueError(
            f"{role} holds {int((cube.values == least).sum())} values of {least:.6g} and none near it, which looks "
            "like nodata that is not declared",
            expected="NaN, or a nodata value that the file names",
            do="declare it in the file, or replace it by NaN",
        )


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


def check_output(path: PathLike | None, *inputs: Image) -> None:
    """Make sure, before any work, that a cube can be written where the output goes.

    Args:
        path: The file to write; None for nowhere.
        *inputs: What the job reads; no file among them may be written over.

    Raises:
        InputError: It is one of the inputs.
        CubeFormatError: Its ending names no format that is written.
        WriteError: Its name is too long, it is a folder with other things in it, or its own folder does not exist or
            is not writable.
    """
    if path is None:
        return
    check_name(path, "output")
    endings = sorted({ending for known in FORMATS.values() if known.can_write for ending in known.suffixes})
    if not Path(path).name.lower().endswith(tuple(endings)):
        raise CubeFormatError(
            f"the ending of the output '{path}' names no format that is written",
            expected=f"one of {', '.join(endings)}",
            do="choose another ending, such as .tif",
        )
    for image in inputs:
        if isinstance(image, str | os.PathLike) and not files_of(path).isdisjoint(files_of(image)):
            raise InputError(
                f"the output '{path}' would replace the input '{image}'",
                expected="an output other than the inputs",
                do="choose another name for the output",
            )
    if Path(path).is_dir() and not _is_store(Path(path)):
        raise WriteError(
            f"the output '{path}' is a folder",
            expected="the name of a file, or of a Zarr store or CAVE folder to replace",
            do="choose another name for the output",
        )
    check_folder(Path(os.path.realpath(path)).parent)  # of what a link points to


def _is_store(folder: Path) -> bool:
    """Tell whether a folder is itself a cube, so that writing over it loses nothing else."""
    names = {entry.name for entry in folder.iterdir()}
    whole = {"zarr.json", ".zgroup", ".zattrs"} & names if folder.suffix.lower() == ".zarr" else set()
    pictures = folder.name.lower().endswith("_ms") and all(name.lower().endswith(".png") for name in names)
    return bool(whole) or pictures


def files_of(path: PathLike) -> set[Path]:
    """Return the files of a cube, links followed: an ENVI header has its data beside it, and the data their header.

    Args:
        path: Where the cube is, or will be.
    """
    whole = Path(path).resolve()
    partner = {".hdr": ".img", ".img": ".hdr"}.get(whole.suffix.lower())
    return {whole} if partner is None else {whole, whole.with_suffix(partner)}


def check_apart(first: PathLike | None, second: PathLike | None, *, holding: tuple[str, str]) -> None:
    """Make sure that two outputs do not replace each other.

    Args:
        first: One file to write; None for nowhere.
        second: The other.
        holding: What each is to hold, such as ``("the result", "its standard deviation")``.

    Raises:
        InputError: They are one file, or parts of one.
    """
    if first is None or second is None or files_of(first).isdisjoint(files_of(second)):
        return
    raise InputError(
        f"'{second}' is to hold {holding[1]} and '{first}' {holding[0]}",
        expected="two files",
        do="choose another name for one of them",
    )


def check_report_file(report: PathLike | None, *others: Image | None) -> None:
    """Make sure, before any work, that a text can be written where a report goes.

    Args:
        report: The file to write; None for nowhere.
        *others: What the job reads and writes; no file among them may be written over.

    Raises:
        InputError: It is one of the others.
        WriteError: It is a folder, or its own folder does not exist or is not writable.
    """
    if report is None:
        return
    check_name(report, "report")
    for other in others:
        if isinstance(other, str | os.PathLike) and Path(report).resolve() in files_of(other):
            raise InputError(
                f"the report '{report}' would replace '{other}'",
                expected="a file of its own",
                do="choose another name for the report",
            )
    if Path(report).is_dir():
        raise WriteError(
            f"the report '{report}' is a folder", expected="the name of a file", do="choose another name for the report"
        )
    check_folder(Path(os.path.realpath(report)).parent)


def check_folder(folder: Path) -> None:
    """Make sure that something can be created in a folder.

    Args:
        folder: The folder.

    Raises:
        WriteError: It does not exist or is not writable.
    """
    if not folder.is_dir():
        raise WriteError(
            f"the output folder '{folder}' does not exist",
            expected="an existing folder",
            do="create it, or choose another one",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WriteError(
            f"the output folder '{folder}' is not writable",
            expected="a folder that you may write to",
            do="choose another one, or change its permissions",
        )


def check_new_folder(folder: Path) -> None:
    """Make sure that a folder is there to be written to, or can be made with those above it.

    Args:
        folder: The folder.

    Raises:
        WriteError: One above it is a file, or the first that exists is not writable.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise WriteError(f"'{place}' is a file", expected="a folder, or a name for one", do="choose another folder")
    check_folder(place)
