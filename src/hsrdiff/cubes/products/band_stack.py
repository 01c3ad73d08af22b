"""Bands that lie in one raster or in many, read as one cube window by window, with the layers that mask them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hsrdiff.cubes.raster import open_raster
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import numpy.typing as npt
    from affine import Affine
    from rasterio.crs import CRS

    from hsrdiff.typing import BoolArray


class BandPlace(NamedTuple):
    """Where a band lies: a raster, its 1-based number there, and how many cube pixels wide its pixels are."""

    path: Path
    band: int = 1
    zoom: int = 1


class Grid(NamedTuple):
    """The raster that the others of a product must fit."""

    height: int
    width: int
    crs: CRS
    transform: Affine
    bands: int
    dtype: np.dtype[Any]
    nodata: float | None


@dataclass(frozen=True)
class MaskLayer:
    """Layers that say which pixels are not to be used.

    Args:
        name: What they mark, such as ``"cloud"``.
        places: Their bands: one for each band of the cube where `per_band`, else any of them masks all bands.
        values: The values that mask a pixel; empty for any but 0.
        bits: The bits that mask a pixel, in place of `values`.
        per_band: Whether each layer masks one band only.
    """

    name: str
    places: tuple[BandPlace, ...]
    values: tuple[int, ...] = ()
    bits: int = 0
    per_band: bool = False

    def flagged(self, bands: slice, rows: slice, columns: slice) -> BoolArray:
        """Return which pixels of a window are masked.

        Args:
            bands: Bands of the cube.
            rows: Rows of the cube.
            columns: Columns of the cube.

        Returns:
            (band, y, x) where `per_band`, else (1, y, x).
        """
        layers = read_bands(self.places[bands] if self.per_band else self.places, rows, columns)
        if self.bits:
            bad: BoolArray = (layers.astype(np.int64) & self.bits) != 0
        elif self.values:
            bad = np.isin(layers, self.values)
        else:
            bad = layers != 0
        return bad if self.per_band else np.asarray(bad.any(axis=0, keepdims=True))


class BandStack:
    """Raw bands of rasters on one grid, read when sliced; masked pixels get the fill value.

    Args:
        places: Where each band lies.
        grid: The grid of the cube.
        fill: The raw number of an invalid pixel.
        masks: Layers on the same grid.

    Raises:
        CubeFormatError: A raster has another size than the grid asks for.
    """

    ndim = 3

    def __init__(
        self, places: tuple[BandPlace, ...], grid: Grid, fill: float, masks: tuple[MaskLayer, ...] = ()
    ) -> None:
        self.places, self.fill, self.masks = places, fill, masks
        self.shape = (len(places), grid.height, grid.width)
        self.dtype = grid.dtype
        every = dict.fromkeys((*places, *(place for mask in masks for place in mask.places)))
        for path, bands in groupby(every, key=lambda place: place.path):
            _check_fit(path, list(bands), grid)

    def __getitem__(self, key: tuple[slice, slice, slice]) -> npt.NDArray[Any]:
        bands, rows, columns = (slice(*part.indices(length)) for part, length in zip(key, self.shape, strict=True))
        raw = read_bands(self.places[bands], rows, columns).astype(self.dtype, copy=False)
        for mask in self.masks:
            bad, fill = mask.flagged(bands, rows, columns), self.dtype.type(self.fill)
            if mask.per_band:
                raw[bad] = fill
            else:
                raw[:, bad[0]] = fill
        return raw


def read_bands(places: tuple[BandPlace, ...], rows: slice, columns: slice) -> npt.NDArray[Any]:
    """Read a window of several bands; a band of coarser pixels is repeated.

    Args:
        places: The bands.
        rows: Rows of the finest grid.
        columns: Columns of the finest grid.

    Returns:
        (bands, rows, columns) in the type of the rasters.
    """
    from rasterio.windows import Window

    parts = []
    for (path, zoom), group in groupby(places, key=lambda place: (place.path, place.zoom)):
        top, left = rows.start // zoom, columns.start // zoom
        height, width = -(-rows.stop // zoom) - top, -(-columns.stop // zoom) - left
        with open_raster(path, driver_of(path)) as raster:
            part = raster.read([place.band for place in group], window=Window(left, top, width, height))
        if zoom > 1:
            first, column = rows.start - top * zoom, columns.start - left * zoom
            part = part.repeat(zoom, axis=1).repeat(zoom, axis=2)
            part = part[:, first : first + rows.stop - rows.start, column : column + columns.stop - columns.start]
        parts.append(part)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def driver_of(path: Path) -> str:
    """Return the GDAL driver for a raster by its ending.

    Args:
        path: The raster.
    """
    return "JP2OpenJPEG" if path.suffix.lower() in {".jp2", ".j2k"} else "GTiff"


def grid_of(path: Path) -> Grid:
    """Return the grid of a raster, which must lie on a map.

    Args:
        path: The raster.

    Returns:
        Its size, place, number of bands, number type and nodata.

    Raises:
        CubeFormatError: It is damaged, has no coordinate system, or holds no real numbers.
    """
    with open_raster(path, driver_of(path)) as raster:
        dtype = np.dtype(raster.dtypes[0])
        if raster.crs is None or raster.transform.is_identity:
            raise CubeFormatError(
                f"{path} has no place on the map",
                expected="a coordinate system and a transform, as in the product delivered",
                do="copy the product again",
            )
        if dtype.kind not in "iuf":
            raise CubeFormatError(f"{path} holds {dtype} values", expected="real numbers")
        return Grid(
            raster.height, raster.width, raster.crs, raster.transform, raster.count, dtype, raster.nodatavals[0]
        )


def _check_fit(path: Path, places: list[BandPlace], grid: Grid) -> None:
    """Refuse a raster that does not cover the grid or has too few bands."""
    with open_raster(path, driver_of(path)) as raster:
        size, count = (raster.height, raster.width), raster.count
    for place in places:
        # 10 980 rows of 10 m are 5 490 of 20 m and 1 830 of 60 m; a cut-out may end within a coarse pixel.
        expected = (-(-grid.height // place.zoom), -(-grid.width // place.zoom))
        if size != expected:
            raise CubeFormatError(
                f"{path} is {size[0]} x {size[1]}",
                expected=f"{expected[0]} x {expected[1]} as the other bands ask for",
                do="copy the product again",
            )
        if place.band > count:
            raise CubeFormatError(f"{path} has {count} bands", expected=f"at least {place.band}")
