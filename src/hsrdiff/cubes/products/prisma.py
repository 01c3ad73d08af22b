"""PRISMA level 2D: surface reflectance of 230 bands at 30 m on a UTM grid, in HDF-EOS5.

ASI, PRISMA Products Specification Document: uint16 numbers between L2Scale...Min (0) and L2Scale...Max (65535), a
cube for each detector with its bands along the middle axis from long to short waves, and error matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.hdf5 import damaged, is_hdf5, number_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.products.prisma_grid import PAN_PIXEL_M, PIXEL_M, read_grid
from hsrdiff.cubes.products.product_files import UNMASKED, chosen_words
from hsrdiff.cubes.spectral_axis import BAND_SHAPE, SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "PRISMA L2D"
suffixes: tuple[str, ...] = (".he5",)
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

_SWATHS = "HDFEOS/SWATHS"
_HCO = f"{_SWATHS}/PRS_L2D_HCO"
_PCO = f"{_SWATHS}/PRS_L2D_PCO"
_DETECTORS = ("Vnir", "Swir")
_LARGEST = 65535
_NODATA = 0


@dataclass(frozen=True)
class PrismaBand:
    """One band: its detector, its place in the detector's cube, and what the file says of it."""

    detector: str
    place: int
    centre_nm: float
    width_nm: float
    low: float
    high: float


class PrismaBands:
    """The raw bands of both detectors by wavelength, read when sliced; erroneous pixels get the number 0.

    Args:
        path: The file.
        bands: The bands in the order of the cube.
        height: Rows.
        width: Columns.
        masked: Detectors whose error matrix is there and counts.
        transposed: Whether the first axis of the file runs along the columns.
    """

    ndim = 3
    dtype = np.dtype(np.uint16)

    def __init__(
        self,
        path: Path,
        bands: tuple[PrismaBand, ...],
        height: int,
        width: int,
        masked: frozenset[str],
        transposed: bool,
    ) -> None:
        self.path, self.bands, self.masked, self.transposed = path, bands, masked, transposed
        self.shape = (len(bands), height, width)

    def __getitem__(self, key: tuple[slice, slice, slice]) -> npt.NDArray[Any]:
        import h5py

        chosen = self.bands[key[0]]
        rows, columns = (slice(*part.indices(size)) for part, size in zip(key[1:], self.shape[1:], strict=True))
        raw = np.empty((len(chosen), rows.stop - rows.start, columns.stop - columns.start), self.dtype)
        try:
            with h5py.File(self.path, "r") as file:
                for detector in _DETECTORS:
                    mine = [i for i, band in enumerate(chosen) if band.detector == detector]
                    if not mine:
                        continue
                    places = [chosen[i].place for i in mine]
                    block = self._read(file, f"{detector.upper()}_Cube", places, rows, columns)
                    if detector in self.masked:
                        matrix = f"{detector.upper()}_PIXEL_L2_ERR_MATRIX"
                        block[self._read(file, matrix, places, rows, columns) != 0] = _NODATA
                    raw[mine] = block
        except (OSError, RuntimeError, KeyError) as error:
            raise damaged(self.path, error) from error
        return raw

    def _read(self, file: Any, name: str, places: list[int], rows: slice, columns: slice) -> npt.NDArray[Any]:
        """Read a block that spans the bands, since each chunk of the file holds all of them, and pick them."""
        first, last = min(places), max(places) + 1
        cube = file[f"{_HCO}/Data Fields/{name}"]
        block = (
            cube[columns, first:last, rows].transpose(2, 1, 0) if self.transposed else cube[rows, first:last, columns]
        )
        return np.asarray(block[:, [place - first for place in places]].transpose(1, 0, 2))


class PrismaPan:
    """The panchromatic band as a cube of one band, read when sliced.

    Args:
        path: The file.
        height: Rows.
        width: Columns.
        masked: Whether its error matrix is there and counts.
        transposed: Whether the first axis of the file runs along the columns.
    """

    ndim = 3
    dtype = np.dtype(np.uint16)

    def __init__(self, path: Path, height: int, width: int, masked: bool, transposed: bool) -> None:
        self.path, self.masked, self.transposed = path, masked, transposed
        self.shape = (1, height, width)

    def __getitem__(self, key: tuple[slice, slice, slice]) -> npt.NDArray[Any]:
        import h5py

        where = key[:0:-1] if self.transposed else key[1:]
        try:
            with h5py.File(self.path, "r") as file:
                fields = file[f"{_PCO}/Data Fields"]
                raw = np.asarray(fields["Cube"][where], self.dtype)
                if self.masked:
                    raw[fields["PIXEL_L2_ERR_MATRIX"][where] != 0] = _NODATA
        except (OSError, RuntimeError, KeyError) as error:
            raise damaged(self.path, error) from error
        return (raw.T if self.transposed else raw)[None][key[0]]


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file is HDF5 with a swath of PRISMA inside."""
    if not is_hdf5(head):
        return False
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _SWATHS in file and any(name.startswith("PRS_L") for name in file[_SWATHS])
    except (OSError, RuntimeError):  # a damaged file, reported by the reader of plain HDF5
        return False


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the reflectance ``min + raw (max - min) / 65535``, bands of both detectors by their wavelengths.

    The number 0 is no data. A pixel that the error matrix of its detector marks in a band is invalid there. Bands
    without a wavelength, or flagged as not delivered, are left out.

    Args:
        path: The file.
        chunks: As for `open_cube`.
        variable: ``"pan"`` for the panchromatic band of 5 m, ``"unmasked"`` to leave the error matrices out.

    Returns:
        The cube.

    Raises:
        CubeFormatError: The file is damaged, of another level, or lacks an attribute.
    """
    import h5py

    words = chosen_words(path, variable, ("pan", UNMASKED))
    try:
        with h5py.File(path, "r") as file:
            if _HCO not in file:
                levels = sorted({name.split("_")[1] for name in file[_SWATHS] if name.count("_") > 1})
                raise CubeFormatError(
                    f"{path} is PRISMA level {', '.join(levels)}, which lies on no map",
                    expected="level L2D, surface reflectance on a map",
                    do="order the L2D product of the scene",
                )
            return (_read_pan if "pan" in words else _read_bands)(path, file, chunks, UNMASKED in words)
    except (OSError, RuntimeError) as error:
        raise damaged(path, error) from error
    except KeyError as error:
        raise CubeFormatError(
            f"{path} lacks a part of PRISMA L2D ({' '.join(str(error).split())})",
            expected="the file as ASI delivers it",
            do="download it again",
        ) from error


