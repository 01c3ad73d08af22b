"""The table of formats, and the two functions that every file name goes through."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hsrdiff.cubes import (
    cave,
    envi,
    geotiff,
    hdf5,
    image,
    jpeg2000,
    matlab5,
    matlab73,
    netcdf,
    npy,
    zarr_store,
)
from hsrdiff.cubes.archive import ENDINGS as ARCHIVE_ENDINGS
from hsrdiff.cubes.archive import refuse_archive
from hsrdiff.cubes.atomic import atomic_output
from hsrdiff.cubes.cube import Chunks, check_cube, chunk_sizes
from hsrdiff.cubes.declared import unpacked
from hsrdiff.cubes.envi_files import check_alone
from hsrdiff.cubes.formats import CreationOptions, CubeFormat
from hsrdiff.cubes.products.catalog import PRODUCTS
from hsrdiff.errors import CubeFormatError, HsrdiffError, InputError, WriteError, did_you_mean

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.typing import PathLike

# Asked in this order: products before the formats that their files are in, then what is sure from its first bytes
# before what is known by its neighbours or its ending.
FORMATS: dict[str, CubeFormat] = {
    **PRODUCTS,
    "geotiff": geotiff,
    "jpeg2000": jpeg2000,
    "image": image,
    "matlab5": matlab5,
    "matlab73": matlab73,
    "netcdf": netcdf,
    "hdf5": hdf5,
    "npy": npy,
    "zarr": zarr_store,
    "cave": cave,
    "envi": envi,
}
_HEAD_BYTES = 4096


def open_cube(path: PathLike, *, chunks: Chunks = None, variable: str | None = None) -> xr.DataArray:
    """Read an image file or folder of any known format as a cube; the format is found by content, then by ending.

    Args:
        path: The file, or the folder of a Zarr store, a CAVE scene or a satellite product; for ENVI the header or
            the data file.
        chunks: None to read all now; ``"auto"``, a number, or sizes such as ``{"y": 256, "x": 256}`` for a
            Dask-backed cube that reads when it is computed.
        variable: The name of the array, for files that hold several; for products a choice such as ``"20m"`` or
            ``"unmasked"``.

    Returns:
        The cube: float32 physical values ``raw * scale_factor + add_offset``, invalid pixels NaN, wavelengths in
        nm; the file's own numbers are described by ``.encoding``.

    Raises:
        CubeFormatError: The file is missing, empty, damaged, larger than the memory, or of no known format.
        InputError: `chunks` makes no sense.
    """
    chunk_sizes(chunks)
    path = Path(path)
    name = find_format(path)
    try:
        cube = FORMATS[name].read(path, chunks=chunks, variable=variable)
    except CubeFormatError:
        raise
    except HsrdiffError as error:
        raise CubeFormatError(f"{path} does not hold a sound cube: {error.found}", expected=error.expected) from error
    except MemoryError as error:
        size = " ".join(str(error).split()).rstrip(".")
        raise CubeFormatError(
            f"{path} takes more memory than there is" + (f" ({size})" if size else ""),
            do="cut a smaller part of it, or open it with chunks='auto' in Python",
        ) from error
    except PermissionError as error:
        raise CubeFormatError(f"{path} may not be read", do="check its permissions") from error
    except Exception as error:  # whatever a damaged file made a library trip over
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise CubeFormatError(
            f"{path} cannot be read as {FORMATS[name].title} ({reason})",
            expected="a whole file",
            do="copy or export it again",
        ) from error
    cube.attrs["source_format"] = name
    return cube


def find_format(path: Path) -> str:
    """Return the name of a file's format, by its content first and its ending second.

    Args:
        path: A file or folder.

    Returns:
        A key of `FORMATS`.

    Raises:
        CubeFormatError: The path is missing, empty, or of no known format.
    """
    if not path.exists():
        siblings = [child.name for child in path.parent.iterdir()] if path.parent.is_dir() else []
        near = [name for name in siblings if name.lower().split(".")[0] == path.name.lower().split(".")[0]]
        hint = f"open {', '.join(sorted(near)[:5])} if that was meant" if near else "check the path"
        raise CubeFormatError(f"{path} does not exist", do=hint)
    head = b""
    try:
        if path.is_file():
            with open(path, "rb") as file:
                head = file.read(_HEAD_BYTES)
        for name, known in FORMATS.items():
            if (head or path.is_dir()) and known.sniff(path, head):
                return name
    except PermissionError as error:
        raise CubeFormatError(f"{path} may not be read", do="check its permissions") from error
    if path.is_dir():
        raise _no_image(path)
    if not head:
        raise CubeFormatError(f"{path} is empty", do="copy or export it again")
    refuse_archive(path, head)
    if path.suffix.lower() in envi.suffixes and not head.startswith(b"EHFA_HEADER_TAG"):
        return "envi"  # raw numbers have no mark; the reader says what is missing
    by_ending = [known.title for known in FORMATS.values() if path.suffix.lower() in known.suffixes]
    if by_ending:
        raise CubeFormatError(
            f"{path} is named {path.suffix} but its content is not {' or '.join(by_ending)}",
            expected="a whole file of that format",
            do="copy or export it again",
        )
    titles = ", ".join(f"{known.title} ({known.suffixes[0]})" for known in FORMATS.values())
    raise CubeFormatError(f"{path} is of no known format", expected=f"one of {titles}", do="convert it to GeoTIFF")


def _no_image(folder: Path) -> CubeFormatError:
    """Say of a folder that it is none, and what in it may be meant: an image, a product or an archive."""
    children = sorted(folder.iterdir())
    if not children:
        return CubeFormatError(
            f"the folder {folder} is empty",
            expected="an image, or a product's files with their description",
            do="check the path, or copy the product again",
        )
    images = sum(child.suffix.lower() == ".png" for child in children)
    endings = tuple(ending for known in FORMATS.values() for ending in known.suffixes)
    inside = [child.name for child in children if child.name.lower().endswith(endings) or _is_cube(child)]
    packed = [child.name for child in children if child.name.lower().endswith(ARCHIVE_ENDINGS)]
    hint = f"unpack {packed[0]} in it if that was meant" if packed else ""
    if inside:
        hint = f"open {inside[0]} in it if that was meant"
    return CubeFormatError(
        f"the folder {folder} is no Zarr store, no CAVE scene ({images} PNG files in it) and no known product",
        expected="zarr.json, images NAME_ms_01.png to NAME_ms_31.png, or a product's files with their description",
        do=hint,
    )


def _is_cube(path: Path) -> bool:
    """Tell whether a folder within another looks like a cube."""
    try:
        return path.is_dir() and any(known.sniff(path, b"") for known in FORMATS.values())
    except OSError:  # it may not be read
        return False


def write_cube(
    cube: xr.DataArray,
    path: PathLike,
    *,
    format: str | None = None,
    cog: bool | None = None,
    compress: str | None = None,
    interleave: str | None = None,
    byte_order: str | None = None,
) -> Path:
    """Write a cube, whole or not at all; a file of the same name is replaced.

    By default values are float32 with NaN where invalid; ``cube.encoding`` with an integer ``dtype``,
    ``scale_factor``, ``add_offset`` and ``_FillValue`` packs them, rounded and clipped to the type.

    Args:
        cube: The cube, Dask-backed or not.
        path: Where to; the ending chooses the format (``.tif``, ``.hdr``, ``.mat``, ``.nc``, ``.zarr``, ``.npy``).
        format: A key of `FORMATS`, to choose by name.
        cog: GeoTIFF: cloud-optimised, with overviews.
        compress: GeoTIFF: ``deflate`` (default), ``zstd``, ``lzw``, ``none``; NetCDF: ``deflate`` or ``none``.
        interleave: ENVI: ``bsq`` (default), ``bil``, ``bip``; GeoTIFF: ``band`` (default), ``pixel``.
        byte_order: ENVI: ``little`` (default) or ``big``.

    Returns:
        `path`.

    Raises:
        InputError: What is given is no cube, or its attributes declare a scale that may have been applied.
        CubeFormatError: No format fits the ending, or the format cannot hold the cube or an option.
        WriteError: The disk is full, the system refused, or the header would be taken for that of another ENVI
            image; nothing half-written is left.
    """
    check_cube(cube)
    cube = unpacked(cube)
    path = Path(path)
    name = format_to_write(path, format)
    known = FORMATS[name]
    chosen = CreationOptions(cog=cog, compress=compress, interleave=interleave, byte_order=byte_order)
    _check_options(name, known, chosen)
    if path.is_dir() and any(path.iterdir()) and (name not in {"zarr", "cave"} or not known.sniff(path, b"")):
        raise WriteError(f"{path} is a folder with other things in it", do=f"choose another name for the {name}")
    if path.is_file() and name in {"zarr", "cave"}:
        raise WriteError(f"{path} is a file", expected="a folder or a new name")
    if name == "envi":
        check_alone(path)
    with atomic_output(path) as place:
        known.write(cube, place, chosen)
    return path


def format_to_write(path: Path, format: str | None = None) -> str:
    """Return the name of the format that a cube would be written in: the one asked for, or the first by the ending.

    Args:
        path: Where the cube would go.
        format: A key of `FORMATS`, to choose by name.

    Returns:
        A key of `FORMATS`.

    Raises:
        CubeFormatError: There is no such format or no such ending.
    """
    if format is not None:
        if format not in FORMATS:
            raise CubeFormatError(f"there is no format '{format}'", do=did_you_mean(format, FORMATS))
        return format
    by_ending = [name for name, known in FORMATS.items() if path.name.lower().endswith(known.suffixes)]
    if by_ending:
        return next((name for name in by_ending if FORMATS[name].can_write), by_ending[0])
    endings = sorted({each for known in FORMATS.values() if known.can_write for each in known.suffixes})
    raise CubeFormatError(
        f"the ending of {path.name} names no format", expected=f"one of {', '.join(endings)}", do="or pass format="
    )


def check_holds(cube: xr.DataArray, path: PathLike) -> None:
    """Make sure that the format of an output can hold a cube, whatever its values.

    Args:
        cube: A cube, whose values need not be made yet.
        path: Where it is to go.

    Raises:
        CubeFormatError: It cannot, or the ending names no format.
    """
    refuse = getattr(FORMATS[format_to_write(Path(path))], "refuse", None)
    if refuse is not None:
        refuse(cube)


def _check_options(name: str, known: CubeFormat, chosen: CreationOptions) -> None:
    """Refuse options that the format does not have, and values that the option does not have."""
    for option in sorted(chosen.given()):
        value = getattr(chosen, option)
        if option not in known.options:
            raise InputError(f"the format '{name}' has no option '{option}'", do="leave it out")
        if value not in known.options[option]:
            values = ", ".join(str(each) for each in known.options[option])
            raise InputError(f"{option}={value!r} is not known to '{name}'", expected=f"one of {values}")
