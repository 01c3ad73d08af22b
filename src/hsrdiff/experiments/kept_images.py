"""What an experiment keeps of its results to draw a figure from, and whether that still belongs to the rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from hsrdiff.errors import WriteError
from hsrdiff.evaluation import Row
from hsrdiff.typing import FloatArray

IMAGES = "images"  # topic of a note: the files that go with a row, each with a digest of its content
_BETWEEN = ", "


class KeptImages:
    """Arrays in a folder, one file for each title.

    Runs of other seeds, budgets or data may share the folder. A row therefore says which content its files had, and a
    file of another run does not count as its own.

    Args:
        folder: Made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, images: Mapping[str, FloatArray]) -> dict[str, str]:
        """Write arrays, each file all or nothing.

        Args:
            images: Title -> array.

        Returns:
            The note for the row that they go with.

        Raises:
            WriteError: If a file cannot be written.
        """
        said = []
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for title, image in images.items():
                path = self.folder / file_of(title)
                part = path.with_name(f"{path.name}.part")
                with part.open("wb") as file:
                    np.save(file, image)
                os.replace(part, path)
                said.append(f"{path.name} {_digest(path)}")
        except OSError as e:
            raise WriteError(
                f"'{self.folder}' cannot be written ({e.strerror})", do="check the folder and the free space"
            ) from e
        return {IMAGES: _BETWEEN.join(said)}

    def belong(self, row: Row, titles: Iterable[str]) -> bool:
        """Tell whether files are there and are those that a row was kept with.

        Args:
            row: The row.
            titles: Of the arrays that it needs.

        Returns:
            Whether all of them are; of a row that says nothing of its files, whether they are there.
        """
        paths = [self.folder / file_of(title) for title in titles]
        if not all(path.is_file() for path in paths):
            return False
        if IMAGES not in row.notes:
            return True
        said = set(row.notes[IMAGES].split(_BETWEEN))
        return all(f"{path.name} {_digest(path)}" in said for path in paths)

    def load(self, title: str) -> FloatArray:
        """Return what was kept under a title.

        Args:
            title: The title.

        Returns:
            The array.
        """
        image: FloatArray = np.load(self.folder / file_of(title))
        return image


def file_of(title: str) -> str:
    """Return the name of a file for what a table calls a method.

    Args:
        title: What the table calls it.

    Returns:
        A name that every file system takes.
    """
    return "".join(c if c.isalnum() else "-" for c in title.lower()) + ".npy"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
