"""MATLAB files up to version 7, read by scipy: the cube is the array of rows x columns x bands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.array_choice import Entry, band_axis, choose_array
from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import FIELDS, CreationOptions
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.cubes.packed_cube import packing_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.record import is_record_name, record_of
from hsrdiff.cubes.spectral_axis import SpectralAxis, axis_from_vectors, find_vectors
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "MATLAB 5"
suffixes: tuple[str, ...] = (".mat",)
options: dict[str, tuple[object, ...]] = {}
can_write = True
can_keep: frozenset[str] = FIELDS - {"band_name", "band_packing"}

_NUMERIC = {"double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
_OURS = "written by hsrdiff"  # in the text that every MATLAB file begins with
_DESCRIPTION = f"MATLAB 5.0 MAT-file, {_OURS}"
_LARGEST_VARIABLE = 2**31 - 1  # bytes, a limit of the format
# What this program writes beside the cube; other files seldom have them, and mean the same when they do.
CUBE, CRS_WKT, GEOTRANSFORM = "cube", "crs_wkt", "geotransform"
PACKING_NAMES = ("scale_factor", "add_offset", "fill_value")


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file begins as a MATLAB 5 file of either byte order."""
    return len(head) >= 128 and head[124:128] in {b"\x00\x01IM", b"\x01\x00MI"}


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the cube of a MATLAB file; only arrays of numbers and text are loaded, never objects.

    The bands are the last axis of a cube that `write` left; else the axis as long as a vector named like
    wavelengths; else the first axis where the other two are equal (bands x n x n); else the last.

    Args:
        path: The file.
        chunks: As for `open_cube`; the file is read whole and then divided.
        variable: The name of the array where there are several, or of a matrix that is one band.

    Returns:
        The cube.

    Raises:
        CubeFormatError: No array or several would do.
    """
    import scipy.io

    listing = scipy.io.whosmat(path)
    entries = {name: Entry(tuple(shape), kind, kind in _NUMERIC) for name, shape, kind in listing}
    name = choose_array(path, entries, variable or own_cube(path, entries), matrix_is_band=True)
    vectors = [
        each
        for each, entry in entries.items()
        if (entry.numeric or entry.kind == "logical") and len(entry.shape) == 2 and min(entry.shape) == 1
    ]
    lines = [each for each, entry in entries.items() if entry.kind == "char" and is_text_name(each)]
    loaded = scipy.io.loadmat(path, variable_names=[name, *vectors, *lines])
    small = {each: np.asarray(loaded[each]) for each in vectors}
    texts = {each: str(loaded[each].item()) for each in lines if loaded[each].size == 1}
    raw = np.asarray(loaded[name])
    ours = name == own_cube(path, entries)
    return cube_of_matlab(raw if raw.ndim == 3 else raw[:, :, None], small, texts, chunks, name, ours=ours)


def own_cube(path: Path, entries: Mapping[str, Entry]) -> str | None:
    """Return the name of the cube in a file that this program wrote, where nothing needs to be guessed.

    Args:
        path: The file, of either kind.
        entries: What is in the file, by name.

    Returns:
        The name, or None for a file of another program.
    """
    with open(path, "rb") as file:
        written = _OURS.encode() in file.read(116)
    return CUBE if written and CUBE in entries else None


def cube_of_matlab(
    raw: Any,
    vectors: Mapping[str, np.ndarray[Any, Any]],
    texts: Mapping[str, str],
    chunks: Chunks,
    name: str,
    *,
    ours: bool,
) -> xr.DataArray:
    """Build a cube from an array in MATLAB's order and the vectors beside it.

    Args:
        raw: Three-dimensional array (or what reads like one and has `transpose`), rows x columns x bands as a rule.
        vectors: The vectors of the file by name.
        texts: The texts of the file that `is_text_name` asks for, by name.
        chunks: As for `open_cube`.
        name: The array's name.
        ours: Whether this program wrote it: rows x columns x bands for certain.

    Returns:
        The cube.
    """
    from affine import Affine

    found = find_vectors(vectors, raw.shape)
    lengths = [vectors[found["wavelength"]].size] if "wavelength" in found else []
    axis = 2 if ours else band_axis(raw.shape, lengths, convention=2)
    rows, columns = (each for each in range(3) if each != axis)
    scale, offset, fill = (
        float(vectors[each].item()) if each in vectors and vectors[each].size == 1 else None for each in PACKING_NAMES
    )
    corner = vectors.get(GEOTRANSFORM)
    return build_cube(
        raw.transpose((axis, rows, columns)),
        Packing.of(raw.dtype, 1.0 if scale is None else scale, 0.0 if offset is None else offset, fill),
        axis=axis_from_vectors(vectors, raw.shape[axis]),
        crs=texts.get(CRS_WKT) or None,
        transform=Affine.from_gdal(*map(float, corner.reshape(-1)))
        if corner is not None and corner.size == 6
        else None,
        chunks=chunks,
        attrs={
            "variable": name,
            "band_axis": f"axis {axis + 1} of 3 in the file",
            **record_of({**vectors, **texts}),
        },
    )


def is_text_name(name: str) -> bool:
    """Return whether a variable of text is read: the CRS, or a part of the record.

    Args:
        name: The variable's name.
    """
    return name == CRS_WKT or is_record_name(name)


def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Write ``cube`` (rows x columns x bands), ``wavelength_nm``, ``fwhm_nm``, ``good_band``, georeference and record.

    Args:
        cube: A checked cube.
        path: A file that does not exist yet.
        options: None apply.

    Raises:
        CubeFormatError: The cube is larger than the 2 GB that a variable of this format can have.
    """
    import scipy.io

    refuse(cube)
    packing = packing_of(cube).one_scale()
    contents: dict[str, Any] = dict(variables_beside(cube, packing))
    contents[CUBE] = np.ascontiguousarray(packing.encode(np.asarray(cube.values)).transpose(1, 2, 0))
    scipy.io.savemat(path, contents, appendmat=False, do_compression=True)
    with open(path, "r+b") as file:  # in place of the time: the same cube gives the same file
        file.write(_DESCRIPTION.ljust(116).encode("ascii"))


