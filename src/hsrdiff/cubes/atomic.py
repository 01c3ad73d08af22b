"""Outputs that appear whole or not at all: written beside the target in a `.part` folder, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hsrdiff.errors import WriteError

_MOST_LINKS = 40  # as the system follows
_LONG_NAME = 200  # bytes; most systems take 255
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_SPACE_TEXT = ("no space left", "disk quota", "file too large", "errno = 28", "errno = 27", "errno = 122")


@contextmanager
def atomic_output(target: Path) -> Iterator[Path]:
    """Give a path to write to; what was written takes the place of `target` when the block ends well.

    Everything written into the folder of the given path is moved beside `target`, so that an output may be one
    file, several files (ENVI's ``.hdr`` and ``.img``) or a folder (Zarr). One file replaces its target in one
    step; several are rolled back together when one cannot be moved. A link stays one: what it points to is replaced.

    Args:
        target: The file or folder to create or replace.

    Yields:
        A path of the same name inside a ``NAME.*.part`` folder beside the target.

    Raises:
        WriteError: The target is a device or a pipe, the folder is missing, the disk is full, or the system refused;
            nothing is left behind.
    """
    refuse_special(target)
    parent = Path(os.path.realpath(target)).parent
    if not parent.is_dir():
        raise WriteError(f"the folder {parent} does not exist", do=f"create it to write {target.name}")
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{_short(target.name)}.", suffix=".part", dir=parent))
    except OSError as error:
        raise _as_write_error(target, error) from error
    try:
        yield folder / target.name
        if target.is_dir() and not (folder / target.name).is_dir():
            # moving it away would delete what the user keeps in it
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        _commit(folder, target)
    except (OSError, RuntimeError) as error:  # h5py reports a failed write as RuntimeError
        raise _as_write_error(target, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def refuse_special(target: Path) -> None:
    """Refuse to replace what is neither a file nor a folder.

    Args:
        target: What is to be written, links followed.

    Raises:
        WriteError: It is a device, a pipe or a socket, or stands for what a process has open, as /dev/stdout does.
    """
    special = False
    try:
        special = _is_open_file(target)  # a file that is written to elsewhere would be lost
        mode = os.stat(target).st_mode
        special = special or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    except OSError:  # it is not there; what else is wrong with it is met when it is written
        pass
    if special:
        raise WriteError(
            f"{target} is neither a file nor a folder",
            expected="a name for a file, which is written beside it and then renamed",
            do="choose another name",
        )


def _is_open_file(target: Path) -> bool:
    """Tell whether a name leads through /proc, where each process has links to its open files."""
    place = Path(os.path.abspath(target))
    for _ in range(_MOST_LINKS):
        if Path(os.path.realpath(place.parent)).parts[:2] == ("/", "proc"):
            return True
        if not place.is_symlink():
            return False
        place = Path(os.path.abspath(place.parent / os.readlink(place)))
    return False


def _short(name: str) -> str:
    """Return the name, or as much of it as leaves room for what is appended."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONG_NAME else encoded[:_LONG_NAME].decode(errors="ignore")


def _commit(folder: Path, target: Path) -> None:
    """Move all that was written to its place, `target` last, undoing the moves when one fails."""
    entries = sorted(folder.iterdir(), key=lambda entry: (entry.name == target.name, entry.name))
    if not any(entry.name == target.name for entry in entries):
        raise OSError(errno.ENOENT, "the writer left no file")
    if len(entries) == 1 and not entries[0].is_dir() and not target.is_dir():
        os.replace(entries[0], os.path.realpath(target))
        return
    old = folder / ".replaced"
    old.mkdir()
    moved: list[tuple[Path, Path]] = []
    try:
        for entry in entries:
            place = Path(os.path.realpath(target.parent / entry.name))
            if place.exists():
                os.replace(place, old / entry.name)
            moved.append((place, old / entry.name))
            os.replace(entry, place)
    except BaseException:
        for place, before in reversed(moved):
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
            if before.exists():
                os.replace(before, place)
        raise


def _as_write_error(target: Path, error: Exception) -> WriteError:
    """Say in one sentence why `target` could not be written."""
    causes = [error, error.__cause__, error.__cause__ and error.__cause__.__cause__]
    text = " ".join(" ".join(str(cause) for cause in causes if cause is not None).split())
    number = error.errno if isinstance(error, OSError) else None
    if number in _NO_SPACE or any(sign in text.lower() for sign in _NO_SPACE_TEXT):
        return WriteError(
            f"there is no space left to write {target}",
            do="free some space or choose another folder; nothing half-written was left behind",
        )
    reason = (error.strerror if isinstance(error, OSError) else None) or text or type(error).__name__
    return WriteError(f"{target} could not be written ({reason})", do="check that the folder is writable and try again")
