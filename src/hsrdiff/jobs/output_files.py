"""What a job leaves: files checked before the work starts, so that none replaces an input or another output."""

from __future__ import annotations

import os
from pathlib import Path

from hsrdiff.cubes import FORMATS
from hsrdiff.cubes.envi_files import SUFFIXES, check_alone, family_of
from hsrdiff.errors import CubeFormatError, InputError, WriteError
from hsrdiff.jobs.images import Image
from hsrdiff.jobs.writable import check_name
from hsrdiff.typing import PathLike

# of the other formats, and of tables, reports and weights; a file of another ending, or of none, may be the data of an
# ENVI header
_OTHER_ENDINGS = {
    Path("x" + ending).suffix for name, known in FORMATS.items() if name != "envi" for ending in known.suffixes
} - {""} | {".csv", ".json", ".safetensors"}


def check_output(path: PathLike | None, *inputs: Image) -> None:
    """Make sure, before any work, that a cube can be written where the output goes.

    Args:
        path: The file to write; None for nowhere.
        *inputs: What the job reads; no file among them may be written over.

    Raises:
        InputError: It is one of the inputs, or would share an ENVI header with one.
        CubeFormatError: Its ending names no format that is written.
        WriteError: Its name is too long, it is a folder with other things in it, its own folder does not exist or is
            not writable, or its ENVI header would be taken for that of other data.
    """
    if path is None:
        return
    check_name(path, "output")
    endings = sorted({ending for known in FORMATS.values() if known.can_write for ending in known.suffixes})
    if not Path(path).name.lower().endswith(tuple(endings)):
        raise CubeFormatError(
            f"the ending of the output '{path}' names no format that is written",
            expected=f"one of {', '.join(endings)}",
            do="choose another ending, such as .tif",
        )
    for image in inputs:
        if isinstance(image, str | os.PathLike) and not files_of(path).isdisjoint(files_of(image)):
            raise InputError(
                f"the output '{path}' would {_harm(path, image)} the input '{image}'",
                expected="an output other than the inputs",
                do="choose another name for the output",
            )
    if Path(path).is_dir() and not _is_store(Path(path)):
        raise WriteError(
            f"the output '{path}' is a folder",
            expected="the name of a file, or of a Zarr store or CAVE folder to replace",
            do="choose another name for the output",
        )
    check_folder(Path(os.path.realpath(path)).parent)  # of what a link points to
    if Path(path).suffix.lower() in SUFFIXES:
        check_alone(Path(path))


def _harm(path: PathLike, other: PathLike) -> str:
    """Say what writing a file would do to another, with which it has a file in common."""
    first, second = Path(path).resolve(), Path(other).resolve()
    pair = first.with_suffix("") == second.with_suffix("") and {".hdr", ".img"} == {
        each.suffix.lower() for each in (first, second)
    }
    return "replace" if first == second or pair else "share an ENVI header with"


def _is_store(folder: Path) -> bool:
    """Tell whether a folder is itself a cube, so that writing over it loses nothing else."""
    names = {entry.name for entry in folder.iterdir()}
    whole = {"zarr.json", ".zgroup", ".zattrs"} & names if folder.suffix.lower() == ".zarr" else set()
    pictures = folder.name.lower().endswith("_ms") and all(name.lower().endswith(".png") for name in names)
    return bool(whole) or pictures


def files_of(path: PathLike) -> set[Path]:
    """Return the files of a cube, links followed: for ENVI all that share its header, or are looked for beside it.

    Args:
        path: Where the cube is, or will be.
    """
    named, whole = Path(path).absolute(), Path(path).resolve()
    if whole.is_dir() or named.suffix.lower() in _OTHER_ENDINGS:
        return {whole}
    return {each.resolve() for each in family_of(named) | family_of(whole)}


def check_apart(first: PathLike | None, second: PathLike | None, *, holding: tuple[str, str]) -> None:
    """Make sure that two outputs do not replace each other.

    Args:
        first: One file to write; None for nowhere.
        second: The other.
        holding: What each is to hold, such as ``("the result", "its standard deviation")``.

    Raises:
        InputError: They are one file, parts of one, or ENVI images that would share a header.
    """
    if first is None or second is None or files_of(first).isdisjoint(files_of(second)):
        return
    shared = _harm(first, second) != "replace"
    raise InputError(
        f"'{second}' is to hold {holding[1]} and '{first}' {holding[0]}"
        + (", and both have one ENVI header" if shared else ""),
        expected="two names that differ before the ending" if shared else "two files",
        do="choose another name for one of them",
    )


def check_report_file(report: PathLike | None, *others: Image | None) -> None:
    """Make sure, before any work, that a text can be written where a report goes.

    Args:
        report: The file to write; None for nowhere.
        *others: What the job reads and writes; no file among them may be written over.

    Raises:
        InputError: It is one of the others, or the ENVI header or data of one.
        WriteError: It is a folder, or its own folder does not exist or is not writable.
    """
    if report is None:
        return
    check_name(report, "report")
    for other in others:
        if isinstance(other, str | os.PathLike) and Path(report).resolve() in files_of(other):
            part = "" if Path(report).resolve() == Path(other).resolve() else "the header or the data of "
            raise InputError(
                f"the report '{report}' would replace {part}'{other}'",
                expected="a file of its own",
                do="choose another name for the report",
            )
    if Path(report).is_dir():
        raise WriteError(
            f"the report '{report}' is a folder", expected="the name of a file", do="choose another name for the report"
        )
    check_folder(Path(os.path.realpath(report)).parent)


def check_folder(folder: Path) -> None:
    """Make sure that something can be created in a folder.

    Args:
        folder: The folder.

    Raises:
        WriteError: It does not exist or is not writable.
    """
    if not folder.is_dir():
        raise WriteError(
            f"the output folder '{folder}' does not exist",
            expected="an existing folder",
            do="create it, or choose another one",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WriteError(
            f"the output folder '{folder}' is not writable",
            expected="a folder that you may write to",
            do="choose another one, or change its permissions",
        )


def check_new_folder(folder: Path) -> None:
    """Make sure that a folder is there to be written to, or can be made with those above it.

    Args:
        folder: The folder.

    Raises:
        WriteError: One above it is a file, or the first that exists is not writable.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise WriteError(f"'{place}' is a file", expected="a folder, or a name for one", do="choose another folder")
    check_folder(place)