write = only_read(title)


def _read_bands(path: Path, file: Any, chunks: Chunks, unmasked: bool) -> xr.DataArray:
    fields = file[f"{_HCO}/Data Fields"]
    bands = sorted((band for name in _DETECTORS for band in _bands_of(file, name)), key=lambda band: band.centre_nm)
    if not bands:
        raise CubeFormatError(f"{path} delivers no band with a wavelength", expected="List_Cw_Vnir, List_Cw_Swir")
    shape = fields["VNIR_Cube"].shape
    for name in ("VNIR_Cube", "SWIR_Cube"):
        if len(fields[name].shape) != 3 or fields[name].shape[::2] != shape[::2]:
            raise CubeFormatError(
                f"{name} in {path} is {fields[name].shape}", expected=f"rows x bands x columns as {shape}"
            )
    grid = read_grid(path, file, _HCO, (shape[0], shape[2]), PIXEL_M)
    masked = frozenset(name for name in _DETECTORS if not unmasked and f"{name.upper()}_PIXEL_L2_ERR_MATRIX" in fields)
    low, high = (np.array([getattr(band, end) for band in bands]) for end in ("low", "high"))
    return build_cube(
        PrismaBands(path, tuple(bands), grid.height, grid.width, masked, grid.transposed),
        Packing.of(np.uint16, (high - low) / _LARGEST, low, _NODATA),
        axis=SpectralAxis(
            np.array([band.centre_nm for band in bands]),
            np.array([band.width_nm for band in bands]),
            None,
            tuple(f"{band.detector.upper()} {band.place + 1}" for band in bands),
        ),
        crs=grid.crs,
        transform=grid.transform,
        chunks=chunks,
        attrs=_attributes(bool(masked), grid.note),
    )


def _read_pan(path: Path, file: Any, chunks: Chunks, unmasked: bool) -> xr.DataArray:
    fields = file[f"{_PCO}/Data Fields"]
    grid = read_grid(path, file, _PCO, fields["Cube"].shape, PAN_PIXEL_M)
    masked = not unmasked and "PIXEL_L2_ERR_MATRIX" in fields
    low, high = (number_of(file, f"L2ScalePan{end}") for end in ("Min", "Max"))
    return build_cube(
        PrismaPan(path, grid.height, grid.width, masked, grid.transposed),
        Packing.of(np.uint16, (high - low) / _LARGEST, low, _NODATA),
        # 400 to 700 nm by the mission's data sheet
        axis=SpectralAxis(np.array([550.0]), np.array([300.0]), None, ("PAN",)),
        crs=grid.crs,
        transform=grid.transform,
        chunks=chunks,
        attrs=_attributes(masked, grid.note) | {BAND_SHAPE: "box"},
    )


def _attributes(masked: bool, note: str) -> dict[str, str]:
    attributes = {
        "hsrdiff_quantity": "reflectance",
        "masked_by": "error matrix" if masked else "nothing but nodata",
    }
    return attributes | ({"grid_note": note} if note else {})


def _bands_of(file: Any, detector: str) -> list[PrismaBand]:
    """Return the bands of a detector that have a wavelength and are flagged as delivered."""
    centres, widths = (np.asarray(file.attrs[f"List_{word}_{detector}"], np.float64) for word in ("Cw", "Fwhm"))
    flags = np.asarray(file.attrs.get(f"List_Cw_{detector}_Flags", np.ones(centres.size)))
    count = file[f"{_HCO}/Data Fields/{detector.upper()}_Cube"].shape[1]
    if not centres.size == widths.size == flags.size == count:
        raise CubeFormatError(
            f"List_Cw_{detector} in {file.filename} has {centres.size} entries, its widths {widths.size} and its "
            f"flags {flags.size}",
            expected=f"{count}, one for each band of the cube",
            do="download the file again",
        )
    low, high = (number_of(file, f"L2Scale{detector}{end}") for end in ("Min", "Max"))
    return [
        PrismaBand(detector, place, float(centres[place]), float(widths[place]), low, high)
        for place in range(count)
        if centres[place] > 0 and flags[place] == 1
    ]
