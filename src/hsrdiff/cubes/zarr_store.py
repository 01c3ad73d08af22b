"""Zarr stores (format 3, and format 2 when reading): a folder of chunks, made for cubes larger than memory."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from hsrdiff.cubes.cf import from_dataset, to_dataset
from hsrdiff.cubes.formats import FIELDS, CreationOptions
from hsrdiff.errors import CubeFormatError, HsrdiffError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "Zarr"
suffixes: tuple[str, ...] = (".zarr",)
options: dict[str, tuple[object, ...]] = {}
can_write = True
can_keep: frozenset[str] = FIELDS - {"band_packing"}

_PATIENCE_S = 60.0  # for chunks under way on a slow disk
_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the path is a folder with a Zarr description in it."""
    return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read a cube from a Zarr group.

    Args:
        path: The folder.
        chunks: As for `open_cube`.
        variable: The name of the array where there are several cubes.

    Returns:
        The cube.

    Raises:
        CubeFormatError: The store is damaged, or no array or several would do.
    """
    import xarray as xr

    try:
        dataset = xr.open_dataset(
            path,
            engine="zarr",
            consolidated=None if (path / ".zmetadata").is_file() else False,
            mask_and_scale=False,
            decode_times=False,
            decode_coords="all",
            chunks=None if chunks is None else {},
        )
        return from_dataset(path, dataset, variable, chunks)
    except HsrdiffError:
        raise
    except Exception as error:  # zarr and its codecs raise errors of their own, of many kinds
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise CubeFormatError(
            f"{path} is damaged or not a Zarr group ({reason})", expected="a whole store", do="copy it again"
        ) from error


def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Write a store of format 3, chunk by chunk for a Dask-backed cube.

    Args:
        cube: A checked cube.
        path: A folder that does not exist yet.
        options: None apply.

    Raises:
        CubeFormatError: The packing asked for cannot hold the cube.
    """
    dataset = to_dataset(cube)
    if cube.chunks is not None:
        # Zarr's chunks are all of one size; the largest of the cube's along each dim is that size.
        dataset = dataset.assign(
            cube=dataset["cube"].chunk(dict(zip(cube.dims, (max(sizes) for sizes in cube.chunks), strict=True)))
        )
    with warnings.catch_warnings():
        # Text has no fixed form in Zarr 3 yet; xarray writes and reads it alike, and only band names are text.
        warnings.filterwarnings("ignore", message=".*Zarr V3 specification.*")
        try:
            dataset.to_zarr(path, mode="w", zarr_format=3, consolidated=False)
        except BaseException:
            _wait_for_writers()
            raise


def _wait_for_writers() -> None:
    """Wait until Zarr has stopped writing: when one chunk fails, its other chunks are still under way.

    Left alone, they would make the folder anew after it was cleared away.
    """
    import asyncio

    from zarr.core.sync import sync

    async def wait() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=_PATIENCE_S)

    sync(wait())
