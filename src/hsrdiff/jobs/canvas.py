"""Canvas: where a large result is put together, in memory or in a file without a name beside the output."""

from __future__ import annotations

import errno
import math
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hsrdiff.errors import WriteError
from hsrdiff.typing import PathLike

IN_FILE_BYTES = 2**30  # of an image, from which it lies in a file
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def check_room(shape: tuple[int, ...], item_bytes: int, *outputs: PathLike | None) -> None:
    """Make sure, before the work, that a large result can be put together and written.

    Args:
        shape: Of the result.
        item_bytes: Of a stored number.
        *outputs: The file of the result, and that of its standard deviation, or None.

    Raises:
        WriteError: A folder has not enough room.
    """
    size = math.prod(shape)
    beside = outputs[0]
    if beside is None or 4 * size < IN_FILE_BYTES:
        return
    needed: dict[Path, int] = {}
    for number, path in enumerate(outputs):
        if path is not None:
            home, other = (Path(each).absolute().parent for each in (beside, path))
            needed[home] = needed.get(home, 0) + 4 * size  # on the canvas
            needed[other] = needed.get(other, 0) + (4 if number else item_bytes) * size
    for folder, wanted in needed.items():
        free = shutil.disk_usage(folder).free
        if free < wanted:
            raise _no_room(folder, f"{free / 2**30:.1f} GiB are free", wanted)


def _no_room(folder: Path, why: str, wanted: int) -> WriteError:
    return WriteError(
        f"the result and the file that it is put together in take {wanted / 2**30:.1f} GiB in '{folder}', where {why}",
        expected="a folder with room for both",
        do="free some space or choose another folder",
    )


@dataclass(frozen=True)
class Canvas:
    """Makes float32 images of zeros, those of `IN_FILE_BYTES` and more in a file that the system pages in and out.

    The file has no name: it is gone when the image is no longer used, or the program killed.

    Args:
        beside: Output whose folder has the room for it; None for images in memory.
    """

    beside: PathLike | None

    def __call__(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Return an image of zeros.

        Args:
            shape: Its shape.

        Returns:
            float32.

        Raises:
            WriteError: There is not enough room in the folder.
        """
        size = 4 * math.prod(shape)
        if self.beside is None or size < IN_FILE_BYTES:
            return torch.zeros(shape)
        folder = Path(self.beside).absolute().parent
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                # taken now: a page that finds no room later would end the program
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                values = np.memmap(file, np.float32, "r+", shape=shape)
        except OSError as error:
            why = error.strerror or str(error)
            if error.errno in _FULL:
                raise _no_room(folder, why[:1].lower() + why[1:], 2 * size) from error
            raise WriteError(
                f"the file that the result is put together in cannot be made in '{folder}' ({why})",
                do="choose another folder",
            ) from error
        return torch.from_numpy(values)