def refuse(cube: xr.DataArray) -> None:
    """Refuse a cube that this format cannot hold.

    Args:
        cube: The cube; its values are not looked at.

    Raises:
        CubeFormatError: It is larger than the 2 GB that a variable of this format can have.
    """
    size = cube.size * packing_of(cube).one_scale().dtype.itemsize
    if size > _LARGEST_VARIABLE:
        raise CubeFormatError(
            f"the cube takes {size} bytes",
            expected="at most 2 GB in a MATLAB 5 file",
            do="write .nc or .tif, or MATLAB 7.3 by hsrdiff.write_cube(..., format='matlab73')",
        )


def variables_beside(cube: xr.DataArray, packing: Packing) -> dict[str, Any]:
    """Return the variables that go with a cube: 1 x n arrays and texts.

    Args:
        cube: The cube.
        packing: How its numbers are packed.

    Returns:
        Arrays of shape (1, n), and `str` for the CRS and the texts of the record.
    """
    axis = SpectralAxis.of_cube(cube)
    variables: dict[str, Any] = {
        name: value if isinstance(value, str) else np.array([[value]]) for name, value in record_of(cube.attrs).items()
    }
    for name, vector in (
        ("wavelength_nm", axis.wavelengths_nm),
        ("fwhm_nm", axis.fwhm_nm),
        ("good_band", axis.good_band),
    ):
        if vector is not None:
            variables[name] = np.asarray(vector).reshape(1, -1)
    if not packing.is_plain:
        variables["scale_factor"] = packing.scale_factor.reshape(1, 1)
        variables["add_offset"] = packing.add_offset.reshape(1, 1)
    if packing.fill_value is not None and not np.isnan(packing.fill_value):
        variables["fill_value"] = np.array([[packing.fill_value]])
    crs, transform = georeference_of(cube)
    if crs is not None:
        variables[CRS_WKT] = crs.to_wkt()
    if transform is not None:
        variables[GEOTRANSFORM] = np.array([transform.to_gdal()])
    return variables
