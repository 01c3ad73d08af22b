"""ENVI: a raw binary file with a text header beside it (BSQ, BIL or BIP, either byte order)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.envi_files import SUFFIXES, data_of, header_beside, header_of, written_files
from hsrdiff.cubes.envi_header import (
    NUMBER_TYPES,
    format_header,
    listed,
    named,
    parse_header,
    whole_number,
)
from hsrdiff.cubes.envi_map import map_entries, read_map
from hsrdiff.cubes.formats import FIELDS, CreationOptions, no_variables
from hsrdiff.cubes.georeference import georeference_of, unused_place
from hsrdiff.cubes.packed_cube import packed_strips, packing_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.record import from_texts, record_of, to_texts
from hsrdiff.cubes.spectral_axis import SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "ENVI"
suffixes = SUFFIXES
options: dict[str, tuple[object, ...]] = {
    "interleave": ("bsq", "bil", "bip"),
    "byte_order": ("little", "big"),
}
can_write = True
can_keep: frozenset[str] = FIELDS

# The order of the file's axes, as places in (band, y, x), and the place of each of (band, y, x) in the file.
_FILE_AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}
_CUBE_AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (2, 0, 1)}
_DEFAULT_NM = (640.0, 550.0, 460.0)  # what a viewer shows as red, green and blue


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file is an ENVI header, or has one beside it."""
    if path.suffix.lower() == ".hdr":
        return head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"ENVI")
    if not head:
        return False
    header = header_beside(path)
    return header is not None and header.read_bytes()[:64].lstrip(b"\xef\xbb\xbf \r\n").startswith(b"ENVI")


class EnviBands:
    """The raw bands of an ENVI file, mapped when sliced (and so readable from any process).

    Args:
        path: The data file.
        dtype: Number type with its byte order.
        shape: (bands, lines, samples).
        interleave: ``bsq``, ``bil`` or ``bip``.
        offset: Bytes before the first number.
    """

    ndim = 3

    def __init__(
        self, path: Path, dtype: np.dtype[Any], shape: tuple[int, int, int], interleave: str, offset: int
    ) -> None:
        self.path, self.interleave, self.offset = path, interleave, offset
        self.file_dtype, self.shape = dtype, shape
        self.dtype = dtype.newbyteorder("=")

    def __getitem__(self, key: tuple[slice, slice, slice]) -> np.ndarray[Any, Any]:
        file_shape = tuple(self.shape[axis] for axis in _FILE_AXES[self.interleave])
        mapped = np.memmap(self.path, self.file_dtype, "r", self.offset, file_shape)
        return np.array(mapped.transpose(_CUBE_AXES[self.interleave])[key], self.dtype)


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read an ENVI cube from its header or its data file.

    ``data gain values`` and ``data offset values`` give physical values; without them ``reflectance scale
    factor`` divides the numbers.

    Args:
        path: The ``.hdr`` or the data file.
        chunks: As for `open_cube`.
        variable: Must be None.

    Returns:
        The cube.

    Raises:
        CubeFormatError: A file is missing or too short, or the header cannot be understood.
    """
    no_variables(path, variable)
    header_path = header_of(path)
    header = parse_header(header_path)
    data_path = data_of(path)
    kind = header.get("file type", "ENVI Standard").lower()
    if "spectral library" in kind or "meta" in kind:
        raise CubeFormatError(f"{header_path} is of file type '{header['file type']}'", expected="an image")
    if header.get("file compression", "0") != "0":
        raise CubeFormatError(f"{data_path} is compressed", expected="plain numbers", do="export it uncompressed")
    bands, lines, samples = (whole_number(header, key, header_path) for key in ("bands", "lines", "samples"))
    code = whole_number(header, "data type", header_path)
    interleave = header.get("interleave", "bsq").lower()
    offset = whole_number(header, "header offset", header_path, 0)
    if min(bands, lines, samples) < 1 or offset < 0:
        raise CubeFormatError(f"{header_path} gives {bands} x {lines} x {samples}", expected="a positive size")
    if code not in NUMBER_TYPES or interleave not in _FILE_AXES:
        raise CubeFormatError(
            f"{header_path} gives data type {code} and interleave '{interleave}'",
            expected=f"a type of {sorted(NUMBER_TYPES)} and bsq, bil or bip",
        )
    big = whole_number(header, "byte order", header_path, 0) == 1
    dtype = np.dtype((">" if big else "<") + NUMBER_TYPES[code])
    needed, there = offset + bands * lines * samples * dtype.itemsize, data_path.stat().st_size
    if there < needed:
        raise CubeFormatError(
            f"{data_path} has {there} bytes", expected=f"{needed} by its header", do="copy the file again"
        )
    crs, transform = read_map(header, header_path)
    return build_cube(
        EnviBands(data_path, dtype, (bands, lines, samples), interleave, offset),
        _packing_of(header, dtype, bands, header_path),
        axis=SpectralAxis.of_units(
            listed(header, "wavelength", bands, header_path),
            header.get("wavelength units"),
            listed(header, "fwhm", bands, header_path),
            listed(header, "bbl", bands, header_path),
            named(header, bands),
        ),
        crs=crs,
        transform=transform,
        chunks=chunks,
        attrs=(unused_place(**_other_places(header)) if transform is None else {}) | from_texts(header),
    )


def _other_places(header: Mapping[str, str]) -> dict[str, bool]:
    """What ENVI's header may place an image by, beside ``map info``."""
    return {"points": bool(header.get("geo points")), "polynomials": bool(header.get("rpc info"))}


