"""A scene of the CAVE multispectral database: 31 PNG images, 400 to 700 nm, in a folder inside a folder.

Yasuma, Mitsunaga, Iso, Nayar: Generalized Assorted Pixel Camera (2010); the database keeps each scene as
``NAME_ms/NAME_ms/NAME_ms_01.png`` to ``_31.png`` beside an RGB picture that is no part of the cube.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import CreationOptions, no_variables
from hsrdiff.cubes.packed_cube import packed_strips
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.raster import open_raster
from hsrdiff.cubes.spectral_axis import SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "CAVE folder"
suffixes: tuple[str, ...] = ("_ms",)
options: dict[str, tuple[object, ...]] = {}
can_write = True
can_keep: frozenset[str] = frozenset({"wavelength"})

WAVELENGTHS_NM = np.arange(400.0, 701.0, 10.0)
WRITTEN = Packing.of(np.uint16, 1.0 / 65535)  # the numbers of a scene that is written, whatever its encoding asks
_IMAGE = re.compile(r"(?i)^(?!\.)(.+_ms)_(\d{2})\.png$")


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the path is a folder that holds a scene's images, itself or one folder down."""
    return path.is_dir() and bool(_scenes_in(path))


def _scenes_in(path: Path) -> dict[str, dict[int, Path]]:
    """Return the images of every scene in a folder or one folder down, by scene and number."""
    scenes: dict[str, dict[int, Path]] = {}
    below = sorted(child for child in path.iterdir() if child.is_dir())
    for folder in (path, *below):
        for file in sorted(folder.iterdir()):
            match = _IMAGE.match(file.name)
            if match:
                scenes.setdefault(match[1], {})[int(match[2])] = file
    return scenes


class CaveBands:
    """The 31 images of a scene, each read when sliced.

    Args:
        files: The images in the order of wavelength.
        height: Rows.
        width: Columns.
        dtype: uint16, or uint8 for the scene that was published with 8 bits.
    """

    ndim = 3

    def __init__(self, files: tuple[Path, ...], height: int, width: int, dtype: np.dtype[Any]) -> None:
        self.files, self.dtype = files, dtype
        self.shape = (len(files), height, width)

    def __getitem__(self, key: tuple[slice, slice, slice]) -> np.ndarray[Any, Any]:
        from rasterio.windows import Window

        bands, rows, columns = key
        window = Window.from_slices(rows, columns, height=self.shape[1], width=self.shape[2])
        return np.stack([self._read(file, window) for file in self.files[bands]])

    def _read(self, file: Path, window: Any) -> np.ndarray[Any, Any]:
        with open_raster(file, "PNG") as image:
            if (image.height, image.width) != self.shape[1:] or np.dtype(image.dtypes[0]) != self.dtype:
                raise CubeFormatError(
                    f"{file} is {image.height} x {image.width} of {image.dtypes[0]}",
                    expected=f"{self.shape[1]} x {self.shape[2]} of {self.dtype} as the first image",
                )
            values = image.read(list(range(1, min(image.count, 3) + 1)), window=window)
        if (values != values[:1]).any():
            raise CubeFormatError(f"{file} is a colour picture", expected="one grey image for each wavelength")
        return np.asarray(values[0])


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read a scene, as ``v / 65535``; a scene of RGBA images with equal channels is ``v / 255`` of one channel.

    Args:
        path: ``NAME_ms``, outer or inner; other files in it are skipped.
        chunks: As for `open_cube`.
        variable: Must be None.

    Returns:
        The cube, 31 bands from 400 to 700 nm.

    Raises:
        CubeFormatError: Images are missing, differ in size, or belong to several scenes.
    """
    no_variables(path, variable)
    scenes = _scenes_in(path)
    if len(scenes) != 1:
        found = f"{len(scenes)} scenes ({', '.join(sorted(scenes)[:5])})" if scenes else "no image named NAME_ms_01.png"
        raise CubeFormatError(f"{path} holds {found}", expected="the folder of one scene")
    (images,) = scenes.values()
    numbers = set(range(1, WAVELENGTHS_NM.size + 1))
    if set(images) != numbers:
        missing = sorted(numbers - set(images)) or sorted(set(images) - numbers)
        raise CubeFormatError(
            f"{path} holds {len(images)} images, and {', '.join(f'_{n:02d}' for n in missing[:5])} is missing or extra",
            expected="_01.png to _31.png",
        )
    files = tuple(images[number] for number in sorted(images))
    with open_raster(files[0], "PNG") as first:
        dtype = np.dtype(first.dtypes[0])
        bands = CaveBands(files, first.height, first.width, dtype)
    return build_cube(
        bands,
        Packing.of(dtype, 1.0 / np.iinfo(dtype).max),
        axis=SpectralAxis(wavelengths_nm=WAVELENGTHS_NM.copy()),
        chunks=chunks,
    )


def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Write a scene in the database's layout: 16-bit grey images of ``65535 v``, v clipped to 0..1.

    Args:
        cube: A checked cube of 31 bands, 400 to 700 nm where it has wavelengths.
        path: The outer folder ``NAME_ms``, which does not exist yet.
        options: None apply.

    Raises:
        CubeFormatError: The bands are others, or pixels are invalid.
    """
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.io import MemoryFile

    refuse(cube)
    name = path.name if path.name.endswith("_ms") else f"{path.name}_ms"
    inner = path / name
    inner.mkdir(parents=True)
    raw = np.empty(cube.shape, np.uint16)
    for rows, strip in packed_strips(cube, WRITTEN):
        raw[:, rows] = strip
    for band in range(31):
        file = inner / f"{name}_{band + 1:02d}.png"
        quiet = warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning)
        with quiet, MemoryFile() as memory:  # so that a full disk is met by Python, not by GDAL
            with memory.open(driver="PNG", count=1, height=raw.shape[1], width=raw.shape[2], dtype="uint16") as image:
                image.write(raw[band], 1)
            file.write_bytes(memory.read())


def refuse(cube: xr.DataArray) -> None:
    """Refuse a cube that this format cannot hold.

    Args:
        cube: The cube; its values are not looked at.

    Raises:
        CubeFormatError: Its bands are not the 31 of the database.
    """
    centres = SpectralAxis.of_cube(cube).wavelengths_nm
    if cube.sizes["band"] != 31 or (centres is not None and not np.allclose(centres, WAVELENGTHS_NM, atol=0.5)):
        range_nm = "" if centres is None else f" from {centres.min():g} to {centres.max():g} nm"
        raise CubeFormatError(
            f"the cube has {cube.sizes['band']} bands{range_nm}",
            expected="31 bands from 400 to 700 nm for a CAVE folder",
            do="write .tif instead",
        )
