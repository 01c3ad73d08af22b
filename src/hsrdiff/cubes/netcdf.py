"""NetCDF-4 with CF attributes, through h5netcdf."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsrdiff.cubes.cf import from_dataset, to_dataset
from hsrdiff.cubes.formats import FIELDS, CreationOptions
from hsrdiff.cubes.hdf5 import damaged, is_hdf5
from hsrdiff.cubes.steady_file import steady_file
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "NetCDF-4"
suffixes: tuple[str, ...] = (".nc", ".nc4", ".netcdf")
options: dict[str, tuple[object, ...]] = {"compress": ("deflate", "none")}
can_write = True
can_keep: frozenset[str] = FIELDS - {"band_packing"}


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file is HDF5 with NetCDF's ending or NetCDF's mark inside."""
    if not is_hdf5(head):
        return False
    if path.suffix.lower() in suffixes:
        return True
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "_NCProperties" in file.attrs
    except OSError:  # a damaged file, reported by the reader of plain HDF5
        return False


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read a cube from NetCDF-4.

    Args:
        path: The file.
        chunks: As for `open_cube`; where given, the file stays open while the cube lives.
        variable: The name of the variable where there are several cubes.

    Returns:
        The cube.

    Raises:
        CubeFormatError: The file is damaged, or no variable or several would do.
    """
    import xarray as xr

    try:
        dataset = xr.open_dataset(
            path,
            engine="h5netcdf",
            mask_and_scale=False,
            decode_times=False,
            decode_coords="all",
            chunks=None if chunks is None else {},
        )
        if chunks is not None:
            return from_dataset(path, dataset, variable, chunks)
        with dataset:
            return from_dataset(path, dataset, variable, None)
    except CubeFormatError:
        raise
    except (OSError, RuntimeError, KeyError) as error:
        raise damaged(path, error) from error


def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Write the variable ``cube`` with its coordinates and grid mapping.

    Args:
        cube: A checked cube.
        path: A file that does not exist yet.
        options: ``compress``.

    Raises:
        CubeFormatError: The packing asked for cannot hold the cube.
    """
    dataset = to_dataset(cube)
    # xarray takes what is passed in place of a variable's encoding, which names the grid mapping
    encoding: dict[str, Any] = dict(dataset["cube"].encoding)
    if options.compress != "none":
        encoding |= {"zlib": True, "complevel": 4, "shuffle": True}
    with steady_file(path) as target:
        dataset.to_netcdf(target, engine="h5netcdf", encoding={"cube": encoding})