def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Write the data file and its header.

    Args:
        cube: A checked cube.
        path: ``NAME.hdr`` (the data go to ``NAME.img``), or the data file, whose ending ``.bil`` or ``.bip`` sets
            the interleave.
        options: ``interleave`` and ``byte_order``.

    Raises:
        CubeFormatError: The packing or the transform cannot be said in an ENVI header.
    """
    suffix = path.suffix.lower()
    data_path, header_path = written_files(path)
    by_suffix = suffix[1:] if suffix[1:] in _FILE_AXES else "bsq"
    interleave = options.interleave or by_suffix
    if suffix[1:] in _FILE_AXES and interleave != by_suffix:
        raise CubeFormatError(f"interleave '{interleave}' does not go with {path.name}", do="leave one of them out")
    packing = packing_of(cube)
    codes = {name: code for code, name in NUMBER_TYPES.items()}
    if packing.dtype.str[1:] not in codes:
        raise CubeFormatError(f"ENVI has no type for {packing.dtype}", do="set cube.encoding['dtype'] to another")
    big = options.byte_order == "big"
    file_dtype = packing.dtype.newbyteorder(">" if big else "<")
    file_shape = tuple(cube.shape[axis] for axis in _FILE_AXES[interleave])
    crs, transform = georeference_of(cube)
    bands, lines, samples = cube.shape
    entries: dict[str, Any] = {
        "description": "{hyperspectral cube}", "samples": samples, "lines": lines, "bands": bands,
        "header offset": 0, "file type": "ENVI Standard", "data type": codes[packing.dtype.str[1:]],
        "interleave": interleave, "byte order": int(big),
        **_packing_entries(packing, bands), **_axis_entries(SpectralAxis.of_cube(cube)),
        **map_entries(crs, transform), **to_texts(record_of(cube.attrs)),
    }  # fmt: skip
    with open(data_path, "wb") as file:
        file.truncate(int(np.prod(file_shape)) * packing.dtype.itemsize)
    with open(data_path, "r+b") as file:
        for rows, raw in packed_strips(cube, packing):
            _put_rows(file, raw.astype(file_dtype), rows, interleave, cube.shape)
    header_path.write_text(format_header(entries), encoding="utf-8")


def _put_rows(file: Any, raw: Any, rows: slice, interleave: str, shape: tuple[int, ...]) -> None:
    """Write a strip to its place: by plain writes, since a full disk kills a process that writes to a memory map."""
    _, lines, samples = shape
    size = raw.dtype.itemsize
    if interleave == "bsq":
        for band in range(raw.shape[0]):
            file.seek((band * lines + rows.start) * samples * size)
            file.write(np.ascontiguousarray(raw[band]).data)
    else:
        file.seek(rows.start * raw.shape[0] * samples * size)
        file.write(np.ascontiguousarray(raw.transpose(_FILE_AXES[interleave])).data)


def refuse(cube: xr.DataArray) -> None:
    """Refuse a cube that this format cannot hold.

    Args:
        cube: The cube; its values are not looked at.

    Raises:
        CubeFormatError: Its transform is sheared or mirrored.
    """
    map_entries(*georeference_of(cube))


def _packing_of(header: Mapping[str, str], dtype: np.dtype[Any], bands: int, path: Path) -> Packing:
    gains = listed(header, "data gain values", bands, path)
    offsets = listed(header, "data offset values", bands, path)
    scale: Any = 1.0 if gains is None else gains
    try:
        fill = float(header["data ignore value"]) if header.get("data ignore value") else None
        if gains is None and header.get("reflectance scale factor"):
            scale = 1.0 / float(header["reflectance scale factor"])
    except (ValueError, ZeroDivisionError):
        raise CubeFormatError(
            f"'data ignore value' or 'reflectance scale factor' in {path} is no number it can be"
        ) from None
    return Packing.of(dtype, scale, 0.0 if offsets is None else offsets, fill)


def _packing_entries(packing: Packing, bands: int) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    if packing.fill_value is not None:
        fill = packing.fill_value
        entries["data ignore value"] = repr(int(fill) if float(fill).is_integer() else fill)
    if not packing.is_plain:
        inverse = 1.0 / packing.scale_factor if not packing.scale_factor.ndim else None
        if inverse is not None and not packing.add_offset.any() and 1.0 / inverse == packing.scale_factor:
            entries["reflectance scale factor"] = repr(float(inverse))
        else:
            for key, numbers in (("gain", packing.scale_factor), ("offset", packing.add_offset)):
                entries[f"data {key} values"] = [repr(n) for n in np.broadcast_to(numbers, bands).tolist()]
    return entries


def _axis_entries(axis: SpectralAxis) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    if axis.band_names is not None:
        kept = str.maketrans({",": ";", "{": "(", "}": ")", "\n": " "})
        entries["band names"] = [name.translate(kept) for name in axis.band_names]
    if axis.wavelengths_nm is not None:
        centres = axis.wavelengths_nm
        entries["wavelength units"] = "Nanometers"
        entries["wavelength"] = [repr(float(n)) for n in centres]
        shown = [int(np.abs(centres - nm).argmin()) + 1 for nm in _DEFAULT_NM]
        if len(set(shown)) == 3:
            entries["default bands"] = shown
    if axis.fwhm_nm is not None:
        entries["fwhm"] = [repr(float(n)) for n in axis.fwhm_nm]
    if axis.good_band is not None:
        entries["bbl"] = [int(flag) for flag in axis.good_band]
    return entries
