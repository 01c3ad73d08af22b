"""The files of an ENVI image: the data, the header beside them, and all that other names of one stem would share."""

from __future__ import annotations

from pathlib import Path

from hsrdiff.errors import CubeFormatError, WriteError

SUFFIXES: tuple[str, ...] = (".hdr", ".img", ".bsq", ".bil", ".bip", ".raw", ".dat")
# what data may be called, in the order in which a header's data are looked for
_DATA_ENDINGS = ("", *SUFFIXES[1:], *(suffix.upper() for suffix in SUFFIXES[1:]), ".bin")


def header_beside(path: Path) -> Path | None:
    """Return the header of a data file, the ending in any case.

    NAME.hdr stands before NAME.img.hdr; an ending that is not one of ENVI's belongs to the name, as in ``scene.v1``.

    Args:
        path: The data file.

    Returns:
        A header that is there, or None.
    """
    return next((name for name in _headers(path) if name.is_file()), None)


def _headers(path: Path) -> tuple[Path, ...]:
    replaced, added = path.with_suffix(".hdr"), path.with_name(path.name + ".hdr")
    first = (replaced, added) if path.suffix.lower() in SUFFIXES else (added, replaced)
    return (*first, path.with_suffix(".HDR"))


def header_of(path: Path) -> Path:
    """Return the header, whichever file of the pair was given.

    Args:
        path: The header or the data file.

    Returns:
        The header.

    Raises:
        CubeFormatError: The data file has none.
    """
    header = path if path.suffix.lower() == ".hdr" else header_beside(path)
    if header is None:
        raise CubeFormatError(
            f"{path} has no header beside it", expected=f"{path.with_suffix('.hdr').name}", do="copy both files"
        )
    return header


def data_of(path: Path) -> Path:
    """Return the data file, whichever file of the pair was given.

    Args:
        path: The header or the data file.

    Returns:
        The data file.

    Raises:
        CubeFormatError: The header has none.
    """
    if path.suffix.lower() != ".hdr":
        return path
    data = next((each for each in _data_names(path) if each.is_file()), None)
    if data is None:
        stem = path.with_suffix("").name
        raise CubeFormatError(
            f"{path} has no data file beside it",
            expected=f"{stem}.img, or the name without an ending, .dat, .raw, .bsq, .bil or .bip",
            do="copy both files",
        )
    return data


def _data_names(header: Path) -> tuple[Path, ...]:
    stem = header.with_suffix("")
    return tuple(stem.with_name(stem.name + ending) for ending in _DATA_ENDINGS)


def written_files(path: Path) -> tuple[Path, Path]:
    """Return where the data and the header of an image go.

    Args:
        path: ``NAME.hdr``, whose data go to ``NAME.img``, or the data file.

    Returns:
        The data file and the header.
    """
    suffix = path.suffix.lower()
    if suffix == ".hdr":
        return path.with_suffix(".img"), path
    return path, path.with_suffix(".hdr") if suffix in SUFFIXES else path.with_name(path.name + ".hdr")


def family_of(path: Path) -> set[Path]:
    """Return every file that an image of this name may have, and that another image may so have in common with it.

    Args:
        path: The header or the data file, there or not.

    Returns:
        The headers that are looked for beside the data, and the data that are looked for beside these headers.
    """
    headers = {path} if path.suffix.lower() == ".hdr" else set(_headers(path))
    data = {each for header in headers for each in _data_names(header) if not each.is_dir()}
    return {path} | headers | data


def check_alone(path: Path) -> None:
    """Make sure that no other data are there for which the header of a new image would be taken.

    Args:
        path: Where the image is to go.

    Raises:
        WriteError: There are such data: they would lose their header, or be read in place of the image.
    """
    data, header = written_files(path)
    for other in _data_names(header):
        if other.is_file() and not (data.exists() and data.samefile(other)):
            raise WriteError(
                f"'{other}' is there, and '{header.name}' of '{data.name}' would be taken for its header too",
                expected="one data file for a header",
                do="choose another name for the output, or move that file away",
            )
