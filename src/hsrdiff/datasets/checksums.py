"""Checksums of the published files that the numbers of the documents were made with."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from hsrdiff.datasets.base import data_root
from hsrdiff.typing import PathLike

_TABLE = "checksums.txt"  # as `sha256sum` writes it, paths seen from the data folder


def known_checksums() -> dict[str, str]:
    """Return the SHA-256 of every file that is known.

    PaviaU, Chikusei and HypSen are not among them: their files were not at hand.

    Returns:
        Path seen from the data folder -> 64 hexadecimal digits.
    """
    text = files("hsrdiff.datasets").joinpath(_TABLE).read_text(encoding="utf-8")
    return {path: digest for digest, path in (line.split("  ", 1) for line in text.splitlines())}


def differing_files(data: PathLike | None = None) -> tuple[str, ...]:
    """Tell which files of a data folder are others than those that the numbers of the documents were made with.

    A file that was written anew with the same values counts as another one; `load` reads it all the same.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.

    Returns:
        Paths seen from the folder, of files that are there and differ.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
    """
    root = data_root(data)
    return tuple(
        path
        for path, digest in known_checksums().items()
        if (root / path).is_file() and hashlib.sha256((root / path).read_bytes()).hexdigest() != digest
    )
