"""HDF5, read only: one cube of three dimensions with its wavelengths beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.array_choice import Entry, band_axis, choose_array
from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.record import record_of
from hsrdiff.cubes.spectral_axis import axis_from_vectors, find_vectors
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "HDF5"
suffixes: tuple[str, ...] = (".h5", ".hdf5", ".hdf", ".he5")
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

_MAGIC = b"\x89HDF\r\n\x1a\n"
_AXIS_WORDS = {"band": 0, "bands": 0, "row": 1, "rows": 1, "y": 1, "line": 1, "col": 2, "cols": 2, "column": 2, "x": 2}


def is_hdf5(head: bytes) -> bool:
    """Return whether a file is HDF5, also behind a user block of up to 2 KiB.

    Args:
        head: The first 4 KiB of the file.
    """
    return any(head[start : start + 8] == _MAGIC for start in (0, 512, 1024, 2048))


class Hdf5Bands:
    """A dataset of three dimensions, read when sliced, its axes in any order.

    Args:
        path: The file.
        name: The dataset's name.
        shape: Its shape in the order of `axes`.
        dtype: Its number type.
        axes: For each axis shown, the axis of the file.
    """

    ndim = 3

    def __init__(
        self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], axes: tuple[int, ...]
    ) -> None:
        self.path, self.name, self.shape, self.dtype, self.axes = path, name, shape, dtype, axes

    def transpose(self, axes: tuple[int, ...]) -> Hdf5Bands:
        """Return the same dataset with its axes in another order.

        Args:
            axes: For each axis of the result, the axis of this one.
        """
        shape = tuple(self.shape[axis] for axis in axes)
        return Hdf5Bands(self.path, self.name, shape, self.dtype, tuple(self.axes[axis] for axis in axes))

    def __getitem__(self, key: tuple[slice, slice, slice]) -> np.ndarray[Any, Any]:
        import h5py

        by_file_axis = dict(zip(self.axes, key, strict=True))
        try:
            with h5py.File(self.path, "r") as file:
                stored = file[self.name][by_file_axis[0], by_file_axis[1], by_file_axis[2]]
        except (OSError, RuntimeError, KeyError) as error:
            raise damaged(self.path, error) from error
        return np.asarray(stored.transpose(self.axes), self.dtype)


def damaged(path: Path, error: Exception) -> CubeFormatError:
    """Return the error for an HDF5 file that cannot be read to its end.

    Args:
        path: The file.
        error: What h5py raised.

    Returns:
        The error to raise.
    """
    reason = " ".join(str(error).split()).rstrip(".")
    return CubeFormatError(f"{path} is damaged or cut short ({reason})", expected="a whole file", do="copy it again")


def datasets_of(file: Any) -> dict[str, Any]:
    """Return all datasets of an open HDF5 file by name, those in groups with their path.

    Args:
        file: An open `h5py.File`.

    Returns:
        `h5py.Dataset` by name.
    """
    import h5py

    found: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    file.visititems(keep)
    return found


def number_of(item: Any, name: str) -> float:
    """Return an attribute that is one number, alone or in an array of one.

    Args:
        item: An open `h5py.File`, group or dataset.
        name: The attribute.

    Returns:
        The number.

    Raises:
        KeyError: There is no such attribute.
    """
    return float(np.asarray(item.attrs[name]).reshape(-1)[0])


def vectors_of(datasets: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the numeric datasets of at most one long axis, read.

    Args:
        datasets: `h5py.Dataset` by name.

    Returns:
        Arrays by name.
    """
    return {
        name: np.asarray(item[()])
        for name, item in datasets.items()
        if item.dtype.kind in "iufb" and item.shape is not None and 0 < item.size == max(item.shape, default=1)
    }


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file is HDF5 (MATLAB and NetCDF files are asked first)."""
    return is_hdf5(head)


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read a cube from HDF5.

    The bands are the axis that the attribute ``layout`` names (``band,row,col``), or that is as long as a vector
    named like wavelengths, or that differs from two equal ones, or the first. ``divide_by`` or ``scale_factor``,
    ``add_offset`` and ``_FillValue``, on the dataset or the file, give physical values.

    Args:
        path: The file.
        chunks: As for `open_cube`.
        variable: The dataset's path in the file where there are several.

    Returns:
        The cube.

    Raises:
        CubeFormatError: The file is damaged, or no dataset or several would do.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            datasets = datasets_of(file)
            entries = {
                name: Entry(item.shape or (), str(item.dtype), item.dtype.kind in "iuf")
                for name, item in datasets.items()
            }
            name = choose_array(path, entries, None if variable is None else variable.strip("/"))
            vectors = vectors_of(datasets)
            attributes = {**dict(file.attrs), **dict(datasets[name].attrs)}
            shape, dtype = entries[name].shape, datasets[name].dtype
    except (OSError, RuntimeError) as error:
        raise damaged(path, error) from error
    axes = _axes(shape, vectors, attributes)
    bands = shape[axes[0]]
    scale = attributes.get("scale_factor")
    if scale is None:
        scale = 1.0 / np.asarray(attributes.get("divide_by", 1.0), np.float64)
    return build_cube(
        Hdf5Bands(path, name, shape, dtype, (0, 1, 2)).transpose(axes),
        Packing.of(dtype, scale, attributes.get("add_offset", 0.0), _fill_of(attributes)),
        axis=axis_from_vectors(vectors, bands),
        chunks=chunks,
        attrs={"variable": name, **record_of(attributes)},
    )


write = only_read(title)


def _axes(
    shape: tuple[int, ...], vectors: Mapping[str, np.ndarray[Any, Any]], attributes: Mapping[str, Any]
) -> tuple[int, int, int]:
    """Return the file's axes of band, y and x."""
    layout = attributes.get("layout")
    text = layout.decode() if isinstance(layout, bytes) else str(layout or "")
    words = [_AXIS_WORDS.get(word.strip().lower()) for word in text.split(",")]
    if sorted(word for word in words if word is not None) == [0, 1, 2] and len(words) == 3:
        return (words.index(0), words.index(1), words.index(2))
    found = find_vectors(vectors, shape)
    lengths = [vectors[found["wavelength"]].size] if "wavelength" in found else []
    axis = band_axis(shape, lengths, convention=0)
    rows, columns = (each for each in range(3) if each != axis)
    return (axis, rows, columns)


def _fill_of(attributes: Mapping[str, Any]) -> float | None:
    for key in ("_FillValue", "missing_value", "nodata"):
        if key in attributes and np.size(attributes[key]) == 1:
            return float(np.asarray(attributes[key]).item())
    return None
