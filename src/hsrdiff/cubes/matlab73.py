"""MATLAB 7.3 files: HDF5 behind MATLAB's own header, with the axes of every array reversed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.array_choice import Entry, choose_array
from hsrdiff.cubes.formats import FIELDS, CreationOptions
from hsrdiff.cubes.hdf5 import Hdf5Bands, damaged, datasets_of, is_hdf5, vectors_of
from hsrdiff.cubes.matlab5 import CUBE, cube_of_matlab, is_text_name, own_cube, variables_beside
from hsrdiff.cubes.packed_cube import packed_strips, packing_of
from hsrdiff.cubes.steady_file import steady_file

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "MATLAB 7.3"
suffixes: tuple[str, ...] = (".mat",)
options: dict[str, tuple[object, ...]] = {}
can_write = True
can_keep: frozenset[str] = FIELDS - {"band_name", "band_packing"}

_HEADER = b"MATLAB 7.3 MAT-file, written by hsrdiff, HDF5 schema 1.00 ."
_CLASSES = {"f4": "single", "f8": "double", "b1": "logical"}


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file is HDF5 with MATLAB's header or the ending .mat."""
    return is_hdf5(head) and (head.startswith(b"MATLAB 7.3") or path.suffix.lower() == ".mat")


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the cube of a MATLAB 7.3 file, its axes back in MATLAB's order; otherwise as MATLAB 5.

    Args:
        path: The file.
        chunks: As for `open_cube`.
        variable: The name of the array where there are several, or of a matrix that is one band.

    Returns:
        The cube.

    Raises:
        CubeFormatError: The file is damaged, or no array or several would do.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            datasets = {name: item for name, item in datasets_of(file).items() if not name.startswith("#")}
            entries = {
                name: Entry((item.shape or ())[::-1], _class_of(item), _is_numeric(item))
                for name, item in datasets.items()
            }
            own = own_cube(path, entries)
            name = choose_array(path, entries, variable or own, matrix_is_band=True)
            found = {each: _text_of(item) for each, item in datasets.items() if is_text_name(each)}
            texts = {each: text for each, text in found.items() if text is not None}
            vectors = vectors_of({each: item for each, item in datasets.items() if _class_of(item) != "char"})
            shape, dtype = entries[name].shape, datasets[name].dtype
            matrix = np.asarray(datasets[name][()].T) if len(shape) == 2 else None
    except (OSError, RuntimeError) as error:
        raise damaged(path, error) from error
    if matrix is not None:
        return cube_of_matlab(matrix[:, :, None], vectors, texts, chunks, name, ours=False)
    raw = Hdf5Bands(path, name, shape, dtype, (2, 1, 0))
    return cube_of_matlab(raw, vectors, texts, chunks, name, ours=name == own)


def lazy_array(path: Path, variable: str) -> Hdf5Bands:
    """Find an array of three dimensions by name, for files too large to read whole.

    Args:
        path: The file.
        variable: The array's name.

    Returns:
        The array with MATLAB's order of axes; a slice of it is read when it is taken.

    Raises:
        CubeFormatError: The file is damaged or no MATLAB 7.3 file, or has no such array.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            datasets = {name: item for name, item in datasets_of(file).items() if not name.startswith("#")}
            entries = {
                name: Entry((item.shape or ())[::-1], _class_of(item), _is_numeric(item))
                for name, item in datasets.items()
            }
            name = choose_array(path, entries, variable)
            return Hdf5Bands(path, name, entries[name].shape, datasets[name].dtype, (2, 1, 0))
    except (OSError, RuntimeError) as error:
        raise damaged(path, error) from error


def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Write as MATLAB does: a 512-byte header, arrays with reversed axes and their class as an attribute.

    Args:
        cube: A checked cube.
        path: A file that does not exist yet.
        options: None apply.
    """
    import h5py

    packing = packing_of(cube).one_scale()
    bands, height, width = cube.shape
    with steady_file(path) as target, h5py.File(target, "w", userblock_size=512) as file:
        # rows x columns x bands in MATLAB is bands x columns x rows in the file
        stored = file.create_dataset(
            CUBE, (bands, width, height), packing.dtype, chunks=True, compression="gzip", shuffle=True
        )
        _mark(stored, packing.dtype)
        for rows, raw in packed_strips(cube, packing):
            stored[:, :, rows] = raw.transpose(0, 2, 1)
            if target.error is not None:
                raise target.error
        for name, value in variables_beside(cube, packing).items():
            array = np.frombuffer(value.encode("utf-16-le"), "u2")[None] if isinstance(value, str) else value
            kept = array.astype(np.uint8) if array.dtype == bool else array
            dataset = file.create_dataset(name, data=kept.T)
            _mark(dataset, array.dtype, "char" if isinstance(value, str) else None)
    with open(path, "r+b") as raw_file:
        raw_file.write(_HEADER.ljust(116) + bytes(8) + b"\x00\x02IM")


def _mark(dataset: Any, dtype: np.dtype[Any], kind: str | None = None) -> None:
    """Add the attributes from which MATLAB knows the class of an array."""
    name = kind or _CLASSES.get(dtype.str[1:], dtype.name)
    dataset.attrs["MATLAB_class"] = np.bytes_(name.encode())
    if name in {"char", "logical"}:
        dataset.attrs["MATLAB_int_decode"] = np.int32(2 if name == "char" else 1)


def _class_of(dataset: Any) -> str:
    kind = dataset.attrs.get("MATLAB_class", str(dataset.dtype))
    return kind.decode() if isinstance(kind, bytes) else str(kind)


def _is_numeric(dataset: Any) -> bool:
    empty = "MATLAB_empty" in dataset.attrs
    return dataset.dtype.kind in "iuf" and _class_of(dataset) not in {"char", "cell", "logical"} and not empty


def _text_of(dataset: Any) -> str | None:
    if _class_of(dataset) != "char" or dataset.dtype != np.uint16:
        return None
    return bytes(np.asarray(dataset[()]).reshape(-1).astype("<u2").tobytes()).decode("utf-16-le")
