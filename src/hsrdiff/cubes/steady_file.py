"""A file for HDF5 to write to that never fails in its hands: the error waits until the library has let go."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class SteadyFile(io.RawIOBase):
    """A file that keeps its first write error and from then on only pretends to write.

    HDF5 cannot close a file whose last blocks it may not write, and takes the whole process down; so it is told
    that all went well, and `steady_file` raises the error afterwards.

    Args:
        path: A file that does not exist yet.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = open(path, "w+b", buffering=0)  # noqa: SIM115  (closed in close)
        self.error: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        """Write all of `data`, or remember why not."""
        view = memoryview(data).cast("B")
        written = 0
        while self.error is None and written < len(view):
            try:
                written += self._file.write(view[written:])
            except OSError as error:
                self.error = error
        if written < len(view):
            self._file.seek(len(view) - written, io.SEEK_CUR)
        return len(view)

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill `buffer`, with zeros where nothing was written."""
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view)
        view[count:] = bytes(len(view) - count)
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move, also past the end."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        """Set the length, or remember why not."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self.error = self.error or error
            return self._file.tell() if size is None else size

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@contextmanager
def steady_file(path: Path) -> Iterator[SteadyFile]:
    """Open a `SteadyFile` for writing and raise its error, if any, when the block is over.

    Args:
        path: A file that does not exist yet.

    Yields:
        The file.

    Raises:
        OSError: Writing failed; this comes before what the library made of it.
    """
    file = SteadyFile(path)
    try:
        yield file
    except Exception as error:
        if file.error is not None:
            raise file.error from error
        raise
    finally:
        file.close()
    if file.error is not None:
        raise file.error
