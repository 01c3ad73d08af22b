"""Archives, as products are downloaded: they are not read, and the message says what to open once they are unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from hsrdiff.errors import CubeFormatError

# Kind: where its mark stands in the file, and the mark.
_MARKS: dict[str, tuple[int, bytes]] = {
    "zip": (0, b"PK\x03\x04"),
    "tar": (257, b"ustar"),
    "gzip": (0, b"\x1f\x8b"),
    "bzip2": (0, b"BZh"),
    "xz": (0, b"\xfd7zXZ\x00"),
    "7z": (0, b"7z\xbc\xaf\x27\x1c"),
    "rar": (0, b"Rar!\x1a\x07"),
}
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".gz", ".tar.bz2", ".bz2", ".xz", ".7z", ".rar")
_ALL_OF_IT = "what comes out of it"


def refuse_archive(path: Path, head: bytes) -> None:
    """Raise where a file is an archive.

    Args:
        path: The file.
        head: Its first bytes, at least 262 where it has as many.

    Raises:
        CubeFormatError: It is one.
    """
    for kind, (at, mark) in _MARKS.items():
        if head[at : at + len(mark)] == mark:
            inside = _first_name(path) if kind == "zip" else _ALL_OF_IT
            raise CubeFormatError(
                f"{path} is a {kind} archive",
                expected="an image, or a product as a folder",
                do=f"unpack it and open {inside}",
            )


def _first_name(path: Path) -> str:
    """Return the one file or folder that a zip archive unpacks to; other kinds would have to be read whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[0] for name in archive.namelist()} - {"", "__MACOSX"}
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise CubeFormatError(
            f"{path} is a zip archive that is damaged or cut short",
            expected="a whole file",
            do="download or copy it again",
        ) from error
    return names.pop() if len(names) == 1 else _ALL_OF_IT
